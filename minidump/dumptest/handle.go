package dumptest

import (
	"bufio"
	"iter"
	"slices"
)

// Handle is a MINIDUMP_HANDLE_DESCRIPTOR with what it points at.
type Handle struct {
	Value         uint64
	Type          string // "" means none (RVA 0)
	Name          string // "" means none (RVA 0); see EmptyName
	Attributes    uint32 // OBJ_*
	GrantedAccess uint32
	// HandleCount 0 on a handle that has a type means what the writer of the
	// style shows at least: 2 for dbghelp, which counts its own duplicate, and 1
	// for crashpad. PointerCount 0 then means one more than HandleCount.
	HandleCount  uint32
	PointerCount uint32
	Info         []ObjectInformation // in the order of the chain
	Chain        ChainOrder
	EmptyName    bool   // a name that is there and has no characters
	Extra        []byte // what follows the known fields in larger descriptors
}

// HandleStyle says whose habits a handle stream follows.
type HandleStyle int

const (
	// DbgHelp writes, handle by handle, type name, object name and object
	// information, then the stream with 40-byte descriptors behind all of them.
	// Nothing is shared and nothing is aligned.
	DbgHelp HandleStyle = iota
	// Crashpad writes the stream with 32-byte descriptors first and one string
	// for each type behind it. Names are written if given, though crashpad has
	// none.
	Crashpad
)

// HandleData is a MINIDUMP_HANDLE_DATA_STREAM.
type HandleData struct {
	Handles []Handle
	// Each is used when Handles is nil. It is ranged several times and must give
	// the same handles each time; none of them is kept.
	Each  iter.Seq[Handle]
	Style HandleStyle
	// DescriptorSize is the real distance between descriptors; 0 means 40, or 32
	// in the style of crashpad. Fields that do not fit are not written.
	DescriptorSize int
	HeaderSize     int // 0 means 16
	// PointerSize of the program that wrote the dump, for object information;
	// 0 means that of the dump.
	PointerSize int
}

// GenerateHandles is an iterator for [HandleData.Each] over n handles.
func GenerateHandles(n int, handle func(i int) Handle) iter.Seq[Handle] {
	return func(yield func(Handle) bool) {
		for i := range n {
			if !yield(handle(i)) {
				return
			}
		}
	}
}

// handleLayout is where everything of a handle stream lies.
type handleLayout struct {
	each       iter.Seq[Handle]
	count      int64
	header     int
	descriptor int
	ptr        int
	padding    byte
	standard   uint32 // HandleCount of a handle that gives none
	streamOff  int64
	auxOff     int64            // names and information, handle by handle
	shared     map[string]int64 // RVAs of shared type names; nil when none are
}

func (h *HandleData) place(p *plan) (int64, int64) {
	l := handleLayout{
		each:       h.Each,
		header:     or(h.HeaderSize, 16),
		descriptor: or(h.DescriptorSize, 40),
		ptr:        or(h.PointerSize, p.ptr),
		padding:    p.padding,
		standard:   2,
	}
	if h.Handles != nil || h.Each == nil {
		l.each = slices.Values(h.Handles)
	}
	if h.Style == Crashpad {
		l.descriptor = or(h.DescriptorSize, 32)
		l.standard = 1
		l.shared = map[string]int64{}
	}

	var types []byte
	aux := int64(0)
	for handle := range l.each {
		l.count++
		if _, known := l.shared[handle.Type]; l.shared != nil && handle.Type != "" && !known {
			l.shared[handle.Type] = int64(len(types))
			types = appendString(types, handle.Type)
		}
		aux += l.auxSize(&handle)
	}
	size := int64(l.header) + l.count*int64(l.descriptor)
	if h.Style == Crashpad {
		l.streamOff = p.end
		l.auxOff = p.end + size + int64(len(types))
		for name := range l.shared {
			l.shared[name] += p.end + size
		}
		p.generate(size, l.writeStream)
		p.put(types)
		p.generate(aux, l.writeAux)
	} else {
		l.auxOff = p.end
		l.streamOff = p.end + aux
		p.generate(aux, l.writeAux)
		p.generate(size, l.writeStream)
	}
	p.u32("the end of the handle data", p.end)
	if p.anchors != nil {
		l.mark(p)
	}
	return l.streamOff, size
}

