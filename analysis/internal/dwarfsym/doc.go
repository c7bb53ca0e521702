// Package dwarfsym names addresses by the DWARF of a PE image, as MinGW builds
// of GCC and Clang carry it: functions, source lines and inlined calls.
//
// It imports peimage, for the sections.
//
// New reads the debug sections and the ranges of the compilation units. The
// functions and lines of a unit are read when one of its addresses is asked for.
//
// The entries are decoded by debug/dwarf, which is not made for hostile input.
// The sections handed to it are no larger than the file; a panic in it becomes
// an error; and the number of attributes and ranges that are looked at is bounded
// by the size of the sections, so that entries cannot refer to one another's data
// over and over.
package dwarfsym
