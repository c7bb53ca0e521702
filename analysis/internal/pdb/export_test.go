package pdb

// Rearranged reports whether the image was rearranged after linking.
func (f *File) Rearranged() bool { return f.toSource.exists() }
