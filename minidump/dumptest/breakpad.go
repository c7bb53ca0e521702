package dumptest

// BreakpadInfo is an MDRawBreakpadInfo of 12 bytes.
type BreakpadInfo struct {
	Validity           uint32 // 1 the first of the ids, 2 the second; 0 means 3
	DumpThreadID       uint32
	RequestingThreadID uint32
}

func (i *BreakpadInfo) place(p *plan) (int64, int64) {
	var b bytesOf
	b.u32(or(i.Validity, 3))
	b.u32(i.DumpThreadID)
	b.u32(i.RequestingThreadID)
	return p.whole(b)
}

// AssertionInfo is an MDRawAssertionInfo of 776 bytes.
type AssertionInfo struct {
	Expression, Function, File string // at most 128 characters each
	Line                       uint32
	Type                       uint32 // 1 invalid parameter, 2 pure virtual call
}

func (a *AssertionInfo) place(p *plan) (int64, int64) {
	var b bytesOf
	b.fixed(a.Expression, 128)
	b.fixed(a.Function, 128)
	b.fixed(a.File, 128)
	b.u32(a.Line)
	b.u32(a.Type)
	return p.whole(b)
}

// AuxvEntry is an entry of the auxiliary vector of Linux.
type AuxvEntry struct{ Type, Value uint64 }

func placeAuxv(p *plan, entries []AuxvEntry) (int64, int64) {
	var b bytesOf
	for _, e := range append(entries[:len(entries):len(entries)], AuxvEntry{}) {
		b.ptr(p.ptr, e.Type)
		b.ptr(p.ptr, e.Value)
	}
	return p.whole(b)
}

// LinuxDSODebug is an MDRawDebug32 or MDRawDebug64, by the size of a pointer,
// with its list of shared objects.
type LinuxDSODebug struct {
	Version              uint32
	Brk, LDBase, Dynamic uint64
	Links                []LinuxLink
	DynamicSection       []byte // whole pairs of pointers
	Aligned              bool   // pointers stand at multiples of 8, as in old dumps
}

// LinuxLink is an MDRawLinkMap32 or MDRawLinkMap64.
type LinuxLink struct {
	Addr, LD uint64
	Name     string
}

func (d *LinuxDSODebug) place(p *plan) (int64, int64) {
	gap := 0
	if d.Aligned && p.ptr == 8 {
		gap = 4
	}
	var links bytesOf
	for i, l := range d.Links {
		rva := p.string(l.Name, "LinuxDsoDebug.Map[%d].Name", i)
		links.ptr(p.ptr, l.Addr)
		links.u32(rva)
		links.fill(gap, p.padding)
		links.ptr(p.ptr, l.LD)
	}
	p.mark(p.end, "LinuxDsoDebug.Map")
	at := p.rva("the shared objects", links)
	var b bytesOf
	b.u32(d.Version)
	b.u32(at)
	b.u32(uint32(len(d.Links)))
	b.fill(gap, p.padding)
	b.ptr(p.ptr, d.Brk)
	b.ptr(p.ptr, d.LDBase)
	b.ptr(p.ptr, d.Dynamic)
	return p.whole(append(b, d.DynamicSection...))
}
