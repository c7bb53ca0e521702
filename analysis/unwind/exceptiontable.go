package unwind

import (
	"encoding/binary"
	"io"
	"sort"

	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/minidump"
)

// An exceptionTable is the exception directory of an image: its functions by
// ascending address, with their unwind data. It is read where a search passes,
// never as a whole.
type exceptionTable struct {
	base  minidump.VA // of the image
	start minidump.VA // of the first entry
	count int
	// machine is what the image is for (IMAGE_FILE_MACHINE_*); a process may have
	// images of processors that are emulated.
	machine uint16
}

// exceptionTables finds the exception directories of modules.
type exceptionTables struct {
	code  CodeReader
	known map[minidump.VA]exceptionTable // by the base of the module
}

// of returns the table of a module. It has no entries if the image has none, or
// if its headers are neither in the dump nor in an image file. entrySize is that
// of the processor, in bytes.
func (t *exceptionTables) of(m *minidump.Module, entrySize int) exceptionTable {
	table, ok := t.known[m.BaseOfImage]
	if ok {
		return table
	}
	table = exceptionTable{base: m.BaseOfImage}
	// An image that is loaded, as far as ReadAt goes: where image files come in,
	// they are read by RVA too.
	img, err := peimage.NewMapped(imageReader{t.code, m.BaseOfImage}, int64(m.SizeOfImage))
	if err == nil {
		table.machine = img.Machine
		rva, size := img.Exceptions()
		size = min(size, m.SizeOfImage)
		table.start, table.count = m.BaseOfImage+minidump.VA(rva), int(size)/entrySize
	}
	if t.known == nil {
		t.known = map[minidump.VA]exceptionTable{}
	}
	t.known[m.BaseOfImage] = table
	return table
}

// An imageReader reads an image from its base.
type imageReader struct {
	code CodeReader
	base minidump.VA
}

func (r imageReader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, io.EOF
	}
	if !readFull(r.code, p, r.base+minidump.VA(off)) {
		return r.code.ReadAt(p, r.base+minidump.VA(off)) // what is there, and why not more
	}
	return len(p), nil
}

// A runtimeFunction is an entry of the table on AMD64 (IMAGE_RUNTIME_FUNCTION_ENTRY,
// 12 bytes). Addresses count from the base of the image.
type runtimeFunction struct {
	begin, end uint32 // end is that of the byte behind
	unwind     uint32 // where the unwind data stands; with bit 0, another entry
}

const runtimeFunctionSize = 12

func (f runtimeFunction) contains(rva uint32) bool { return f.begin <= rva && rva < f.end }

func decodeRuntimeFunction(p []byte) runtimeFunction {
	le := binary.LittleEndian
	return runtimeFunction{le.Uint32(p), le.Uint32(p[4:]), le.Uint32(p[8:])}
}

// find searches the entry of AMD64 that holds rva. readable is false if a part of
// the table that the search needs is missing.
func (t exceptionTable) find(code CodeReader, rva uint32) (f runtimeFunction, found, readable bool) {
	var buf [runtimeFunctionSize]byte
	readable = true
	entry := func(i int) runtimeFunction {
		if !readFull(code, buf[:], t.start+minidump.VA(i)*runtimeFunctionSize) {
			readable = false
			return runtimeFunction{}
		}
		return decodeRuntimeFunction(buf[:])
	}
	i := sort.Search(t.count, func(i int) bool {
		f := entry(i)
		return readable && (f.begin > rva || f == runtimeFunction{}) // linkers fill up with zeros
	})
	if !readable || i == 0 {
		return f, false, readable
	}
	f = entry(i - 1)
	return f, readable && f.contains(rva), readable
}
