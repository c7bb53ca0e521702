package pdb

import "sync"

// names keeps texts that were read from the file, as many as are worth it.
type names struct {
	mu    sync.Mutex
	known map[uint32]named
	size  int
}

// named is a text and how many bytes were looked at for it.
type named struct {
	text string
	cost int64
}

const keptNames = 1 << 19 // bytes

// get returns the text of a number, from memory or by reading it.
func (n *names) get(number uint32, read func(uint32) (named, error)) (named, error) {
	n.mu.Lock()
	known, ok := n.known[number]
	n.mu.Unlock()
	if ok {
		return known, nil
	}
	known, err := read(number)
	if err != nil {
		return named{}, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.size += len(known.text); n.known == nil || n.size > keptNames {
		n.known, n.size = map[uint32]named{}, len(known.text)
	}
	n.known[number] = known
	return known, nil
}

// calls are those inlined at an offset of a function, and in the code around it up to where they are others.
type calls struct {
	f         *function
	low, high uint32
	frames    []Frame
	err       error
}

// inlined returns the calls inlined at offset off of a function, innermost first. A call whose name cannot be read is
// left out, and the error says so.
func (m *module) inlined(f *function, off uint32) ([]Frame, error) {
	if len(f.sites) == 0 {
		return nil, f.damage
	}
	c := m.f.lastCalls.Load()
	if c == nil || c.f != f || off < c.low || off >= c.high {
		c = &calls{f: f}
		var site int
		site, c.low, c.high = f.siteAt(off)
		t := text{m: m, budget: 1<<20 + 16*m.f.msf.blockSize*int64(m.f.msf.numBlocks)}
		c.frames, c.err = t.frames(f, site, off)
		m.f.lastCalls.Store(c)
	}
	return c.frames, c.err
}

// text names the inlined calls of one lookup. All of them together may cost no more than a multiple of the file: a
// hostile one could nest thousands that have long names.
type text struct {
	m      *module
	budget int64 // bytes that may yet be read
}

// frames names a call and those that it was made by in turn.
func (t *text) frames(f *function, innermost int, off uint32) (frames []Frame, first error) {
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	depth := 0
	for i := innermost; i >= 0; i = f.sites[i].outer {
		depth++
	}
	if depth > 0 {
		frames = make([]Frame, 0, min(depth, MaxInlined+1))
	}
	for i := innermost; i >= 0; i = f.sites[i].outer {
		s := f.sites[i]
		if depth--; depth > MaxInlined {
			continue
		}
		name, err := More, error(nil)
		if depth < MaxInlined {
			name, err = t.function(s.inlinee)
		}
		if err != nil {
			keep(err)
			if t.budget < 0 {
				break
			}
			continue
		}
		call := Frame{Function: name}
		if at, ok := f.at(s, off); ok {
			call.Line = int(at.line)
			call.File, err = t.m.sourceFile(at.file)
			keep(err)
		}
		frames = append(frames, call)
	}
	keep(f.damage)
	return frames, first
}

// function returns the qualified name of an inlined function.
func (t *text) function(id uint32) (string, error) {
	id, err := t.m.globalID(id)
	if err != nil {
		return "", err
	}
	name, err := t.m.f.functionNames.get(id, t.m.f.functionName)
	if err != nil {
		return "", err
	}
	if t.budget -= name.cost; t.budget < 0 {
		return "", t.m.s.fail(0, "the names of one address are longer than the file")
	}
	return name.text, nil
}

// functionName reads the name of a function from its LF_FUNC_ID or LF_MFUNC_ID record.
func (f *File) functionName(id uint32) (named, error) {
	ids, err := f.ids()
	if err != nil {
		return named{}, err
	}
	r, cost, err := ids.record(id)
	if err != nil {
		return named{}, err
	}
	scope := r.body.U32()
	r.body.Skip(4) // type
	name := r.body.CString()
	if r.body.Err() != nil {
		return named{}, r.body.Err()
	}
	var outer named
	switch {
	case r.kind == leafMFuncID:
		outer, err = f.className(scope)
	case r.kind != leafFuncID:
		return named{}, ids.s.fail(r.off, "record of kind %#x for an inlined function", r.kind)
	case scope != 0:
		outer, err = f.scopeName(scope)
	}
	if err != nil {
		return named{}, err
	}
	if outer.text != "" {
		name = outer.text + "::" + name
	}
	return named{name, cost + outer.cost + int64(len(name))}, nil
}

// className returns the name of a class, structure, union or enum; "" for another type.
func (f *File) className(index uint32) (named, error) {
	types, err := f.types()
	if err != nil {
		return named{}, err
	}
	r, cost, err := types.record(index)
	if err != nil {
		return named{}, err
	}
	c := &r.body
	switch r.kind {
	case leafClass, leafStructure, leafInterface:
		c.Skip(16) // members, properties, member list, base, shape of the virtual table
		skipNumeric(c)
	case leafClass2, leafStructure2, leafInterface2:
		c.Skip(16) // properties, member list, base, shape of the virtual table
		skipNumeric(c)
		skipNumeric(c)
	case leafUnion:
		c.Skip(8)
		skipNumeric(c)
	case leafUnion2:
		c.Skip(8) // properties, member list
		skipNumeric(c)
		skipNumeric(c)
	case leafEnum:
		c.Skip(12)
	default:
		return named{cost: cost}, nil
	}
	return named{c.CString(), cost}, c.Err()
}

// scopeName returns the name of a namespace; "" for another scope.
func (f *File) scopeName(index uint32) (named, error) {
	ids, err := f.ids()
	if err != nil {
		return named{}, err
	}
	r, cost, err := ids.record(index)
	if err != nil || r.kind != leafStringID {
		return named{cost: cost}, err
	}
	r.body.Skip(4) // list of substrings that come before, empty in PDBs
	return named{r.body.CString(), cost}, r.body.Err()
}
