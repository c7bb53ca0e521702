package minidump

import (
	"fmt"
	"strings"
)

// CrashpadInfo is what a program has told Crashpad about itself
// (MinidumpCrashpadInfo, 52 or 64 bytes; minidump/minidump_extensions.h of
// Crashpad).
type CrashpadInfo struct {
	Version           uint32 // 1
	ReportID          GUID   // of the report; zero without
	ClientID          GUID   // of the installation of the program; zero without
	SimpleAnnotations []Annotation
	Modules           []CrashpadModule
	AddressMask       uint64 // the bits of a pointer that are an address; 0 means all, or that the writer is older
}

// An Annotation is a name and a value (MinidumpSimpleStringDictionaryEntry).
type Annotation struct{ Key, Value string }

// A CrashpadModule is what a module of the process has told Crashpad
// (MinidumpModuleCrashpadInfo, 28 bytes).
type CrashpadModule struct {
	ModuleIndex       uint32 // in [File.Modules]
	Version           uint32 // 1
	ListAnnotations   []string
	SimpleAnnotations []Annotation
	AnnotationObjects []AnnotationObject
}

// An AnnotationType says what the value of an [AnnotationObject] is. From 0x8000
// on programs have their own.
type AnnotationType uint16

// The types of Crashpad.
const (
	AnnotationInvalid AnnotationType = 0
	AnnotationString  AnnotationType = 1
)

// String returns "kInvalid", "kString", or the number, as "AnnotationType(0x802a)".
func (t AnnotationType) String() string {
	switch t {
	case AnnotationInvalid:
		return "kInvalid"
	case AnnotationString:
		return "kString"
	}
	return fmt.Sprintf("AnnotationType(%#x)", uint16(t))
}

// An AnnotationObject is a named value of any form (MinidumpAnnotation, 12
// bytes).
type AnnotationObject struct {
	Name  string
	Type  AnnotationType
	Value []byte
}

// CrashpadInfo decodes the CrashpadInfoStream. What cannot be read is left out
// or empty; the error is the first that was met.
func (f *File) CrashpadInfo() (*CrashpadInfo, error) {
	const t = CrashpadInfoStream
	c, _, err := f.loadStream(t, 64)
	if err != nil {
		return nil, err
	}
	info := &CrashpadInfo{Version: c.u32()}
	copy(info.ReportID[:], c.take(len(info.ReportID)))
	copy(info.ClientID[:], c.take(len(info.ClientID)))
	simple, modules := c.location(), c.location()
	if c.err != nil {
		return nil, c.err
	}
	if c.left() >= 12 {
		c.skip(4)
		info.AddressMask = c.u64()
	}
	r := &crashpadReader{nameReader: nameReader{f: f, stream: t}}
	info.SimpleAnnotations = r.dictionary(simple)
	r.list(modules, 12, "modules", func(c *cursor) {
		index, l := c.u32(), c.location()
		m := r.module(l)
		m.ModuleIndex = index
		info.Modules = append(info.Modules, m)
	})
	return info, r.err
}

// A crashpadReader reads lists and strings wherever they are. Lists of a hostile
// file may be shared; see nameReader about that.
type crashpadReader struct {
	nameReader
	err error // the first
}

func (r *crashpadReader) note(err error) {
	if r.err == nil {
		r.err = err
	}
}

// list calls do with the entries of a list that begins with their number. An
// empty location is an empty list.
func (r *crashpadReader) list(l Location, stride int64, what string, do func(c *cursor)) {
	if l.DataSize == 0 {
		return
	}
	c := r.f.load(r.stream, int64(l.RVA), int(min(l.DataSize, 4)))
	t := table{
		stream: r.stream, off: int64(l.RVA) + 4, stride: stride, declared: uint64(c.u32()),
		end: int64(l.RVA) + int64(l.DataSize), what: what,
	}
	if c.err != nil {
		r.note(c.err)
		return
	}
	n, _ := t.count(r.f.size)
	if err := r.spend(int64(l.RVA), int(n)*int(stride)); err != nil {
		r.note(err)
		return
	}
	r.note(r.f.each(t, do))
}

func (r *crashpadReader) module(l Location) (m CrashpadModule) {
	c := r.f.load(r.stream, int64(l.RVA), int(min(l.DataSize, 28)))
	m.Version = c.u32()
	list, simple, objects := c.location(), c.location(), c.location()
	if c.err != nil {
		r.note(c.err)
		return m
	}
	r.list(list, 4, "annotations", func(c *cursor) {
		m.ListAnnotations = append(m.ListAnnotations, r.text(c.u32()))
	})
	m.SimpleAnnotations = r.dictionary(simple)
	r.list(objects, 12, "annotations", func(c *cursor) {
		name, typ := c.u32(), AnnotationType(c.u16())
		c.skip(2)
		m.AnnotationObjects = append(m.AnnotationObjects, AnnotationObject{Name: r.text(name), Type: typ, Value: r.bytes(c.u32())})
	})
	return m
}

func (r *crashpadReader) dictionary(l Location) (list []Annotation) {
	r.list(l, 8, "annotations", func(c *cursor) {
		list = append(list, Annotation{Key: r.text(c.u32()), Value: r.text(c.u32())})
	})
	return list
}

// text returns the MinidumpUTF8String at rva.
func (r *crashpadReader) text(rva uint32) string {
	return strings.ToValidUTF8(string(r.bytes(rva)), "\uFFFD")
}

// bytes returns the MinidumpByteArray at rva: a count, and so many bytes. It is
// nil if they cannot be read.
func (r *crashpadReader) bytes(rva uint32) []byte {
	off, err := r.f.checkRVA(r.stream, uint64(rva))
	if err != nil {
		r.note(err)
		return nil
	}
	c := r.f.load(r.stream, off, 4)
	n := c.u32()
	switch there := r.f.size - off - 4; {
	case c.err != nil:
		err = c.err
	case int64(n) > there:
		err = formatErrorf(r.stream, off, "string of %d bytes, but the file ends after %d", n, there)
	default:
		err = r.spend(off, int(n))
	}
	if err != nil {
		r.note(err)
		return nil
	}
	c = r.f.load(r.stream, off+4, int(n))
	r.note(c.err)
	return c.rest()
}
