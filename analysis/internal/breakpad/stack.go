package breakpad

import (
	"github.com/dumpscan/dumpscan/analysis/internal/nest"
)

// Kinds of STACK WIN records that are of use.
const (
	winFPO       = 0 // StackFrameTypeFPO: sizes alone
	winFrameData = 4 // StackFrameTypeFrameData: with a program
)

// stackRecords are where the records of stack unwinding stand.
type stackRecords struct {
	cfi  []record // STACK CFI INIT, by address
	data []int64  // offsets of STACK WIN of FrameData, by the number of the span
	fpo  []int64
	// Code may be in several spans of one kind: prologues are described by a row
	// of ever shorter ones.
	dataSpans, fpoSpans []nest.Span
}

// indexStack notes where a STACK record is. The rows of STACK CFI belong to the
// INIT above them and are read with it.
func (f *File) indexStack(w *fields, off int64) {
	switch string(w.word()) {
	case "CFI":
		if string(w.word()) != "INIT" {
			return
		}
		r := record{addr: w.hex(), size: w.hex(), off: off}
		if w.bad || !w.more() || r.addr+r.size < r.addr {
			f.Skipped++
			return
		}
		f.stack.cfi = append(f.stack.cfi, r)
	case "WIN":
		kind, rva, size := w.hex(), w.hex(), w.hex()
		if w.bad || rva+size > 1<<32 || rva+size < rva {
			f.Skipped++
			return
		}
		s := nest.Span{Start: uint32(rva), Size: uint32(size)}
		switch kind {
		case winFrameData:
			s.Number = uint32(len(f.stack.data))
			f.stack.data = append(f.stack.data, off)
			f.stack.dataSpans = append(f.stack.dataSpans, s)
		case winFPO:
			s.Number = uint32(len(f.stack.fpo))
			f.stack.fpo = append(f.stack.fpo, off)
			f.stack.fpoSpans = append(f.stack.fpoSpans, s)
		}
	}
}

func (s *stackRecords) index() {
	s.dataSpans, s.fpoSpans = nest.New(s.dataSpans), nest.New(s.fpoSpans)
}

// CFI returns the rules that hold at the address rva bytes after the image's base:
// the texts of the records STACK CFI INIT and STACK CFI that apply, in the
// order in which they replace one another. There are none if the file does not
// describe the address so.
func (f *File) CFI(rva uint64) ([]string, error) {
	r, ok := below(f.stack.cfi, rva)
	if !ok || rva-r.addr >= r.size {
		return nil, nil
	}
	var rules []string
	s := newScanner(f.r, r.off, f.size, lineWindow)
	for {
		line, ok := s.line()
		if !ok {
			return rules, s.err
		}
		w := fields{rest: line}
		first, second := string(w.word()), string(w.word())
		if first != "STACK" || second != "CFI" {
			return rules, nil
		}
		if len(rules) == 0 { // INIT, address and size
			w.word()
			w.word()
			w.word()
		} else if at := w.hex(); w.bad || at > rva {
			return rules, nil // the next function, or a row behind the address
		}
		rules = append(rules, w.text())
	}
}

// Win is a record STACK WIN: what a function has on the stack. Sizes are bytes.
type Win struct {
	RVA, Size uint32 // code that it is true of
	Prolog    uint32
	Params    uint32
	SavedRegs uint32
	Locals    uint32
	Program   string // how to compute the caller's registers; "" if sizes alone describe the frame
	UsesBP    bool   // the function saves ebp and uses it as it likes
}

// Win returns what a STACK WIN record says of an address. One with a program is
// preferred, and then the one that begins last.
func (f *File) Win(rva uint32) (Win, bool, error) {
	offsets := f.stack.data
	span, ok := nest.Index(f.stack.dataSpans).Find(rva)
	if !ok {
		offsets = f.stack.fpo
		if span, ok = nest.Index(f.stack.fpoSpans).Find(rva); !ok {
			return Win{}, false, nil
		}
	}
	s := newScanner(f.r, offsets[span.Number], f.size, lineWindow)
	line, _ := s.line()
	if s.err != nil {
		return Win{}, false, s.err
	}
	w := fields{rest: line}
	w.word()
	w.word()
	w.word()
	size := func() uint32 { return uint32(min(w.hex(), 1<<32-1)) }
	v := Win{RVA: size(), Size: size(), Prolog: size()}
	size() // of the epilogue, which is 0 in all files
	v.Params, v.SavedRegs, v.Locals = size(), size(), size()
	size() // the most it may have on the stack
	hasProgram := w.hex()
	if w.bad {
		return Win{}, false, nil
	}
	if hasProgram != 0 {
		if v.Program = w.text(); v.Program == "" {
			return Win{}, false, nil
		}
		return v, true, nil
	}
	v.UsesBP = w.hex() != 0
	return v, true, nil
}
