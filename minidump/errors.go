package minidump

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNotMinidump is wrapped by the error of [Open] and [NewFile] for a
	// file that is something else; the message says what it is where the
	// first bytes show that. A compressed dump is something else, too: package
	// minidump/dumpfile opens it.
	ErrNotMinidump = errors.New("not a minidump")

	// ErrNoHeader is wrapped together with ErrNotMinidump where the first bytes
	// are those of nothing that is known: the file may be a minidump whose header
	// is damaged, in which [Recover] finds what is there.
	ErrNoHeader = errors.New("no header")

	// ErrNoStream is wrapped when the directory has no stream of the type
	// that was asked for.
	ErrNoStream = errors.New("no such stream in the dump")

	// ErrUnreadable is wrapped by the error of a step of an iterator when the
	// bytes of its record could not be read from the file: nothing is known of
	// the record, which is zero. Any other error of a step says that a part of
	// the record, such as a name, is missing.
	ErrUnreadable = errors.New("the record could not be read")

	// ErrNotCaptured is wrapped when an address lies outside the memory that
	// the writer of the dump saved.
	ErrNotCaptured = errors.New("memory not captured in the dump")
)

// A FormatError reports bytes that contradict the format, or a file that ends
// before a structure does.
type FormatError struct {
	Stream StreamType // UnusedStream for the header and the directory
	Off    int64      // file offset at which the trouble begins
	Msg    string     // what is wrong there
	Err    error      // the cause, such as an I/O error; may be nil

	kind string // what Msg was made from; "" if that is Msg itself
}

func (e *FormatError) Error() string {
	where := "header"
	if e.Stream != UnusedStream {
		where = e.Stream.String()
	}
	s := fmt.Sprintf("%s: file offset %#x: %s", where, e.Off, e.Msg)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// Kind is equal for errors of one stream, or of streams of unknown types, that differ only in offsets, numbers
// and causes, so that a million of them can be counted instead of listed.
func (e *FormatError) Kind() string {
	kind := e.kind
	if kind == "" {
		kind = e.Msg
	}
	if _, known := streamNames[e.Stream]; !known {
		return "streams of unknown types: " + kind
	}
	return e.Stream.String() + ": " + kind
}

func formatErrorf(s StreamType, off int64, format string, args ...any) *FormatError {
	return &FormatError{Stream: s, Off: off, Msg: fmt.Sprintf(format, args...), kind: format}
}

// Errors are several errors of one reading, each about something else. It is
// never empty.
type Errors []error

// Error writes all in one line.
func (e Errors) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the errors.
func (e Errors) Unwrap() []error { return e }

// JoinErrors is [errors.Join] for messages of one line. Those that are nil are
// left out; of none it is nil, and a single one is returned as it is.
func JoinErrors(errs ...error) error {
	var list Errors
	for _, err := range errs {
		if more, ok := err.(Errors); ok {
			list = append(list, more...)
		} else if err != nil {
			list = append(list, err)
		}
	}
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return list
}

// A headerError wraps [ErrNotMinidump] and [ErrNoHeader].
type headerError struct{ what string }

func (e headerError) Error() string { return ErrNotMinidump.Error() + ": " + e.what }

func (e headerError) Is(target error) bool { return target == ErrNotMinidump || target == ErrNoHeader }
