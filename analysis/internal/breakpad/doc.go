// Package breakpad reads the text symbol files (.sym) of Breakpad and Crashpad,
// which dump_syms makes of PDBs and DWARF: functions, public symbols, source
// lines, inlined calls and how to unwind the stack.
//
// It imports internal/nest only.
//
// NewFile reads the file once and keeps where the records are, 24 bytes for a
// function and as many for a record of stack unwinding; names, lines, inlined
// calls and the texts of unwinding are read from the file when an address needs
// them.
//
// A file is taken to be hostile: no count is declared in this format, so memory
// follows the records that are there; a line that cannot be read is skipped by
// NewFile and counted in File.Skipped.
//
// The format is described in Breakpad's docs/symbol_files.md
// (https://chromium.googlesource.com/breakpad/breakpad/+/master/docs/symbol_files.md).
package breakpad
