package analysis

import (
	"encoding/binary"

	"github.com/dumpscan/dumpscan/analysis/internal/extsort"
	"github.com/dumpscan/dumpscan/minidump"
)

// newHandleSorter returns a sorter of handles. What it needs beside some
// megabytes of memory is a temporary file, of about the size of the listing.
func newHandleSorter(by *handleOrder, limit uint64) *extsort.Sorter[minidump.Handle] {
	return extsort.New(extsort.Values[minidump.Handle]{
		Compare: by.compare, Size: handleMemory, Append: appendHandle, Decode: decodeHandle,
	}, limit, extsort.Memory)
}

// handleMemory is how many bytes of memory a handle takes, about.
func handleMemory(h *minidump.Handle) int {
	const itself, link = 104, 40
	n := itself + len(h.TypeName) + len(h.ObjectName)
	for i := range h.ObjectInfo {
		n += link + len(h.ObjectInfo[i].Data)
	}
	return n
}

// appendHandle appends all that is known of a handle.
func appendHandle(b []byte, h *minidump.Handle) []byte {
	b = binary.AppendUvarint(b, h.Handle)
	for _, n := range [...]uint32{h.Attributes, h.GrantedAccess, h.HandleCount, h.PointerCount} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	for _, s := range [...]string{h.TypeName, h.ObjectName} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	for i := range h.ObjectInfo {
		o := &h.ObjectInfo[i]
		b = binary.AppendUvarint(b, uint64(o.InfoType))
		b = append(binary.AppendUvarint(b, uint64(len(o.Data))), o.Data...)
	}
	return b
}

// decodeHandle is the reverse of appendHandle.
func decodeHandle(b []byte, h *minidump.Handle) bool {
	ok := true
	number := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			ok, b = false, nil
			return 0
		}
		b = b[n:]
		return v
	}
	bytes := func() []byte {
		n := number()
		if n > uint64(len(b)) {
			ok, b = false, nil
			return nil
		}
		p := b[:n]
		b = b[n:]
		return p
	}
	h.Handle = number()
	for _, n := range [...]*uint32{&h.Attributes, &h.GrantedAccess, &h.HandleCount, &h.PointerCount} {
		*n = uint32(number())
	}
	h.TypeName, h.ObjectName = string(bytes()), string(bytes())
	for len(b) > 0 {
		o := minidump.ObjectInformation{InfoType: minidump.ObjectInfoType(number())}
		o.Data = append([]byte(nil), bytes()...)
		h.ObjectInfo = append(h.ObjectInfo, o)
	}
	return ok
}
