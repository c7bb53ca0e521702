package minidump

import (
	"encoding/binary"
	"slices"
	"sort"
)

// cross returns how many references between a candidate and the streams that
// are settled hold.
func (p *prober) cross(c candidate) int {
	refs := 0
	if p.neighbour(c.DirectoryEntry) {
		refs++
	}
	switch c.StreamType {
	case ThreadNamesStream:
		refs += p.knownThreads(int64(c.RVA)+4, 12, 0, c)
	case ThreadInfoListStream:
		refs += p.knownThreads(int64(c.RVA)+12, 64, 0, c)
	case ExceptionStream:
		refs += p.knownThreads(int64(c.RVA), int64(c.DataSize), 0, c)
	}
	return refs
}

// neighbour reports whether a settled stream begins where d ends, or ends where
// it begins.
func (p *prober) neighbour(d DirectoryEntry) bool {
	const gap = 16
	start, end := int64(d.RVA), int64(d.RVA)+int64(d.DataSize)
	return slices.ContainsFunc(p.settled, func(s DirectoryEntry) bool {
		before, after := start-int64(s.RVA)-int64(s.DataSize), int64(s.RVA)-end
		return before >= 0 && before < gap || after >= 0 && after < gap
	})
}

// knownThreads counts records that name a thread of the ThreadList. None at all
// is evidence to the contrary.
func (p *prober) knownThreads(off, stride, field int64, c candidate) int {
	if p.threadIDs(); len(p.threads) == 0 {
		return 0
	}
	n := max((int64(c.DataSize)-(off-int64(c.RVA)))/stride, 0)
	refs := 0
	p.sample(off, stride, uint64(n), func(record []byte) bool {
		if p.threads[binary.LittleEndian.Uint32(record[field:])] {
			refs++
		}
		return true
	})
	if refs == 0 {
		return -c.refs
	}
	return refs
}

// threadIDs reads the ids of the threads once a list of them is settled.
func (p *prober) threadIDs() {
	if p.threads != nil {
		return
	}
	i := slices.IndexFunc(p.settled, func(s DirectoryEntry) bool { return s.StreamType == ThreadListStream })
	if i < 0 {
		return
	}
	list := p.settled[i]
	p.threads = map[uint32]bool{}
	header := int64(list.DataSize) % threadSize // 4, or 8 with padding
	const enough = 1 << 16
	for n := int64(0); n < min(int64(list.DataSize)/threadSize, enough); n++ {
		if b := p.bytes(int64(list.RVA)+header+n*threadSize, 4); b != nil {
			p.threads[binary.LittleEndian.Uint32(b)] = true
		}
	}
}

// besides looks for what has no references of its own next to the streams that
// are settled: short information about the process, empty lists, threads without
// registers, handles without names. strict leaves out what is least sure.
func (p *prober) besides(have map[StreamType]bool, strict bool) []RecoveredStream {
	var more []RecoveredStream
	fresh := map[StreamType]bool{}
	accept := func(c candidate) {
		if !have[c.StreamType] && !fresh[c.StreamType] && !p.overlaps(c.DirectoryEntry) && !p.memory.holds(int64(c.RVA)) {
			fresh[c.StreamType] = true
			more = append(more, RecoveredStream{DirectoryEntry: c.DirectoryEntry, References: 1})
		}
	}
	for gap := range int64(alignment) { // the nearest first
		for _, s := range p.settled {
			start, end := int64(s.RVA), int64(s.RVA)+int64(s.DataSize)
			p.beside(end+gap, gap, strict, accept)
			for _, size := range []int64{miscInfo1, miscInfo2, 56, 16} {
				p.beside(start-gap-size, gap, strict, accept)
			}
		}
	}
	return more
}

