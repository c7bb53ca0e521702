package pdb

import "slices"

// text reads the names that one lookup needs. Each is read once, and all of them together may cost no more than a
// multiple of the file: a hostile file could nest thousands of inlined calls that share one long name.
type text struct {
	f         *File
	m         *module
	files     map[uint32]string // by offset in /names
	functions map[uint32]string // by id
	budget    int64             // bytes that may yet be read
}

func (f *File) newText(m *module) *text {
	return &text{f: f, m: m, files: map[uint32]string{}, functions: map[uint32]string{},
		budget: 1<<20 + 16*f.msf.blockSize*int64(f.msf.numBlocks)}
}

func (t *text) spend(n int64, s *stream) error {
	if t.budget -= n; t.budget < 0 {
		return s.fail(0, "the names of one address are longer than the file")
	}
	return nil
}

// file returns the name of a source file, "" when the PDB has no table of names.
func (t *text) file(checksum uint32) (string, error) {
	if t.f.namesStream < 0 {
		return "", nil
	}
	off, err := t.m.nameOf(checksum)
	if err != nil {
		return "", err
	}
	name, ok := t.files[off]
	if ok {
		return name, nil
	}
	if name, err = t.f.fileName(off); err != nil {
		return "", err
	}
	t.files[off] = name
	return name, t.spend(int64(len(name)), t.m.s)
}

// inlined names the calls inlined at offset off of a function, innermost first.
func (t *text) inlined(p item, off uint32) ([]Frame, error) {
	sites, err := t.m.inlineSites(p, off)
	if err != nil || len(sites) == 0 {
		return nil, err
	}
	var frames []Frame
	for _, s := range sites {
		name, err := t.function(s.inlinee)
		if err != nil {
			return nil, err
		}
		file, err := t.file(s.file)
		if err != nil {
			return nil, err
		}
		frames = append(frames, Frame{Function: name, File: file, Line: int(s.line)})
	}
	slices.Reverse(frames)
	return frames, nil
}

// function returns the qualified name of an inlined function from its LF_FUNC_ID or LF_MFUNC_ID record.
func (t *text) function(id uint32) (string, error) {
	name, ok := t.functions[id]
	if ok {
		return name, nil
	}
	ids, err := t.f.ids()
	if err != nil {
		return "", err
	}
	r, err := t.record(ids, id)
	if err != nil {
		return "", err
	}
	scope := r.body.U32()
	r.body.Skip(4) // type
	name = r.body.CString()
	if r.body.Err() != nil {
		return "", r.body.Err()
	}
	var outer string
	switch {
	case r.kind == leafMFuncID:
		outer, err = t.className(scope)
	case r.kind != leafFuncID:
		return "", ids.s.fail(r.off, "record of kind %#x for an inlined function", r.kind)
	case scope != 0:
		outer, err = t.scopeName(ids, scope)
	}
	if err != nil {
		return "", err
	}
	if outer != "" {
		name = outer + "::" + name
	}
	t.functions[id] = name
	return name, t.spend(int64(len(name)), ids.s)
}

func (t *text) record(from *types, index uint32) (record, error) {
	r, walked, err := from.record(index)
	if err == nil {
		err = t.spend(walked, from.s)
	}
	return r, err
}

// className returns the name of a class, structure, union or enum; "" for another type.
func (t *text) className(index uint32) (string, error) {
	types, err := t.f.types()
	if err != nil {
		return "", err
	}
	r, err := t.record(types, index)
	if err != nil {
		return "", err
	}
	c := r.body
	switch r.kind {
	case leafClass, leafStructure, leafInterface:
		c.Skip(16) // members, properties, member list, base, shape of the virtual table
		skipNumeric(c)
	case leafUnion:
		c.Skip(8)
		skipNumeric(c)
	case leafEnum:
		c.Skip(12)
	default:
		return "", nil
	}
	return c.CString(), c.Err()
}

// scopeName returns the name of a namespace; "" for another scope.
func (t *text) scopeName(ids *types, index uint32) (string, error) {
	r, err := t.record(ids, index)
	if err != nil || r.kind != leafStringID {
		return "", err
	}
	r.body.Skip(4) // list of substrings that come before, empty in PDBs
	return r.body.CString(), r.body.Err()
}
