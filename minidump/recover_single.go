package minidump

import (
	"bytes"
	"encoding/binary"
)

// system looks for a SystemInfo. The name of a service pack and that of the
// processor's maker are references.
func (p *prober) system(off int64) (candidate, bool) {
	const size = 56
	b := p.copyOf(off, size)
	if len(b) == 0 || !p.maybeSystem(b) {
		return candidate{}, false
	}
	refs := 0
	csd := binary.LittleEndian.Uint32(b[24:])
	switch p.text(uint64(csd)) {
	case right:
		refs = 2
	case wrong:
		return candidate{}, false
	default:
		// Windows writes the empty name of no service pack, too.
		if head := p.bytes(int64(csd), 6); csd != 0 && head != nil && allZero(head) {
			refs = 1
		}
	}
	switch vendor := b[32:44]; {
	case bytes.Equal(vendor, []byte("GenuineIntel")), bytes.Equal(vendor, []byte("AuthenticAMD")):
		refs += 3
	case binary.LittleEndian.Uint32(b[16:]) >= 1000 && refs > 0: // the build of a Windows since 2000
		refs++
	}
	return entry(SystemInfoStream, off, size, refs)
}

// misc looks for a MiscInfo. The names of a time zone and the build of Windows
// are references.
func (p *prober) misc(off int64) (candidate, bool) {
	le := binary.LittleEndian
	head := p.copyOf(off, miscInfo1)
	if len(head) == 0 {
		return candidate{}, false
	}
	size, flags := le.Uint32(head), MiscFlags(le.Uint32(head[4:]))
	known := MiscProcessID | MiscProcessTimes
	switch {
	case size == miscInfo1:
	case size == miscInfo2:
		known |= MiscProcessorPowerInfo
	case size == miscInfo3:
		known |= MiscProcessorPowerInfo | 0xf0
	case size == miscInfo4:
		known |= MiscProcessorPowerInfo | 0x1f0
	case size == miscInfo5, size == miscInfo5+4:
		known |= MiscProcessorPowerInfo | 0x3f0
	default:
		return candidate{}, false
	}
	if flags == 0 || flags&^known != 0 {
		return candidate{}, false
	}
	if p.miscTimes(flags, le.Uint32(head[8:]), le.Uint32(head[12:])) == wrong {
		return candidate{}, false
	}
	refs := 0
	for _, field := range []struct {
		flag   MiscFlags
		off, n int
	}{{MiscTimeZone, 64, 64}, {MiscTimeZone, 148, 64}, {MiscBuildString, miscInfo3, 2 * miscBuildChars}} {
		if flags&field.flag == 0 || int(size) < field.off+field.n {
			continue
		}
		b := p.bytes(off+int64(field.off), field.n)
		text := b
		for i := 0; i+1 < len(b); i += 2 {
			if b[i] == 0 && b[i+1] == 0 {
				text = b[:i]
				break
			}
		}
		switch {
		case len(text) == 0:
		case isText(text):
			refs++
		default:
			return candidate{}, false
		}
	}
	return entry(MiscInfoStream, off, uint64(size), refs)
}

// miscTimes checks the id of a process and the time when it was started, which
// is not after the dump.
func (p *prober) miscTimes(flags MiscFlags, id, created uint32) verdict {
	const years10 = 10 * 365 * 24 * 3600
	v := nothing
	if flags&MiscProcessID != 0 && id == 0 {
		return wrong
	}
	if written := p.f.TimeDateStamp; flags&MiscProcessTimes != 0 && created != 0 && written != 0 {
		if created > written+24*3600 || written-min(created, written) > years10 {
			return wrong
		}
		v = right
	}
	return v
}

// exception looks for an Exception, by its registers; the thread it names is
// another reference.
func (p *prober) exception(off int64) (candidate, bool) {
	const size = exceptionSize
	b := p.copyOf(off, size)
	if len(b) == 0 || !p.maybeException(b) {
		return candidate{}, false
	}
	c := &cursor{buf: b[160:]}
	x, v := p.registers(c.location())
	if v != right {
		return candidate{}, false
	}
	refs := 1
	if at := VA(binary.LittleEndian.Uint64(b[24:])); at == x.PC || uint32(at) == uint32(x.PC) {
		refs = 2
	}
	return entry(ExceptionStream, off, size, refs)
}
