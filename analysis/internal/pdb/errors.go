package pdb

import "errors"

// ErrNotPDB means that the file does not begin as an MSF 7.0 container does.
// PDBs of Visual C++ 6 and older (MSF 2.0) and the portable PDBs of .NET are other formats and give this error too.
var ErrNotPDB = errors.New("not a PDB (MSF 7.0) file")
