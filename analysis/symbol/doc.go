// Package symbol names the addresses of a dumped process: module, function,
// displacement, and where the symbols have it source line and inlined calls.
//
// Each name says how sure it is by its [Trust]. A PDB, a Breakpad .sym file or
// DWARF says which function covers an address. An export table says only which
// exported function begins nearest below it; WinDbg prints such names in the
// same form, and they mislead when the displacement is large.
//
// [NewModules] needs only the list of modules. [NewResolver] uses everything else
// too: symbol files and images where a symbol path says, and the images that a
// full-memory dump holds, whose exports need no file at all. It loads the symbols
// of a module when one of its addresses is asked for.
//
// Names are resolved in one step, [Resolver], which takes a context. What it
// returns, [Names], is finished: reports are written from it without touching
// disk or network.
//
// A symbol path is what _NT_SYMBOL_PATH holds: elements separated by semicolons,
// searched in their order:
//
//	DIR                    a folder: the file itself in it, or a symbol store
//	srv*CACHE*URL          a server, whose files are kept in the store CACHE
//	srv*URL, URL           the same with Options.Cache
//	srv*DIR                a store
//	symsrv*symsrv.dll*...  the same as srv*...
//	cache*DIR              a store that keeps what the elements behind it give
//
// Servers are asked through a [Fetcher]; this package uses no network. Package
// symserver below it has a Fetcher for HTTP. Otherwise the room imports minidump
// and the readers in analysis/internal, and nothing else of the module.
//
// What names cost is in proportion to the size of the dump and of the symbol files.
// Names as programs have them are free; texts beyond 256 bytes for one use of an
// address, and more than 16 inlined calls at one, are charged to a budget of 4 MiB and
// eight times the size of the files. What is over it, names beyond 4 KiB, and calls
// inlined more than 256 deep are cut, marked with "…", and Options.Limited says so
// once; see [Session.Fit]. At most 64 files are open at the same time, each once for
// all modules that have it, and nothing but regular files is opened.
//
// Symbols are matched by identity (GUID and age of the PDB, timestamp and size
// of the image), not by name: the symbols of another build give wrong names,
// and nothing shows that they are wrong.
package symbol
