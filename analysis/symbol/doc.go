// Package symbol names the addresses of a dumped process: module, function,
// displacement, and where the symbols have it source line and inlined calls.
//
// Each name says how sure it is by its [Trust]. A PDB, a Breakpad .sym file or
// DWARF says which function covers an address. An export table says only which
// exported function begins nearest below it; WinDbg prints such names in the
// same form, and they mislead when the displacement is large.
//
// [NewModules] needs only the list of modules. [NewResolver] uses everything else
// too: symbol files and images where a symbol path says, in the syntax of
// _NT_SYMBOL_PATH (package store), and the images that a full-memory dump holds,
// whose exports need no file at all. It loads the symbols of a module when one of
// its addresses is asked for.
//
// Symbols are matched by identity (GUID and age of the PDB, timestamp and size
// of the image), not by name: the symbols of another build give wrong names,
// and nothing shows that they are wrong.
package symbol
