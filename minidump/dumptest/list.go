package dumptest

import "fmt"

// exList writes the header and the entries of a list that carries the sizes of
// its header and its entries. The entries are as long as entrySize says.
func (p *plan) exList(t StreamType, countBytes int, headerSize, entrySize uint32, entries []bytesOf) (int64, int64) {
	var b bytesOf
	b.u32(headerSize)
	b.u32(entrySize)
	b.ptr(countBytes, uint64(len(entries)))
	for i, e := range entries {
		if p.anchors != nil {
			p.mark(p.end+int64(len(b)), "%s[%d]", t, i)
		}
		b = append(b, fit(e, int(entrySize), p.padding)...)
	}
	return p.whole(b)
}

// fit makes an entry as long as its list says that entries are.
func fit(e bytesOf, size int, padding byte) bytesOf {
	if len(e) < size {
		e.fill(size-len(e), padding)
	}
	return e[:size]
}

// plainList writes a list that starts with a bare count.
func (p *plan) plainList(t StreamType, padded bool, entries []bytesOf) (int64, int64) {
	var b bytesOf
	b.u32(uint32(len(entries)))
	if padded {
		b.fill(4, p.padding)
	}
	for i, e := range entries {
		if p.anchors != nil {
			p.mark(p.end+int64(len(b)), "%s[%d]", t, i)
		}
		b = append(b, e...)
	}
	return p.whole(b)
}

// string places a MINIDUMP_STRING.
func (p *plan) string(s, anchor string, args ...any) uint32 {
	name := fmt.Sprintf(anchor, args...)
	p.mark(p.end, "%s", name)
	return p.rva(name, appendString(nil, s))
}
