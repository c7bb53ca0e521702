package minidump

import (
	"encoding/binary"
	"iter"
)

// A Handle is one open handle of the process and the object behind it
// (MINIDUMP_HANDLE_DESCRIPTOR and _2, 32 and 40 bytes).
//
// The counts are those of the object, not of the handle. A writer that
// duplicates each handle to look at it (dbghelp, dbgcore) counts its own
// duplicate too, and since Windows 8 PointerCount is raised by references
// that the kernel keeps in stock: neither is a sign of a leak.
type Handle struct {
	Handle        uint64              // the value, a multiple of 4; the format does not exclude 0
	TypeName      string              // "Key", "Event", ...; "" if the dump has none
	ObjectName    string              // see [DecodeUTF16]; "" for an object without name, or if the dump has none
	Attributes    uint32              // OBJ_*
	GrantedAccess uint32              // access mask
	HandleCount   uint32              // handles to the object, of all processes
	PointerCount  uint32              // references to the object, handles included
	ObjectInfo    []ObjectInformation // at most 64 links, in the order of their chain; nil if the dump has none
}

// HandleParts chooses what [HandleData.Only] reads beside the descriptor
// itself.
type HandleParts uint8

// The parts of a handle that lie outside its descriptor.
const (
	HandleTypeName HandleParts = 1 << iota
	HandleObjectName
	HandleObjectInfo

	HandleAllParts = HandleTypeName | HandleObjectName | HandleObjectInfo
)

// HandleData is the list of handles (MINIDUMP_HANDLE_DATA_STREAM).
type HandleData struct {
	SizeOfHeader        uint32 // bytes, as declared
	SizeOfDescriptor    uint32 // bytes, as declared: 32, or 40 with object information
	NumberOfDescriptors uint32 // as declared; the file may hold fewer

	f     *File
	table table
}

const (
	descriptorSize  = 32
	descriptor2Size = 40
)

// HandleData reads the header of the HandleDataStream. The error wraps
// [ErrNoStream] if the dump was written without handles. If the file ends before
// the header does, it says how many handles the stream has room for.
//
// Sizes of header and descriptors that cannot be are not believed: the handles
// are read in the layout of Windows that fits the stream, and Len has an error
// that says so.
func (f *File) HandleData() (*HandleData, error) {
	c, d, err := f.loadStream(HandleDataStream, handleHeaderSize)
	if err != nil {
		return nil, f.lostHandles(d, err)
	}
	h := &HandleData{SizeOfHeader: c.u32(), SizeOfDescriptor: c.u32(), NumberOfDescriptors: c.u32(), f: f}
	if c.err != nil {
		return nil, f.lostHandles(d, c.err)
	}
	header, stride := h.layout(int64(d.DataSize))
	h.table = newTable(d, header, int64(stride), uint64(h.NumberOfDescriptors), "handle descriptors")
	if h.NumberOfDescriptors > 0 && (header != h.SizeOfHeader || stride != h.SizeOfDescriptor) {
		h.table.doubt = formatErrorf(HandleDataStream, int64(d.RVA),
			"a header of %d bytes and handle descriptors of %d bytes declared, which cannot be in a stream of %d bytes: read as %d and %d",
			h.SizeOfHeader, h.SizeOfDescriptor, d.DataSize, header, stride)
	}
	return h, nil
}

// HasObjectInfo reports whether descriptors have room for object information.
func (d *HandleData) HasObjectInfo() bool { return d.table.stride >= descriptor2Size }

// Len returns how many of the declared handles are in the file, with an error
// if that is not all of them, or if they are not read as the list declares. The
// iterators make just so many steps.
func (d *HandleData) Len() (int, error) { return d.table.len(d.f.size) }

// All iterates over the handles in the order of the file, with all their
// parts. Every step is a handle, so that there are [HandleData.Len] steps; an
// error in a step belongs to that handle, of which what could be read is
// there. A handle whose descriptor could not be read is zero but for its error,
// which wraps [ErrUnreadable]. That the list is shorter than declared is no
// step: Len says it.
//
// The pointer is never nil, and valid until the next step; a copy of the Handle
// stays good. The iteration holds a few windows of the file and never the
// stream. Equal type names share one string, as do, mostly, equal object names
// that lie close together.
func (d *HandleData) All() iter.Seq2[*Handle, error] {
	return d.Only(HandleAllParts)
}

// Only is like All, but reads just the given parts and leaves the others
// zero.
func (d *HandleData) Only(parts HandleParts) iter.Seq2[*Handle, error] {
	return d.handles(d.table, parts)
}

// Range is Only for the handles from the start-th up to, not including, the
// end-th, counted from 0, so that several readers can share a long list. It
// keeps within Len.
func (d *HandleData) Range(start, end int, parts HandleParts) iter.Seq2[*Handle, error] {
	return d.handles(d.table.part(start, end, d.f.size), parts)
}

func (d *HandleData) handles(t table, parts HandleParts) iter.Seq2[*Handle, error] {
	return steps(d.f, t, func() func(record []byte, h *Handle) error {
		return newHandleReader(d, parts).read
	})
}

