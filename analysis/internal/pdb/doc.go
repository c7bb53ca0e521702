// Package pdb reads Microsoft program databases (PDB, MSF 7.0), as Visual C++, clang-cl and rustc write them,
// far enough to answer one question: which function, source line and inlined calls stand behind an address of an image.
//
// It imports internal/bounded and internal/nest. Package pdbtest makes PDBs for its tests, and does not import it.
//
// The reader is lazy. [NewFile] reads the superblock, the sizes of the streams and two headers; [File.Lookup] reads what
// its address needs: a few blocks of the section contributions and of the public symbols' address map, both found by
// binary search, and the one module the address belongs to. A module is walked over when it is first visited, and then
// its functions and line tables are found in a sorted index. Most addresses are asked for in ascending order, so the
// last function stays decoded, the small streams visited last stay in memory, and a search begins where the last one
// ended. What is found never depends on that, as long as the file is sound.
//
// Addresses are relative virtual addresses (RVA): bytes from the start of the loaded image. Names are given as the
// file has them: a procedure of a C++ module is usually already `ns::Class::Method`, a public symbol is decorated
// (`?Method@Class@ns@@QEAAXXZ`); package undecorate turns the second into the first.
//
// A PDB is taken to be hostile. A block number is checked before it is read, no memory is allocated because of a
// declared count alone, and the streams together may not claim more bytes than the file has, so the cost of a lookup
// is bounded by the file's size. Errors are *bounded.Error and carry the stream and the offset in it.
//
// The layout is the one that the LLVM project documents (https://llvm.org/docs/PDB/) and that the headers of
// https://github.com/microsoft/microsoft-pdb declare. TestFolderAgainstLLVM compares the reader with LLVM's symbolizer
// over a folder of PDBs of your own.
package pdb
