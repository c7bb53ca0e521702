package minidump

import (
	"fmt"
	"io"
)

// BreakpadValidity says which fields of a [BreakpadInfo] mean something
// (MD_BREAKPAD_INFO_VALID_*).
type BreakpadValidity uint32

// The fields.
const (
	BreakpadDumpThreadID       BreakpadValidity = 0x1
	BreakpadRequestingThreadID BreakpadValidity = 0x2
)

// BreakpadInfo is what Breakpad notes about its own work (MDRawBreakpadInfo, 12
// bytes; google_breakpad/common/minidump_format.h).
type BreakpadInfo struct {
	Validity           BreakpadValidity
	DumpThreadID       uint32 // the thread that wrote the dump; 0 unless valid
	RequestingThreadID uint32 // the thread that crashed or asked for it; 0 unless valid
}

// BreakpadInfo decodes the BreakpadInfoStream.
func (f *File) BreakpadInfo() (*BreakpadInfo, error) {
	c, _, err := f.loadStream(BreakpadInfoStream, 12)
	if err != nil {
		return nil, err
	}
	b := &BreakpadInfo{Validity: BreakpadValidity(c.u32())}
	for _, field := range []struct {
		flag BreakpadValidity
		id   *uint32
	}{{BreakpadDumpThreadID, &b.DumpThreadID}, {BreakpadRequestingThreadID, &b.RequestingThreadID}} {
		if id := c.u32(); b.Validity&field.flag != 0 {
			*field.id = id
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	return b, nil
}

// An AssertionType says which check of the C runtime failed
// (MD_ASSERTION_INFO_TYPE_*).
type AssertionType uint32

// The types of assertions.
const (
	AssertionUnknown          AssertionType = 0
	AssertionInvalidParameter AssertionType = 1 // a function of the C runtime was called wrongly
	AssertionPureVirtualCall  AssertionType = 2
)

// String returns the specification's name without its prefix, such as
// "INVALID_PARAMETER".
func (t AssertionType) String() string {
	switch t {
	case AssertionUnknown:
		return "UNKNOWN"
	case AssertionInvalidParameter:
		return "INVALID_PARAMETER"
	case AssertionPureVirtualCall:
		return "PURE_VIRTUAL_CALL"
	}
	return fmt.Sprintf("AssertionType(%d)", uint32(t))
}

// AssertionInfo is the failed check that Breakpad wrote a dump for
// (MDRawAssertionInfo, 776 bytes). The texts are empty with the release form of
// the C runtime.
type AssertionInfo struct {
	Expression string // at most 128 characters, as the next two
	Function   string
	File       string
	Line       uint32
	Type       AssertionType
}

// AssertionInfo decodes the AssertionInfoStream.
func (f *File) AssertionInfo() (*AssertionInfo, error) {
	c, _, err := f.loadStream(AssertionInfoStream, 776)
	if err != nil {
		return nil, err
	}
	const text = 2 * 128
	a := &AssertionInfo{
		Expression: fixedUTF16(c.take(text)), Function: fixedUTF16(c.take(text)), File: fixedUTF16(c.take(text)),
		Line: c.u32(), Type: AssertionType(c.u32()),
	}
	if c.err != nil {
		return nil, c.err
	}
	return a, nil
}

// Text returns the whole of a stream as it is, NULs included, for those that are
// text: from [LinuxCPUInfoStream] to [LinuxMapsStream] all but [LinuxAuxvStream],
// [MozLinuxLimitsStream] and [MozSoftErrorsStream]. With an error the text that
// is in the file is returned, too.
func (f *File) Text(t StreamType) (string, error) {
	d, err := f.find(t)
	if err != nil {
		return "", err
	}
	r, short := f.section(t, d.Location)
	text, err := io.ReadAll(r)
	if err != nil {
		return string(text), &FormatError{Stream: t, Off: int64(d.RVA) + int64(len(text)), Msg: "reading", Err: err}
	}
	return string(text), short
}
