package pdb

import "path/filepath"

// Rearranged reports whether the image was rearranged after linking.
func (f *File) Rearranged() bool { return f.toSource.exists() }

// CodeAddresses returns n addresses evenly spaced over the sections that hold code.
func (f *File) CodeAddresses(n int) []uint32 {
	addresses, _ := codeAddresses(f, n)
	return addresses
}

// Folder returns the PDBs in the folder of -pdbs.
func Folder() []string {
	if *pdbsFlag == "" {
		return nil
	}
	paths, _ := filepath.Glob(filepath.Join(*pdbsFlag, "*.pdb"))
	return paths
}
