package pdb

import "io"

// File is an open PDB. It is immutable and safe for concurrent use.
type File struct {
	GUID    GUID   // identity: RSDS record of the image has the same
	Age     uint32 // age of the DBI stream: what the RSDS record of the image carries
	InfoAge uint32 // age of the PDB information stream, which counts every change to the file, so it may be greater
	Machine uint16 // IMAGE_FILE_MACHINE_*
}

// GUID identifies a PDB; bytes as they are on disk, the first three fields little-endian.
type GUID [16]byte

// Open opens the PDB at path. The caller must Close it.
func Open(path string) (*File, error) { return nil, io.EOF }

// NewFile reads a PDB of size bytes from r.
func NewFile(r io.ReaderAt, size int64) (*File, error) { return nil, io.EOF }

// Close closes the file that Open opened; after NewFile it does nothing.
func (f *File) Close() error { return nil }

// Lookup names the address rva bytes after the image's base. The boolean tells whether anything covers the address.
func (f *File) Lookup(rva uint32) (Symbol, bool, error) { return Symbol{}, false, io.EOF }
