package dumptest

import "encoding/binary"

// Patch overwrites bytes of the finished file.
type Patch struct {
	Anchor string // see [Dump.Layout]; "" is the start of the file
	Off    int64  // bytes after the anchor
	Bytes  []byte
	// RVAOf, if not empty, is an anchor; its offset is written as a 32-bit RVA
	// in place of Bytes.
	RVAOf string
}

// PutU32 writes a 32-bit value at off bytes after an anchor.
func PutU32(anchor string, off int64, v uint32) Patch {
	return Patch{Anchor: anchor, Off: off, Bytes: binary.LittleEndian.AppendUint32(nil, v)}
}

// PutU64 writes a 64-bit value at off bytes after an anchor.
func PutU64(anchor string, off int64, v uint64) Patch {
	return Patch{Anchor: anchor, Off: off, Bytes: binary.LittleEndian.AppendUint64(nil, v)}
}

// PointTo writes the RVA of the anchor target at off bytes after an anchor:
// two links that point at each other, a name in the middle of a stream.
func PointTo(anchor string, off int64, target string) Patch {
	return Patch{Anchor: anchor, Off: off, RVAOf: target}
}

// DeclareCount makes a list stream claim n entries. For MemoryInfoList and
// Memory64List, whose counts have 64 bits, the low half is written.
func DeclareCount(t StreamType, n uint32) Patch {
	switch t {
	case HandleDataStream, HandleOperationListStream, ThreadInfoListStream, UnloadedModuleListStream, MemoryInfoListStream:
		return PutU32(t.String(), 8, n)
	case TokenStream:
		return PutU32(t.String(), 4, n)
	case FunctionTableStream:
		return PutU32(t.String(), 16, n)
	}
	return PutU32(t.String(), 0, n)
}

// DeclareHeaderSize makes a list stream that carries its header size
// (HandleData, HandleOperationList, ThreadInfoList, UnloadedModuleList,
// MemoryInfoList) claim another one.
func DeclareHeaderSize(t StreamType, size uint32) Patch { return PutU32(t.String(), 0, size) }

// DeclareEntrySize is DeclareHeaderSize for the size of an entry.
func DeclareEntrySize(t StreamType, size uint32) Patch { return PutU32(t.String(), 4, size) }

// MoveStream makes entry i of the directory point at rva.
func MoveStream(i int, rva uint32) Patch {
	return PutU32("Directory", int64(i)*directoryEntrySize+8, rva)
}

// ResizeStream makes entry i of the directory claim size bytes.
func ResizeStream(i int, size uint32) Patch {
	return PutU32("Directory", int64(i)*directoryEntrySize+4, size)
}

// patch resolves an anchor and checks that the patch lies inside the file.
func (p *plan) patch(patch Patch) {
	off := patch.Off
	if patch.Anchor != "" {
		off += p.anchor(patch.Anchor)
	}
	data := patch.Bytes
	if patch.RVAOf != "" {
		data = binary.LittleEndian.AppendUint32(nil, p.u32("the RVA of "+patch.RVAOf, p.anchor(patch.RVAOf)))
	}
	if off < 0 || off+int64(len(data)) > p.end {
		p.fail("a patch of %d bytes at %#x lies outside the file of %#x bytes", len(data), off, p.end)
		return
	}
	p.patches = append(p.patches, placedPatch{off, data})
}
