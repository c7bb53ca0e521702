// Package cfi evaluates call frame information: rules by which the registers of a
// caller are computed from those of its callee and from the stack. There are
// three languages of them: DWARF (.eh_frame and .debug_frame), the STACK CFI
// records of Breakpad's symbol files, and the programs of Windows' frame data,
// in PDBs and STACK WIN records.
//
// It imports internal/bounded only.
//
// Rules are taken to be hostile. An expression runs for a number of steps that
// is bounded and on a stack of bounded depth; what the memory it reads does not
// have is an error. A [Table] keeps 12 bytes for each function, and reads the
// rest of the section when an address needs it.
//
// DWARF is that of version 5, sections 2.5 and 6.4 (https://dwarfstd.org), with
// the pointer encodings and augmentations of the LSB's .eh_frame
// (https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/ehframechpt.html);
// Breakpad's records are those of docs/symbol_files.md there.
package cfi
