// Package breakpad reads the text symbol files (.sym) of Breakpad and Crashpad,
// which dump_syms makes of PDBs and DWARF: functions, public symbols, source
// lines and inlined calls.
//
// It imports nothing of the module.
//
// NewFile reads the file once and keeps where the records are, 24 bytes for a
// function; names, lines and inlined calls are read from the file when an address
// needs them. Records of stack unwinding are skipped.
//
// A file is taken to be hostile: no count is declared in this format, so memory
// follows the records that are there; a line that cannot be read is skipped by
// NewFile and counted in File.Skipped.
//
// The format is described in Breakpad's docs/symbol_files.md
// (https://chromium.googlesource.com/breakpad/breakpad/+/master/docs/symbol_files.md).
package breakpad