// auxSize is the number of bytes that one handle has outside its descriptor.
func (l *handleLayout) auxSize(h *Handle) int64 {
	n := int64(0)
	if h.Type != "" && l.shared == nil {
		n += stringSize(h.Type)
	}
	if h.Name != "" || h.EmptyName {
		n += stringSize(h.Name)
	}
	for _, info := range h.Info {
		n += infoHeaderSize + int64(len(info.payload(l.ptr, l.padding)))
	}
	return n
}

// handleRVAs is what one descriptor points at.
type handleRVAs struct{ typeName, objectName, objectInfo int64 }

// appendAux appends what h has outside its descriptor, which starts at off.
func (l *handleLayout) appendAux(b []byte, h *Handle, off int64, marked func(link int, off int64)) ([]byte, handleRVAs) {
	var rvas handleRVAs
	start := len(b)
	here := func() int64 { return off + int64(len(b)-start) }
	if h.Type != "" {
		rvas.typeName = l.shared[h.Type]
		if l.shared == nil {
			rvas.typeName = here()
			b = appendString(b, h.Type)
		}
	}
	if h.Name != "" || h.EmptyName {
		rvas.objectName = here()
		b = appendString(b, h.Name)
	}
	if len(h.Info) > 0 {
		b, rvas.objectInfo = h.chain(b, here(), l.ptr, l.padding, marked)
	}
	return b, rvas
}

func (l *handleLayout) writeAux(w *bufio.Writer) error {
	off := l.auxOff
	var b []byte
	for h := range l.each {
		b, _ = l.appendAux(b[:0], &h, off, nil)
		off += int64(len(b))
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func (l *handleLayout) writeStream(w *bufio.Writer) error {
	var b bytesOf
	b.u32(uint32(l.header))
	b.u32(uint32(l.descriptor))
	b.u32(uint32(l.count))
	b.u32(0) // Reserved
	if _, err := w.Write(fit(b, l.header, l.padding)); err != nil {
		return err
	}
	off := l.auxOff
	var aux []byte
	for h := range l.each {
		var rvas handleRVAs
		aux, rvas = l.appendAux(aux[:0], &h, off, nil)
		off += int64(len(aux))
		b = b[:0]
		l.appendDescriptor(&b, &h, rvas)
		if _, err := w.Write(fit(b, l.descriptor, l.padding)); err != nil {
			return err
		}
	}
	return nil
}

func (l *handleLayout) appendDescriptor(b *bytesOf, h *Handle, rvas handleRVAs) {
	handles, pointers := h.HandleCount, h.PointerCount
	if h.Type != "" && handles == 0 {
		handles = l.standard
		pointers = or(pointers, handles+1)
	}
	b.u64(h.Value)
	b.u32(uint32(rvas.typeName))
	b.u32(uint32(rvas.objectName))
	b.u32(h.Attributes)
	b.u32(h.GrantedAccess)
	b.u32(handles)
	b.u32(pointers)
	if l.descriptor >= 40 {
		b.u32(uint32(rvas.objectInfo))
		b.u32(0) // Reserved0
	}
	*b = append(*b, h.Extra...)
}

// mark names every descriptor and what it points at.
func (l *handleLayout) mark(p *plan) {
	off := l.auxOff
	i := 0
	for h := range l.each {
		p.mark(l.streamOff+int64(l.header+i*l.descriptor), "HandleData[%d]", i)
		aux, rvas := l.appendAux(nil, &h, off, func(link int, off int64) {
			p.mark(off, "HandleData[%d].ObjectInfo[%d]", i, link)
		})
		if rvas.typeName != 0 {
			p.mark(rvas.typeName, "HandleData[%d].TypeName", i)
		}
		if rvas.objectName != 0 {
			p.mark(rvas.objectName, "HandleData[%d].ObjectName", i)
		}
		off += int64(len(aux))
		i++
	}
}
