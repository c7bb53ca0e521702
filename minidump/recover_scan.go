package minidump

import "encoding/binary"

const (
	scanWindow = 1 << 20
	// scanHead is how much of a stream is in memory when it is first looked at:
	// an exception, which is longer than a list with its first record.
	scanHead = exceptionSize
)

// scan reads the file once and remembers what looks like a stream.
func (p *prober) scan() {
	buf := make([]byte, scanWindow+scanHead)
	for off := int64(0); off < p.f.size && p.ctx.Err() == nil; off += scanWindow {
		n := int(min(p.f.size-off, int64(len(buf))))
		block := buf[:n]
		if _, err := readFullAt(p.f.r, block, off); err != nil {
			for _, g := range p.f.readPieces(block, off) {
				clear(block[g.start-off : g.end-off])
			}
		}
		clear(buf[n:]) // behind the end of the file
		p.scanBlock(buf, min(n, scanWindow), off)
	}
}

// scanBlock looks at the first n bytes of b, which stand at off.
func (p *prober) scanBlock(b []byte, n int, off int64) {
	le := binary.LittleEndian
	for i := 0; i < n; i++ {
		v := le.Uint32(b[i:])
		// Nearly all of a file fails here: every stream begins with a small number.
		if v == 0 && le.Uint32(b[i+4:]) == 0 || v > 1<<28 && v != signature {
			continue
		}
		p.look(v, b[i:i+scanHead], off+int64(i))
	}
}

// look asks the probes of those streams that may begin with b, whose first
// number is v.
func (p *prober) look(v uint32, b []byte, off int64) {
	le := binary.LittleEndian
	second, third := le.Uint32(b[4:]), le.Uint32(b[8:])
	switch {
	case v == signature && uint16(second) == version && p.begin == 0:
		p.begin = off
	case v == 16 && third != 0:
		p.try(second == descriptorSize || second == descriptor2Size, HandleDataStream, off)
		p.try(second == operationSize, HandleOperationListStream, off)
		p.try(second == 48, MemoryInfoListStream, off)
	case v == 12 && third != 0:
		p.try(second == 64, ThreadInfoListStream, off)
		p.try(second == 24, UnloadedModuleListStream, off)
	}
	if v != 0 && v <= 1<<20 {
		p.try(p.maybeModule(b[4:]) || p.maybeModule(b[8:]), ModuleListStream, off)
		p.try(p.maybeThread(b[4:]) && knows(b[4:]) || p.maybeThread(b[8:]) && knows(b[8:]), ThreadListStream, off)
		p.try(p.maybeRange(b[4:]) || p.maybeRange(b[8:]), MemoryListStream, off)
		p.try(second != 0 && le.Uint32(b[12:]) == 0 && p.inFile(third), ThreadNamesStream, off)
		p.try(second == 0 && p.maybeRange64(b, off), Memory64ListStream, off)
	}
	// Shorter information about a process looks like nothing in particular, and is
	// looked for beside other streams. The last is Crashpad's.
	p.try(v == miscInfo3 || v == miscInfo4 || v == miscInfo5 || v == miscInfo5+4, MiscInfoStream, off)
	p.try(p.maybeSystem(b), SystemInfoStream, off)
	p.try(p.maybeException(b), ExceptionStream, off)
}

// try asks the probe of a type, unless the type has looked at enough places.
func (p *prober) try(may bool, t StreamType, off int64) {
	if !may || p.ctx.Err() != nil { // in a hostile file each look is expensive
		return
	}
	p.budget = p.allowance - p.spent[t]
	before := p.budget
	if c, ok := p.probes[t](off); ok && c.refs > 0 {
		p.note(c)
	}
	p.spent[t] += before - p.budget
}

// The functions below look at bytes in memory alone, so that hardly a place in a
// file costs more.

// inFile reports whether an RVA leads into the file, behind its header.
func (p *prober) inFile(rva uint32) bool { return rva >= headerSize && int64(rva) < p.f.size }

func (p *prober) maybeModule(b []byte) bool {
	le := binary.LittleEndian
	base, sig := le.Uint64(b), le.Uint32(b[24:])
	return base != 0 && base&0xfff == 0 && base < 1<<56 && le.Uint32(b[8:]) != 0 && p.inFile(le.Uint32(b[20:])) &&
		(sig == 0 || sig == 0xfeef04bd)
}

func (p *prober) maybeThread(b []byte) bool {
	le := binary.LittleEndian
	priority := int32(le.Uint32(b[12:]))
	context := le.Uint32(b[40:])
	if le.Uint32(b) == 0 || le.Uint32(b[4:]) > 1<<16 && le.Uint32(b[4:]) != 0xffffffff || priority < -128 || priority > 128 {
		return false
	}
	switch PriorityClass(le.Uint32(b[8:])) {
	case 0, 0x20, 0x40, 0x80, 0x100, 0x4000, 0x8000:
	default:
		return false
	}
	return context == 0 || context >= 300 && context <= maxContext && le.Uint32(b[44:]) >= headerSize
}

// knows reports whether a thread has more than an id: registers or a TEB.
func knows(thread []byte) bool {
	le := binary.LittleEndian
	teb := le.Uint64(thread[16:])
	return le.Uint32(thread[40:]) != 0 || teb != 0 && teb&0xfff == 0 && teb < 1<<48
}

// maybeRange looks at the descriptor of a range in a list of memory.
func (p *prober) maybeRange(b []byte) bool {
	le := binary.LittleEndian
	size, rva := int64(le.Uint32(b[8:])), int64(le.Uint32(b[12:]))
	return le.Uint64(b) != 0 && size > 0 && rva >= headerSize && rva < p.f.size && (rva+size <= p.f.size || size < 1<<30)
}

// maybeRange64 looks at a list of memory with its first descriptor.
func (p *prober) maybeRange64(b []byte, off int64) bool {
	le := binary.LittleEndian
	base, size := le.Uint64(b[8:]), le.Uint64(b[24:])
	return base > uint64(off) && base < uint64(p.f.size) && le.Uint64(b[16:])&0xfff == 0 && size != 0 && size&0xfff == 0 && size < 1<<48
}

func (p *prober) maybeSystem(b []byte) bool {
	le := binary.LittleEndian
	arch := ProcessorArchitecture(le.Uint16(b))
	if arch > ProcessorARM64 && (arch < 0x8001 || arch > 0x8004) {
		return false
	}
	platform := PlatformID(le.Uint32(b[20:]))
	return b[6] != 0 && b[7] <= 3 && le.Uint32(b[8:]) < 1<<10 && le.Uint32(b[12:]) < 1<<12 && le.Uint32(b[16:]) < 1<<20 &&
		(platform == PlatformWindowsNT || platform == 1 || platform >= 0x8000 && platform < 0x8300) &&
		(le.Uint32(b[24:]) == 0 || p.inFile(le.Uint32(b[24:]))) &&
		processors[arch].name != "" && platforms[platform] != ""
}

func (p *prober) maybeException(b []byte) bool {
	le := binary.LittleEndian
	return le.Uint32(b) != 0 && le.Uint32(b[4:]) == 0 && le.Uint32(b[8:]) != 0 && le.Uint32(b[32:]) <= maxExceptionParameters &&
		le.Uint32(b[160:]) >= 300 && le.Uint32(b[160:]) <= maxContext && p.inFile(le.Uint32(b[164:]))
}
