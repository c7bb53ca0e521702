package pdb

import (
	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
	"github.com/dumpscan/dumpscan/analysis/internal/nest"
)

// FrameData says what code of 32-bit x86 has on the stack (FRAMEDATA and FPO_DATA of cvinfo.h and winnt.h). Sizes are
// bytes.
type FrameData struct {
	RVA, Size     uint32 // code that this is true of
	Prolog        uint32 // of that, what belongs to the prolog
	Params        uint32
	SavedRegs     uint32
	Locals        uint32
	Program       string // how to compute the caller's registers; "" if sizes alone describe the frame
	UsesBP        bool   // without Program: the function saves ebp and uses it as it likes
	FunctionStart bool   // RVA is that of a function; code within one may be described again, from there on
}

const (
	frameDataSize = 32 // FRAMEDATA
	fpoDataSize   = 16 // FPO_DATA
)

// A frameTable is one of the two streams of frame data.
type frameTable struct {
	s     *stream
	head  int64 // bytes before the first record
	spans nest.Index
}

// FrameData returns the frame data of the address rva, in bytes from the base of the image: of the record with a program
// that begins last, or else of the older ones without. The boolean is false if the PDB has neither, as all but those of
// 32-bit x86.
//
// In an image that was rearranged after linking (OMAP), the records are of the image before that, and RVA is as well.
func (f *File) FrameData(rva uint32) (FrameData, bool, error) {
	rva, err := f.toSource.translate(rva)
	if err != nil || rva == 0 {
		return FrameData{}, false, err
	}
	t, err := f.frames()
	if span, ok := t.find(rva); ok && err == nil {
		return f.readFrameData(t, span)
	}
	old, oldErr := f.oldFrames()
	if err == nil {
		err = oldErr
	}
	span, ok := old.find(rva)
	if !ok || oldErr != nil {
		return FrameData{}, false, err
	}
	c, err := old.s.cursor(old.head+int64(span.Number)*fpoDataSize, fpoDataSize)
	if err != nil {
		return FrameData{}, false, err
	}
	d := FrameData{RVA: c.U32(), Size: c.U32(), Locals: 4 * c.U32(), Params: 4 * uint32(c.U16()), Prolog: uint32(c.U8()), FunctionStart: true}
	bits := c.U8() // saved registers, exception handler, ebp, reserved, kind of frame
	d.SavedRegs, d.UsesBP = 4*uint32(bits&7), bits&0x10 != 0
	if c.Err() != nil {
		return FrameData{}, false, c.Err()
	}
	return d, true, nil
}

func (f *File) readFrameData(t *frameTable, span nest.Span) (FrameData, bool, error) {
	c, err := t.s.cursor(t.head+int64(span.Number)*frameDataSize, frameDataSize)
	if err != nil {
		return FrameData{}, false, err
	}
	d := FrameData{RVA: c.U32(), Size: c.U32(), Locals: c.U32(), Params: c.U32()}
	c.Skip(4) // the most it has on the stack
	program := c.U32()
	d.Prolog, d.SavedRegs = uint32(c.U16()), uint32(c.U16())
	const isFunctionStart = 4
	d.FunctionStart = c.U32()&isFunctionStart != 0
	if c.Err() != nil {
		return FrameData{}, false, c.Err()
	}
	name, err := f.fileName(program) // of the same table of texts as the names of source files
	if err != nil {
		return FrameData{}, false, err
	}
	d.Program = name.text
	return d, true, nil
}

func (t *frameTable) find(rva uint32) (nest.Span, bool) {
	if t == nil {
		return nest.Span{}, false
	}
	return t.spans.Find(rva)
}

// openFrames reads the places of the records of one of the streams; index is that of the optional debug header.
func (f *File) openFrames(index int, name string, recordSize int64) (*frameTable, error) {
	n := f.dbi.debugHeader[index]
	if n == noStream || int(n) >= len(f.msf.sizes) || f.msf.sizes[n] == nilStreamSize {
		return nil, nil
	}
	s, err := f.msf.stream(int(n), name)
	if err != nil {
		return nil, err
	}
	// A table of FRAMEDATA may begin with a word that is to be relocated, and is 0 in a PDB.
	t := &frameTable{s: s}
	if s.size%frameDataSize == 4 && recordSize == frameDataSize {
		t.head = 4
	}
	spans := make([]nest.Span, 0, s.size/recordSize)
	for w := s.window(t.head, s.size); w.left() >= recordSize; w.skip(recordSize) {
		b, err := w.peek(int(recordSize))
		if err != nil {
			return nil, err
		}
		c := bounded.New(name, w.off, b)
		spans = append(spans, nest.Span{Start: c.U32(), Size: c.U32(), Number: uint32(len(spans))})
	}
	t.spans = nest.New(spans)
	return t, nil
}
