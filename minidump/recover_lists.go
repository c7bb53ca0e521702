package minidump

import "encoding/binary"

// head reads the header of a list that names its own size and that of a record.
func (p *prober) head(off int64, header, stride uint32) (n uint64, ok bool) {
	b := p.bytes(off, int(header))
	if b == nil || binary.LittleEndian.Uint32(b) != header || binary.LittleEndian.Uint32(b[4:]) != stride {
		return 0, false
	}
	return uint64(binary.LittleEndian.Uint32(b[8:])), true
}

// handles looks for a HandleData: its types and names are references.
func (p *prober) handles(off int64) (candidate, bool) {
	const header = 16
	le := binary.LittleEndian
	stride := uint32(descriptorSize)
	n, ok := p.head(off, header, stride)
	if !ok {
		stride = descriptor2Size
		if n, ok = p.head(off, header, stride); !ok {
			return candidate{}, false
		}
	}
	var names tally
	ordered, last := 0, uint64(0)
	ok = p.sample(off+header, int64(stride), n, func(record []byte) bool {
		names.looked++
		value := le.Uint64(record)
		if value > last && value%4 == 0 && value < 1<<32 {
			ordered++
		}
		last = value
		names.add(p.text(uint64(le.Uint32(record[8:]))))
		names.add(p.text(uint64(le.Uint32(record[12:]))))
		return names.maybe()
	})
	if !ok || !names.ok() {
		return candidate{}, false
	}
	refs := names.of(p.there(off+header, int64(stride), n))
	if refs == 0 && ordered >= 8 { // handles without names are in order at least
		refs = ordered / 8
	}
	return entry(HandleDataStream, off, header+n*uint64(stride), refs)
}

// operations looks for a HandleOperationList: its records are checked by their
// kinds, and that a stack has as many addresses as it says.
func (p *prober) operations(off int64) (candidate, bool) {
	const header = 16
	le := binary.LittleEndian
	n, ok := p.head(off, header, operationSize)
	if !ok {
		return candidate{}, false
	}
	var fit tally
	ok = p.sample(off+header, operationSize, n, func(record []byte) bool {
		fit.looked++
		kind, depth := le.Uint32(record[16:]), le.Uint32(record[24:])
		switch {
		case kind == 0 && allZero(record):
		case kind >= 1 && kind <= 3 && depth <= MaxTraces && le.Uint64(record) != 0:
			fit.add(right)
		default:
			fit.add(wrong)
		}
		return fit.maybe()
	})
	if !ok || !fit.ok() {
		return candidate{}, false
	}
	return entry(HandleOperationListStream, off, header+n*operationSize, fit.of(p.there(off+header, operationSize, n)))
}

// threadInfos looks for a ThreadInfoList, by times that may be.
func (p *prober) threadInfos(off int64) (candidate, bool) {
	const header, stride = 12, 64
	le := binary.LittleEndian
	n, ok := p.head(off, header, stride)
	if !ok {
		return candidate{}, false
	}
	const year1990, year2100 = 0x01b_25f6_0000_0000, 0x0230_0000_0000_0000
	var fit tally
	ok = p.sample(off+header, stride, n, func(record []byte) bool {
		fit.looked++
		created := le.Uint64(record[16:])
		switch {
		case le.Uint32(record) == 0 || le.Uint32(record[4:]) >= 0x40 || created != 0 && (created < year1990 || created > year2100):
			fit.add(wrong)
		default:
			fit.add(right)
		}
		return fit.maybe()
	})
	if !ok || !fit.ok() {
		return candidate{}, false
	}
	return entry(ThreadInfoListStream, off, header+n*stride, fit.of(p.there(off+header, stride, n)))
}

// unloaded looks for an UnloadedModuleList, by names.
func (p *prober) unloaded(off int64) (candidate, bool) {
	const header, stride = 12, 24
	le := binary.LittleEndian
	n, ok := p.head(off, header, stride)
	if !ok {
		return candidate{}, false
	}
	var names tally
	ok = p.sample(off+header, stride, n, func(record []byte) bool {
		names.looked++
		if le.Uint64(record)&0xfff != 0 {
			names.add(wrong)
		}
		names.add(p.text(uint64(le.Uint32(record[20:]))))
		return names.maybe()
	})
	if !ok || !names.ok() {
		return candidate{}, false
	}
	return entry(UnloadedModuleListStream, off, header+n*stride, names.of(p.there(off+header, stride, n)))
}

// memoryInfos looks for a MemoryInfoList, by the states that memory has.
func (p *prober) memoryInfos(off int64) (candidate, bool) {
	const header, stride = 16, 48
	le := binary.LittleEndian
	n, ok := p.head(off, header, stride)
	if !ok {
		return candidate{}, false
	}
	if b := p.bytes(off+12, 4); b == nil || !allZero(b) { // the count has 64 bits
		return candidate{}, false
	}
	var fit tally
	ok = p.sample(off+header, stride, n, func(record []byte) bool {
		fit.looked++
		state := MemoryState(le.Uint32(record[32:]))
		if (state == 0x1000 || state == 0x2000 || state == 0x10000) && le.Uint64(record[24:]) != 0 && le.Uint64(record)&0xfff == 0 {
			fit.add(right)
		} else {
			fit.add(wrong)
		}
		return fit.maybe()
	})
	if !ok || !fit.ok() {
		return candidate{}, false
	}
	return entry(MemoryInfoListStream, off, header+n*stride, fit.of(p.there(off+header, stride, n)))
}
