package pdb

import (
	"encoding/binary"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// Symbol records (SYM_ENUM_e of microsoft-pdb's cvinfo.h).
const (
	symEnd           = 0x0006 // S_END
	symThunk32       = 0x1102 // S_THUNK32
	symBlock32       = 0x1103 // S_BLOCK32
	symWith32        = 0x1104 // S_WITH32
	symPub32         = 0x110e // S_PUB32
	symLProc32       = 0x110f // S_LPROC32
	symGProc32       = 0x1110 // S_GPROC32
	symTrampoline    = 0x112c // S_TRAMPOLINE
	symSepCode       = 0x1132 // S_SEPCODE
	symLProc32ID     = 0x1146 // S_LPROC32_ID
	symGProc32ID     = 0x1147 // S_GPROC32_ID
	symInlineSite    = 0x114d // S_INLINESITE
	symInlineSiteEnd = 0x114e // S_INLINESITE_END
	symProcIDEnd     = 0x114f // S_PROC_ID_END
	symLProc32DPC    = 0x1155 // S_LPROC32_DPC
	symLProc32DPCID  = 0x1156 // S_LPROC32_DPC_ID
	symInlineSite2   = 0x115d // S_INLINESITE2
)

// Type and id records (LEAF_ENUM_e).
const (
	leafClass     = 0x1504 // LF_CLASS
	leafStructure = 0x1505 // LF_STRUCTURE
	leafUnion     = 0x1506 // LF_UNION
	leafEnum      = 0x1507 // LF_ENUM
	leafInterface = 0x1519 // LF_INTERFACE
	leafFuncID    = 0x1601 // LF_FUNC_ID
	leafMFuncID   = 0x1602 // LF_MFUNC_ID
	leafStringID  = 0x1605 // LF_STRING_ID

	// Visual C++ 2019 and later write these in place of the older forms. Microsoft's cvinfo.h lacks them; the names are
	// in LLVM's CodeViewTypes.def, the layout in issue 50 of microsoft-pdb and in the PDB-Documentation of PascalBeyer:
	// properties of four bytes instead of two, and the number of members behind the types, as a numeric leaf.
	leafClass2     = 0x1608 // LF_CLASS2
	leafStructure2 = 0x1609 // LF_STRUCTURE2
	leafUnion2     = 0x160a // LF_UNION2
	leafInterface2 = 0x160b // LF_INTERFACE2

	leafNumeric = 0x8000 // values below stand for themselves
	leafChar    = 0x8000
	leafShort   = 0x8001
	leafUShort  = 0x8002
	leafLong    = 0x8003
	leafULong   = 0x8004
	leafQuad    = 0x8009
	leafUQuad   = 0x800a
)

// recordHead is the bytes of a record before its body.
const recordHead = 4

// record is a symbol or type record: a 16-bit length that counts what follows it, a 16-bit kind, and the body.
type record struct {
	kind uint16
	off  int64          // of the length field, in the stream
	body bounded.Cursor // valid until the next record is read
}

// record reads the next record and moves behind it.
func (w *window) record() (record, error) {
	head, err := w.peek(4)
	if err != nil {
		return record{}, err
	}
	size := 2 + int(binary.LittleEndian.Uint16(head))
	if size < 4 {
		return record{}, w.s.fail(w.off, "record of %d bytes", size)
	}
	b, err := w.peek(size)
	if err != nil {
		return record{}, err
	}
	r := record{kind: binary.LittleEndian.Uint16(b[2:]), off: w.off,
		body: *bounded.New(w.s.name, w.off+4, b[4:])}
	w.skip(int64(size))
	return r, nil
}

// opens reports whether a symbol record begins a scope that a later record ends.
func (r record) opens() bool {
	switch r.kind {
	case symThunk32, symBlock32, symWith32, symSepCode, symInlineSite, symInlineSite2:
		return true
	}
	return procKind(r.kind) != 0 && r.kind != symTrampoline
}

// closes reports whether a symbol record ends a scope.
func (r record) closes() bool {
	return r.kind == symEnd || r.kind == symInlineSiteEnd || r.kind == symProcIDEnd
}

// procKind returns the kind of a record that stands for a function, else 0.
func procKind(kind uint16) Kind {
	switch kind {
	case symGProc32, symGProc32ID:
		return KindGlobalProc
	case symLProc32, symLProc32ID, symLProc32DPC, symLProc32DPCID:
		return KindLocalProc
	case symThunk32:
		return KindThunk
	case symTrampoline:
		return KindTrampoline
	}
	return 0
}

// Bytes before the name in records of functions: length, kind, three offsets of related records, then
// differing fields.
const (
	procSize  = 39 // PROCSYM32: size, end of prologue, start of epilogue, type, offset, section, flags
	thunkSize = 25 // THUNKSYM32: offset, section, size, ordinal

	// TRAMPOLINESYM has neither those offsets nor a name: kind and size of the jump, offset of the jump and of its
	// target, section of the jump and of its target. That is the order in cvinfo.h, and in the code of images;
	// llvm-pdbutil prints the two places the other way round.
	trampolineSize = 20
)

// fixed returns the bytes before the name.
func (k Kind) fixed() int {
	switch k {
	case KindThunk:
		return thunkSize
	case KindTrampoline:
		return trampolineSize
	}
	return procSize
}

// decodeProc reads where a function is from the bytes between its record's head and its name.
func decodeProc(kind Kind, b []byte, off int64) item {
	le := binary.LittleEndian
	p := item{off: uint32(off), kind: kind}
	switch kind {
	case KindThunk:
		p.start = address{le.Uint16(b[16:]), le.Uint32(b[12:])}
		p.length = uint32(le.Uint16(b[18:]))
	case KindTrampoline:
		p.start = address{le.Uint16(b[12:]), le.Uint32(b[4:])}
		p.length = uint32(le.Uint16(b[2:]))
	default:
		p.start = address{le.Uint16(b[32:]), le.Uint32(b[28:])}
		p.length = le.Uint32(b[12:])
	}
	return p
}

// skipNumeric passes over a numeric leaf: a 16-bit value, or a tag and the value it announces.
func skipNumeric(c *bounded.Cursor) {
	at := c.Off()
	switch tag := c.U16(); tag {
	case leafChar:
		c.Skip(1)
	case leafShort, leafUShort:
		c.Skip(2)
	case leafLong, leafULong:
		c.Skip(4)
	case leafQuad, leafUQuad:
		c.Skip(8)
	default:
		if tag >= leafNumeric {
			c.Fail(at, "numeric leaf %#x", tag)
		}
	}
}
