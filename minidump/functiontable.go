package minidump

import (
	"fmt"
	"io"
	"iter"
	"sort"
	"sync"
)

// FunctionTables are the unwind data that a process has registered for code
// that it made while it ran, as a JIT compiler does: RtlAddFunctionTable and its
// relatives (MINIDUMP_FUNCTION_TABLE_STREAM). The code of modules brings its
// own, which is in their images.
type FunctionTables struct {
	SizeOfHeader           uint32 // bytes, as all sizes here
	SizeOfDescriptor       uint32
	SizeOfNativeDescriptor uint32
	SizeOfFunctionEntry    uint32 // 12 for AMD64, 8 for ARM64: RUNTIME_FUNCTION
	NumberOfDescriptors    uint32 // as declared; the file may hold fewer
	SizeOfAlignPad         uint32 // bytes behind the header

	f     *File
	first int64 // file offset of the first descriptor
	end   int64 // of the stream, or of the file if that is cut off

	once  sync.Once
	spans []MemoryRange // of the tables by ascending address; Offset is that of the descriptor
	index memoryIndex
}

// A FunctionTable is the unwind data of one stretch of code
// (MINIDUMP_FUNCTION_TABLE_DESCRIPTOR, 32 bytes).
type FunctionTable struct {
	MinimumAddress VA // of the code that it is about
	MaximumAddress VA // behind the last byte of it
	BaseAddress    VA // what the addresses in the entries are relative to
	EntryCount     uint32

	// Native is the descriptor of the system that was dumped, whose layout
	// depends on the version of Windows.
	Native *io.SectionReader

	// Entries are EntryCount entries of SizeOfFunctionEntry bytes each, as the
	// processor has them (RUNTIME_FUNCTION). They are as many bytes as the file
	// holds of them, and the format does not say that they are in order.
	Entries *io.SectionReader
}

const functionTableSize = 32

// FunctionTables reads the header of the FunctionTableStream. The error wraps
// [ErrNoStream] if the dump has none, as that of a process without such code.
func (f *File) FunctionTables() (*FunctionTables, error) {
	const t = FunctionTableStream
	c, d, err := f.loadStream(t, 24)
	if err != nil {
		return nil, err
	}
	l := &FunctionTables{
		SizeOfHeader: c.u32(), SizeOfDescriptor: c.u32(), SizeOfNativeDescriptor: c.u32(), SizeOfFunctionEntry: c.u32(),
		NumberOfDescriptors: c.u32(), SizeOfAlignPad: c.u32(),
		f: f, end: min(int64(d.RVA)+int64(d.DataSize), f.size),
	}
	switch {
	case c.err != nil:
		return nil, c.err
	case l.SizeOfHeader < leasts[t].size:
		return nil, formatErrorf(t, c.off, "header of %d bytes; %d is the least", l.SizeOfHeader, leasts[t].size)
	case l.SizeOfDescriptor < functionTableSize:
		return nil, formatErrorf(t, c.off+4, "descriptors of %d bytes; %d is the least", l.SizeOfDescriptor, functionTableSize)
	}
	l.first = int64(d.RVA) + int64(l.SizeOfHeader) + int64(l.SizeOfAlignPad)
	return l, nil
}

// Len returns how many of the declared tables are in the file, with an error if
// that is not all of them. It reads all descriptors, since each stands behind
// the entries of the one before. All makes just so many steps.
func (l *FunctionTables) Len() (int, error) {
	n := 0
	for range l.All() {
		n++
	}
	if uint64(n) < uint64(l.NumberOfDescriptors) {
		return n, formatErrorf(FunctionTableStream, l.end, "%d function tables declared, but the stream ends after %d", l.NumberOfDescriptors, n)
	}
	return n, nil
}

// All iterates over the tables in the order of the file. The error of a step
// says that not all of the entries are in the file. A descriptor that cannot be
// read is the last step: the table is zero, and the error wraps
// [ErrUnreadable]. The pointer is never nil.
func (l *FunctionTables) All() iter.Seq2[*FunctionTable, error] {
	return func(yield func(*FunctionTable, error) bool) {
		l.each(func(_ int64, t *FunctionTable, err error) bool { return yield(t, err) })
	}
}

func (l *FunctionTables) each(do func(off int64, t *FunctionTable, err error) bool) {
	w := newWindows(l.f.r, l.f.size)
	off := l.first
	for range l.NumberOfDescriptors {
		if off > l.end-functionTableSize {
			return
		}
		t, next, err := l.read(w, off)
		if !do(off, t, err) || next < 0 {
			return
		}
		off = next
	}
}

// read decodes the table at off, where there is room for its descriptor. next
// is where the one behind it begins, or -1 if that is not known.
func (l *FunctionTables) read(w *windows, off int64) (t *FunctionTable, next int64, err error) {
	p, err := w.at(off, functionTableSize)
	if err != nil {
		return &FunctionTable{}, -1, &FormatError{Stream: FunctionTableStream, Off: off, Msg: "reading a function table",
			Err: fmt.Errorf("%w: %w", ErrUnreadable, err)}
	}
	c := cursor{buf: p}
	t = &FunctionTable{MinimumAddress: c.va(), MaximumAddress: c.va(), BaseAddress: c.va(), EntryCount: c.u32()}
	pad := c.u32()
	native := off + int64(l.SizeOfDescriptor)
	entries := native + int64(l.SizeOfNativeDescriptor)
	// The product of two numbers of 32 bits fits into 64 without a sign.
	size := uint64(t.EntryCount) * uint64(l.SizeOfFunctionEntry)
	there := uint64(max(l.end-entries, 0))
	t.Native = io.NewSectionReader(l.f.r, native, min(int64(l.SizeOfNativeDescriptor), max(l.end-native, 0)))
	t.Entries = io.NewSectionReader(l.f.r, entries, int64(min(size, there)))
	if size > there || native > l.end {
		return t, l.end, formatErrorf(FunctionTableStream, off, "%d function entries of %d bytes declared, but the stream ends after %d bytes of them",
			t.EntryCount, l.SizeOfFunctionEntry, there)
	}
	return t, entries + int64(size) + int64(pad), nil
}

// Find returns the table of the code at an address, or nil if there is none.
// The first call reads all descriptors. It is safe for concurrent use.
func (l *FunctionTables) Find(va VA) *FunctionTable {
	l.once.Do(func() {
		l.each(func(off int64, t *FunctionTable, _ error) bool {
			if t.MaximumAddress > t.MinimumAddress {
				l.spans = append(l.spans, MemoryRange{Start: t.MinimumAddress, Size: uint64(t.MaximumAddress - t.MinimumAddress), Offset: off})
			}
			return true
		})
		sort.SliceStable(l.spans, func(i, j int) bool { return l.spans[i].Start < l.spans[j].Start })
		l.index = newMemoryIndex(l.spans)
	})
	i := l.index.find(va)
	if i < 0 {
		return nil
	}
	t, _, _ := l.read(newWindows(l.f.r, l.f.size), l.spans[i].Offset)
	if t.Entries == nil { // what could be read before cannot be read now
		return nil
	}
	return t
}
