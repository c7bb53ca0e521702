package analysis

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// HandleFlags choose what !handle shows of each handle (its UMFlags).
type HandleFlags uint64

// The flags. WinDbg's default is ShowType; f and ff mean everything.
const (
	ShowType   HandleFlags = 1 << iota // the type
	ShowBasic                          // attributes, access, counts
	ShowName                           // the object's name
	ShowObject                         // object specific information
	ShowAll    = ShowType | ShowBasic | ShowName | ShowObject
)

// Parts are what must be read of a handle to show it.
func (f HandleFlags) Parts() minidump.HandleParts {
	var p minidump.HandleParts
	if f&(ShowType|ShowBasic|ShowName) != 0 {
		p |= minidump.HandleTypeName // it decides about the names of rights, and about a file's name
	}
	if f&ShowName != 0 {
		p |= minidump.HandleObjectName
	}
	if f&ShowObject != 0 {
		p |= minidump.HandleObjectInfo
	}
	return p
}

// A HandleQuery is what the arguments of !handle ask for.
type HandleQuery struct {
	// OneHandle says that it is about Handle alone, a value as typed, tag bits and
	// all.
	OneHandle bool
	Handle    uint64
	Flags     HandleFlags
	Type      string // as typed; "" is all types
	Listing   bool   // show handles, not just how many there are
}

// ParseHandleQuery reads the arguments of !handle: HANDLE, FLAGS and TYPE, of
// which later ones may be missing. Numbers are hexadecimal; 0 and -1 stand for
// all handles, and 1 is the value 0, as tag bits do not matter. Without arguments the query is about the number of handles of
// each type.
func ParseHandleQuery(args []string) (*HandleQuery, error) {
	q := &HandleQuery{Flags: ShowAll}
	if len(args) > 0 {
		h, err := ParseHex(args[0])
		if err != nil {
			return nil, fmt.Errorf("HANDLE: %w", notValue(args[0], err))
		}
		if !AllHandles(h) {
			q.OneHandle, q.Handle = true, h
		}
		q.Flags, q.Listing = ShowType, true
	}
	if len(args) > 1 {
		flags, err := ParseHex(args[1])
		if err != nil {
			return nil, fmt.Errorf("FLAGS: %w", err)
		}
		q.Flags = HandleFlags(flags)
		q.Listing = q.OneHandle || flags != 0
	}
	if len(args) > 2 {
		q.Type = args[2]
	}
	if len(args) > 3 {
		return nil, fmt.Errorf("%q is one argument too many", args[3])
	}
	return q, nil
}

// notValue is the error about a HANDLE that is no number, but perhaps a type.
func notValue(text string, err error) error {
	if t := CanonicalType(text); KnownType(t) {
		return fmt.Errorf("%q is a type and no number; use --type %s, or 0 ff %[2]s", text, t)
	}
	if similar := words.Similar(text, windbgTypes[1:]); similar != "" {
		return fmt.Errorf("%w; did you mean --type %s?", err, similar)
	}
	return err
}

// AllHandles reports whether the HANDLE of !handle or !htrace stands for all of
// them: 0 or -1, in 32 or 64 bits.
func AllHandles(h uint64) bool { return h == 0 || h == 0xffffffff || h == 0xffffffffffffffff }

// ParseHex reads a number as WinDbg does: hexadecimal with or without 0x, and
// with the backtick that it prints between the halves of 64 bits. "-1" has all
// bits set.
func ParseHex(text string) (uint64, error) {
	if text == "-1" {
		return ^uint64(0), nil
	}
	n, err := strconv.ParseUint(trim0x(strings.ReplaceAll(text, "`", "")), 16, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a hexadecimal number", text)
	}
	return n, nil
}

func trim0x(text string) string {
	return strings.TrimPrefix(strings.TrimPrefix(text, "0x"), "0X")
}