// beside looks for such a stream at off, gap bytes from one that is settled. The
// weaker its shape is, the closer it must be.
func (p *prober) beside(off, gap int64, strict bool, accept func(candidate)) {
	if off < headerSize {
		return
	}
	const near = 4
	if c, ok := p.misc(off); ok && (gap < near || p.miscSure(off)) {
		accept(c)
	}
	if c, ok := p.system(off); ok && gap < near {
		accept(c)
	}
	b := p.bytes(off, 16)
	if b == nil || gap >= near {
		return
	}
	le := binary.LittleEndian
	header, stride := le.Uint32(b), le.Uint32(b[4:])
	if header == 16 && (stride == descriptorSize || stride == descriptor2Size || stride == operationSize) {
		probe, t := p.handles, HandleDataStream
		if stride == operationSize {
			probe, t = p.operations, HandleOperationListStream
		}
		if allZero(b[8:]) {
			c, _ := entry(t, off, 16, 1)
			accept(c)
		} else if c, ok := probe(off); ok {
			accept(c)
		}
	}
	if gap == 0 && p.bareThreads(off, strict) {
		if c, ok := p.threadList(off); ok {
			accept(c)
		}
	}
}

// bareThreads reports whether a list of threads without registers stands at off:
// their ids are different, and those of Windows or with a TEB, which begins with
// a page. strict asks that a stack that has a place has bytes, too.
func (p *prober) bareThreads(off int64, strict bool) bool {
	b := p.bytes(off, 4)
	if b == nil {
		return false
	}
	n := uint64(binary.LittleEndian.Uint32(b))
	if n == 0 || n > 1<<12 || off+4+int64(n)*threadSize > p.f.size {
		return false
	}
	ids := map[uint32]bool{}
	return p.sample(off+4, threadSize, n, func(record []byte) bool {
		t := (&cursor{buf: record}).thread()
		again := ids[t.ThreadID]
		ids[t.ThreadID] = true
		return !again && (t.ThreadID%4 == 0 || t.Teb != 0) && t.Teb&0xfff == 0 && t.Teb < 1<<47 &&
			(!strict || t.Stack.StartOfMemoryRange == 0 || t.Stack.Memory.DataSize != 0) && p.maybeThread(record)
	})
}

// miscSure reports whether the times of a MiscInfo fit the dump.
func (p *prober) miscSure(off int64) bool {
	b := p.bytes(off, miscInfo1)
	le := binary.LittleEndian
	return b != nil && p.miscTimes(MiscFlags(le.Uint32(b[4:])), le.Uint32(b[8:]), le.Uint32(b[12:])) == right
}

// captured are the stretches of the file that hold memory of the process.
type captured struct{ starts, ends []int64 }

// add notes the memory of a list that is settled.
func (m *captured) add(p *prober, d DirectoryEntry) {
	f := File{r: p.f.r, size: p.f.size, dir: []DirectoryEntry{d}, taken: map[StreamType]int{d.StreamType: 0}}
	all, _ := f.Memory() // what cannot be read is not there
	if all == nil {
		return
	}
	type stretch struct{ start, end int64 }
	var ranges []stretch
	for i := range m.starts {
		ranges = append(ranges, stretch{m.starts[i], m.ends[i]})
	}
	for _, r := range all.Ranges() {
		ranges = append(ranges, stretch{r.Offset, r.Offset + int64(r.Size)})
	}
	slices.SortFunc(ranges, func(a, b stretch) int { return int(min(max(a.start-b.start, -1), 1)) })
	m.starts, m.ends = nil, nil
	for _, r := range ranges {
		if n := len(m.ends); n > 0 && r.start <= m.ends[n-1] {
			m.ends[n-1] = max(m.ends[n-1], r.end)
			continue
		}
		m.starts, m.ends = append(m.starts, r.start), append(m.ends, r.end)
	}
}

// holds reports whether the byte at off is memory of the process.
func (m *captured) holds(off int64) bool {
	i := sort.Search(len(m.starts), func(i int) bool { return m.starts[i] > off })
	return i > 0 && off < m.ends[i-1]
}
