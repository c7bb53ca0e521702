package pdb

import (
	"errors"
	"io"
	"strings"
)

// Files that have the name of a PDB, and no names of native code that this package could read.
var (
	// ErrNotPDB means that the file does not begin as a PDB does. ErrOld and ErrPortable wrap it.
	ErrNotPDB = errors.New("not a PDB (MSF 7.0) file")

	// ErrOld means an MSF 2.0 container, as Visual C++ 6 and older wrote it.
	ErrOld error = otherFormat("a PDB 2.0 (JG) of Visual C++ 6 or older, a format that is not read")

	// ErrPortable means a portable PDB, which describes the methods of a .NET assembly and no native code.
	ErrPortable error = otherFormat("a portable PDB of .NET, without addresses of native code")

	// ErrManaged means a PDB in the native format that describes a .NET assembly: its methods have tokens, and no
	// addresses until they are compiled at run time.
	ErrManaged = errors.New("a PDB of managed code, without addresses of functions")
)

// otherFormat is a file of another format that is called PDB.
type otherFormat string

func (o otherFormat) Error() string { return string(o) }

func (o otherFormat) Unwrap() error { return ErrNotPDB }

const (
	oldMagic      = "Microsoft C/C++ program database 2.00\r\n\x1aJG"
	portableMagic = "BSJB"         // ECMA-335, II.24.2.1
	managed       = uint16(0xc0ee) // IMAGE_FILE_MACHINE_CEE: pure MSIL
)

// kindOf says what a file is that does not begin as a PDB does.
func kindOf(r io.ReaderAt) error {
	var head [len(oldMagic)]byte
	n, _ := r.ReadAt(head[:], 0)
	switch begin := string(head[:max(n, 0)]); {
	case strings.HasPrefix(begin, oldMagic):
		return ErrOld
	case strings.HasPrefix(begin, portableMagic):
		return ErrPortable
	}
	return ErrNotPDB
}
