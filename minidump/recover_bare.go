package minidump

import "encoding/binary"

// bare looks for a list whose header is a count alone, with and without padding
// behind it. check looks at a record, and false ends the look.
func (p *prober) bare(typ StreamType, off, stride int64, begin func() (check func(record []byte) bool, fit *tally)) (candidate, bool) {
	b := p.bytes(off, 4)
	if b == nil {
		return candidate{}, false
	}
	n := uint64(binary.LittleEndian.Uint32(b))
	var best candidate
	ok := false
	for _, header := range []int64{4, 8} {
		// A list of which the file has not even the first record is none.
		if n == 0 || off+header+stride > p.f.size {
			continue
		}
		check, t := begin()
		if !p.sample(off+header, stride, n, func(record []byte) bool { t.looked++; return check(record) }) || !t.ok() {
			continue
		}
		if c, fits := entry(typ, off, uint64(header)+n*uint64(stride), t.of(p.there(off+header, stride, n))); fits && (!ok || c.refs > best.refs) {
			best, ok = c, true
		}
	}
	return best, ok
}

// modules looks for a ModuleList: every module has a name.
func (p *prober) modules(off int64) (candidate, bool) {
	return p.bare(ModuleListStream, off, moduleSize, func() (func([]byte) bool, *tally) {
		var names tally
		check := func(record []byte) bool {
			if !p.maybeModule(record) {
				names.add(wrong)
			} else {
				names.add(p.text(uint64(binary.LittleEndian.Uint32(record[20:]))))
			}
			return names.maybe()
		}
		return check, &names
	})
}

// threadList looks for a ThreadList: registers are references, and so is a stack
// pointer that points into the stack.
func (p *prober) threadList(off int64) (candidate, bool) {
	return p.bare(ThreadListStream, off, threadSize, func() (func([]byte) bool, *tally) {
		var fit tally
		check := func(record []byte) bool {
			t := (&cursor{buf: record}).thread()
			if !p.maybeThread(record) {
				fit.add(wrong)
				return false
			}
			x, v := p.registers(t.ThreadContext)
			fit.add(v)
			if x != nil && x.SP() >= t.Stack.StartOfMemoryRange && x.SP()-t.Stack.StartOfMemoryRange < VA(t.Stack.Memory.DataSize) {
				fit.add(right)
			}
			return fit.maybe()
		}
		return check, &fit
	})
}

// registers says whether registers stand at l, of whatever processor.
func (p *prober) registers(l Location) (*Context, verdict) {
	const enough = 2 << 10 // the longest CONTEXT has 1232 bytes
	switch {
	case l.DataSize == 0, int64(l.RVA) >= p.f.size:
		return nil, nothing
	case l.RVA < headerSize:
		return nil, wrong
	}
	n := min(int64(min(l.DataSize, enough)), p.f.size-int64(l.RVA))
	b := p.copyOf(int64(l.RVA), int(n))
	for _, arch := range []ProcessorArchitecture{ProcessorAMD64, ProcessorX86, ProcessorARM64, ProcessorARM} {
		x, err := DecodeContext(arch, b)
		if err == nil && x.PC != 0 && x.SP() != 0 {
			return x, right
		}
	}
	return nil, wrong
}

// threadNames looks for a ThreadNamesStream, by its names.
func (p *prober) threadNames(off int64) (candidate, bool) {
	return p.bare(ThreadNamesStream, off, 12, func() (func([]byte) bool, *tally) {
		var names tally
		check := func(record []byte) bool {
			if binary.LittleEndian.Uint32(record) == 0 {
				names.add(wrong)
			}
			names.add(p.text(binary.LittleEndian.Uint64(record[4:])))
			return names.maybe()
		}
		return check, &names
	})
}

// memoryList looks for a MemoryList: that the bytes of a range stand behind
// those of another, or behind the list, is a reference.
func (p *prober) memoryList(off int64) (candidate, bool) {
	b := p.bytes(off, 4)
	if b == nil {
		return candidate{}, false
	}
	end := off + 4 + 16*int64(binary.LittleEndian.Uint32(b))
	return p.bare(MemoryListStream, off, 16, func() (func([]byte) bool, *tally) {
		var fit tally
		last := end
		check := func(record []byte) bool {
			d := (&cursor{buf: record}).memoryDescriptor()
			at := int64(d.Memory.RVA)
			switch {
			case !p.maybeRange(record):
				fit.add(wrong)
			case !p.next: // what stands before it is not known
				fit.looked--
			case at >= last && at < last+alignment:
				fit.add(right)
			}
			last = at + int64(d.Memory.DataSize)
			return fit.wrong == 0
		}
		return check, &fit
	})
}

// alignment is how many bytes writers leave at most between what belongs
// together.
const alignment = 64

// memory64 looks for a Memory64List: its bytes stand behind it or reach to the
// end of the file.
func (p *prober) memory64(off int64) (candidate, bool) {
	const header, stride = 16, 16
	le := binary.LittleEndian
	b := p.bytes(off, header)
	if b == nil {
		return candidate{}, false
	}
	n, base := le.Uint64(b), le.Uint64(b[8:])
	if n == 0 || n > 1<<27 {
		return candidate{}, false
	}
	end := uint64(off) + header + n*stride
	refs, last := 0, uint64(0)
	if base >= end && base < end+alignment {
		refs = 2
	}
	ok := p.sample(off+header, stride, n, func(record []byte) bool {
		start, size := le.Uint64(record), le.Uint64(record[8:])
		if start < last || size == 0 || start+size < start {
			return false
		}
		if last != 0 {
			refs++
		}
		last = start + size
		return true
	})
	if !ok || base < end && base+1 < end || refs < 2 {
		return candidate{}, false
	}
	return entry(Memory64ListStream, off, header+n*stride, refs)
}
