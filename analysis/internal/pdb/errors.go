package pdb

import (
	"errors"
	"fmt"
)

// ErrNotPDB means that the file does not begin as an MSF 7.0 container does.
// PDBs of Visual C++ 6 and older (MSF 2.0) and the portable PDBs of .NET are other formats and give this error too.
var ErrNotPDB = errors.New("not a PDB (MSF 7.0) file")

// FormatError is a PDB that contradicts itself or ends too early.
type FormatError struct {
	Stream string // part of the file: "superblock", "directory", "DBI", "module 7", …
	Off    int64  // bytes from the start of that stream
	Msg    string // what is wrong
	Err    error  // cause, when reading failed; may be nil
}

func (e *FormatError) Error() string {
	s := fmt.Sprintf("pdb: %s at offset %#x: %s", e.Stream, e.Off, e.Msg)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *FormatError) Unwrap() error { return e.Err }
