package pdb

// Lookup names the address rva, in bytes from the base of the image.
//
// A function whose code covers the address is preferred to a public symbol; without one, the nearest public symbol
// before the address in its section is given, with whatever displacement that makes. The boolean is false where the
// PDB has neither. When a part of the file is damaged the error says so, and the symbol holds what was
// found before that; the boolean still says whether it has a name.
func (f *File) Lookup(rva uint32) (Symbol, bool, error) {
	source, err := f.translate(f.toSource, "OMAP to source", rva)
	if err != nil {
		return Symbol{}, false, err
	}
	a, ok := f.locate(source)
	if !ok {
		return Symbol{}, false, nil
	}
	sym, start, ok, err := f.function(a)
	if !ok {
		public, at, found, perr := f.public(a)
		if err == nil {
			err = perr
		}
		if !found {
			return Symbol{}, false, err
		}
		sym.Name, sym.Kind, start = public.Name, public.Kind, at
	}
	var rerr error
	sym.RVA, rerr = f.rva(start)
	if err == nil {
		err = rerr
	}
	sym.Displacement = rva - sym.RVA
	return sym, true, err
}

// function names an address from the records of its module. When that has lines but no function there, as code from
// an assembler may, the symbol has the line alone, and ok is false.
func (f *File) function(a address) (sym Symbol, start address, ok bool, err error) {
	i, ok, err := f.dbi.moduleAt(a)
	if err != nil || !ok {
		return Symbol{}, address{}, false, err
	}
	m, err := f.module(i)
	if err != nil || m == nil {
		return Symbol{}, address{}, false, err
	}
	p, ok, err := m.procs.find(a)
	if err != nil {
		return Symbol{}, address{}, false, err
	}
	if ok {
		if err := m.nameProc(&sym, p); err != nil {
			return Symbol{}, address{}, false, err
		}
	}
	t := f.newText(m)
	at, found, err := m.lineAt(a)
	if err == nil && found {
		sym.Line = int(at.line)
		sym.File, err = t.file(at.file)
	}
	if err == nil && ok {
		sym.Inlined, err = t.inlined(p, a.off-p.start.off)
	}
	return sym, p.start, ok, err
}

// nameProc fills a symbol in from a function's record.
func (m *module) nameProc(sym *Symbol, p item) error {
	r, err := m.s.window(int64(p.off), m.symbolsEnd).record()
	if err != nil {
		return err
	}
	r.body.Skip(p.kind.fixed() - recordHead)
	sym.Name, sym.Kind, sym.Size = r.body.CString(), p.kind, p.length
	return r.body.Err()
}
