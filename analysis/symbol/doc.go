// Package symbol names the addresses of a dumped process: module, function,
// displacement, and where the symbols have it source line and inlined calls.
//
// Each name says how sure it is by its [Trust]. A PDB, a Breakpad .sym file or
// DWARF says which function covers an address. An export table says only which
// exported function begins nearest below it; WinDbg prints such names in the
// same form, and they mislead when the displacement is large.
//
// Symbols are matched by identity (GUID and age of the PDB, timestamp and size
// of the image), not by name: the symbols of another build give wrong names,
// and nothing shows that they are wrong.
package symbol
