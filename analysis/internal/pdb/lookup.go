package pdb

// Lookup names the address rva, in bytes from the base of the image.
//
// A function whose code covers the address is preferred to a public symbol. Without one, the nearest public symbol
// before the address is given if it lies in the same contribution of the same module, or if the PDB does not say what
// modules contributed: behind the end of its own code a public symbol is a wrong name. Where there is a line and
// no name, as in code from an assembler, the symbol has the line alone.
//
// In an image that was rearranged after linking (OMAP), names, lines and displacements are those of the image before that,
// and RVA is where the start of the function is now, 0 if it was removed.
//
// The boolean is false where the PDB has neither name nor line. When a part of the file is damaged the error says so,
// and the symbol holds what was found all the same; the boolean still says whether that is anything.
func (f *File) Lookup(rva uint32) (Symbol, bool, error) {
	source, err := f.toSource.translate(rva)
	if err != nil {
		return Symbol{}, false, err
	}
	a, ok := f.locate(source)
	if !ok {
		return Symbol{}, false, nil
	}
	c, inModule, err := f.dbi.contributionAt(a)
	if err != nil {
		inModule = false
	}
	var sym Symbol
	start := a
	if inModule {
		sym, start, err = f.inModule(a, c)
	}
	if sym.Name == "" && sym.Thunk == "" && (inModule || !f.dbi.hasContributions()) {
		p, ok, perr := f.public(a)
		if err == nil {
			err = perr
		}
		if ok && (!inModule || c.covers(p.start)) {
			sym.Name, sym.Kind, start = p.name, KindPublic, p.start
		}
	}
	if sym.Name == "" && sym.Thunk == "" && sym.Line == 0 {
		return Symbol{}, false, err
	}
	var rerr error
	sym.RVA, rerr = f.rva(start)
	if err == nil {
		err = rerr
	}
	sym.Displacement = a.off - start.off
	return sym, true, err
}

// inModule returns what the module of an address says of it: name and line, or one of them.
func (f *File) inModule(a address, c contribution) (sym Symbol, start address, err error) {
	start = a
	m, err := f.module(c.module)
	if err != nil || m == nil {
		return Symbol{}, start, err
	}
	keep := func(e error) {
		if err == nil {
			err = e
		}
	}
	p, perr := m.functionAt(a, c)
	keep(perr)
	if p != nil {
		sym, start = p.symbol, p.origin()
	}
	if p != nil && p.kind == KindTrampoline {
		return sym, start, err
	}
	at, found, lerr := m.lineAt(a)
	keep(lerr)
	if found {
		sym.Line = int(at.line)
		sym.File, lerr = m.sourceFile(at.file)
		keep(lerr)
	}
	if p != nil {
		sym.Inlined, perr = m.inlined(p, a.off-p.origin().off)
		keep(perr)
	}
	return sym, start, err
}