// Slice returns all handles with all their parts, as many as Len says and All
// yields. The error joins the first that belongs to a handle with that of Len.
func (d *HandleData) Slice() ([]Handle, error) {
	n, short := d.Len()
	handles := make([]Handle, 0, n)
	var first error
	for h, err := range d.All() {
		if first == nil {
			first = err
		}
		handles = append(handles, *h)
	}
	return handles, JoinErrors(first, short)
}

// A handleReader decodes descriptors and follows their RVAs.
type handleReader struct {
	f     *File
	parts HandleParts
	wide  bool // descriptors have the ObjectInfo field
	names nameReader
	win   *windows
	types *stringCache
	objs  *stringCache
	// shared are the names read since the names came to be more than the file
	// justifies: many handles may share one, which costs no more than reading it
	// once. It is nil until then.
	shared map[uint32]string
}

func newHandleReader(d *HandleData, parts HandleParts) *handleReader {
	return &handleReader{
		f:     d.f,
		parts: parts,
		wide:  d.HasObjectInfo(),
		names: nameReader{f: d.f, stream: HandleDataStream},
		win:   newWindows(d.f.r, d.f.size),
		types: newStringCache(int64(d.NumberOfDescriptors)),
		objs:  newStringCache(int64(d.NumberOfDescriptors)),
	}
}

// read decodes the descriptor in p, which the table guarantees to be complete.
// Fixed offsets take half the time of a cursor here, in the one loop that sees
// millions of records.
func (r *handleReader) read(p []byte, h *Handle) error {
	le := binary.LittleEndian
	_ = p[descriptorSize-1]
	*h = Handle{
		Handle:        le.Uint64(p),
		Attributes:    le.Uint32(p[16:]),
		GrantedAccess: le.Uint32(p[20:]),
		HandleCount:   le.Uint32(p[24:]),
		PointerCount:  le.Uint32(p[28:]),
	}
	var failed, err error
	if rva := le.Uint32(p[8:]); rva != 0 && r.parts&HandleTypeName != 0 {
		h.TypeName, failed = r.text(r.types, rva)
	}
	if rva := le.Uint32(p[12:]); rva != 0 && r.parts&HandleObjectName != 0 {
		h.ObjectName, err = r.text(r.objs, rva)
		if err != nil {
			failed = JoinErrors(failed, err)
		}
	}
	if r.wide && r.parts&HandleObjectInfo != 0 {
		if rva := le.Uint32(p[32:]); rva != 0 {
			h.ObjectInfo, err = r.objectInfo(rva)
			if err != nil {
				failed = JoinErrors(failed, err)
			}
		}
	}
	return failed
}

// text reads the MINIDUMP_STRING at rva through the windows and a cache.
func (r *handleReader) text(cache *stringCache, rva uint32) (string, error) {
	if s, ok := cache.byRVA(rva); ok {
		return s, nil
	}
	if s, ok := r.shared[rva]; ok {
		return s, nil
	}
	off := int64(rva)
	if err := r.spend(off, 0); err != nil {
		return "", err
	}
	p := r.win.last.peek(off)
	if len(p) < 4 || len(p)-4 < int(binary.LittleEndian.Uint32(p)&maxString) {
		var err error
		if p, err = r.loadText(off); err != nil {
			return "", err
		}
	}
	n := binary.LittleEndian.Uint32(p)
	if n > maxString {
		return "", r.f.checkString(HandleDataStream, off, int(n))
	}
	// Comparing a long string with the cache takes its time too.
	if err := r.spend(off, int(n)); err != nil {
		return "", err
	}
	s := cache.intern(p[4:][:n])
	if n%2 != 0 { // not kept, or the next handle that has it gets no error
		return s, r.f.checkEven(HandleDataStream, off, int(n))
	}
	cache.keep(rva, s)
	if r.shared != nil {
		r.shared[rva] = s
	}
	return s, nil
}

// spend is that of the names, with a second chance for names that are shared:
// what was spent is forgotten, and from now on each name is paid for once.
func (r *handleReader) spend(off int64, n int) error {
	// A name that is remembered costs memory, too.
	const entry = 64
	if r.shared != nil && n > 0 {
		n += entry
	}
	err := r.names.spend(off, n)
	if err != nil && r.shared == nil {
		r.shared = map[uint32]string{}
		r.names.spent = int64(n)
		return nil
	}
	return err
}

// loadText brings the string at off, its length first, into a window.
func (r *handleReader) loadText(off int64) ([]byte, error) {
	if _, err := r.f.checkRVA(HandleDataStream, uint64(off)); err != nil {
		return nil, err
	}
	p, err := r.win.at(off, 4)
	if err == nil {
		n := int(binary.LittleEndian.Uint32(p))
		if err := r.f.checkString(HandleDataStream, off, n); err != nil {
			return nil, err
		}
		p, err = r.win.at(off, 4+n)
	}
	if err != nil {
		return nil, &FormatError{Stream: HandleDataStream, Off: off, Msg: "reading a string", Err: err}
	}
	return p, nil
}
