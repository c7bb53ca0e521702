package pdb

import "fmt"

// function is what a lookup has decoded of a function's records.
type function struct {
	item
	m      *module
	symbol Symbol // what all its addresses have in common
	sites  []site // inlined calls; a call stands before those that it made in turn
	rows   []row  // of all sites
	damage error  // why there are not more sites
}

// functionAt returns the function at an address of a contribution; nil if none of its module covers that.
func (m *module) functionAt(a address, c contribution) (*function, error) {
	if f := m.f.lastFunction.Load(); f != nil && f.m == m && f.covers(a) {
		return f, nil
	}
	all, err := m.procs()
	it, ok := all.find(a)
	if !ok {
		return nil, err
	}
	if err := m.f.recent.keep(m.s); err != nil {
		return nil, err
	}
	f := &function{item: it, m: m}
	if it.kind == KindTrampoline {
		err = f.readTrampoline(c)
	} else {
		err = f.read()
	}
	if err != nil {
		return nil, err
	}
	m.f.lastFunction.Store(f)
	return f, nil
}

// read decodes the record of a function or thunk, and those within it.
func (f *function) read() error {
	w := f.m.s.window(int64(f.off), f.m.symbolsEnd)
	r, err := w.record()
	if err != nil {
		return err
	}
	fixed := r.body.Take(f.kind.fixed() - recordHead)
	f.symbol = Symbol{Name: r.body.CString(), Kind: f.kind}
	if r.body.Err() != nil {
		return r.body.Err()
	}
	f.symbol.Size = decodeProc(f.kind, fixed, r.off).length
	f.damage = f.readSites(w)
	return nil
}

// readTrampoline names a jump that the linker made after what it jumps to, and after its place in the table of such
// jumps: that is a contribution of its own.
func (f *function) readTrampoline(c contribution) error {
	r, err := f.m.s.window(int64(f.off), f.m.symbolsEnd).record()
	if err != nil {
		return err
	}
	const island = 1 // TRAMP_e: trampBranchIsland
	table := "ILT"
	if r.body.U16() == island {
		table = "island"
	}
	f.symbol = Symbol{Kind: KindTrampoline, Size: uint32(r.body.U16()),
		Thunk: fmt.Sprintf("%s+%d", table, f.origin().off-c.start.off)}
	r.body.Skip(4) // offset of the jump
	target := address{off: r.body.U32()}
	r.body.Skip(2) // section of the jump
	target.seg = r.body.U16()
	if r.body.Err() != nil {
		return r.body.Err()
	}
	f.symbol.Name, err = f.m.f.targetName(target)
	return err
}

// targetName returns the name of what begins at an address: a function, or a public symbol; "" if nothing does.
func (f *File) targetName(a address) (string, error) {
	c, ok, err := f.dbi.contributionAt(a)
	if err != nil || !ok {
		return "", err
	}
	m, err := f.module(c.module)
	if err != nil {
		return "", err
	}
	if m != nil {
		all, err := m.procs()
		if it, ok := all.find(a); ok && it.origin() == a && it.kind != KindTrampoline {
			target := function{item: it, m: m}
			err := target.read()
			return target.symbol.Name, err
		}
		if err != nil {
			return "", err
		}
	}
	p, ok, err := f.public(a)
	if err != nil || !ok || p.start != a {
		return "", err
	}
	return p.name, nil
}
