// Package render writes facts as WinDbg's text, as plain text and tables, as
// JSON and CSV. It never sees the dump: everything it needs is in the facts of
// package analysis.
//
// # Text
//
// Text that comes from a dump passes [Escape] before it is written. The text
// forms that WinDbg has are reproduced byte for byte; where this package adds
// something, it does so only on a terminal or on request.
//
// # JSON
//
// Every answer is one object. Its first field, "schema", names the contract
// and its version, "dumpscan.handles/1". Within a version fields are added but
// neither removed nor given another meaning. In all of them:
//
//   - addresses, handle values, access masks and other bit sets are strings in
//     hexadecimal, "0x7e0"; counts and sizes are numbers;
//   - times are RFC 3339 in UTC;
//   - lists are never null, but may be empty; any other field may be absent,
//     which means that the dump does not tell;
//   - "dump" describes the dump: see [DumpHeader];
//   - "notes" are sentences for people about what is easily misread, "errors"
//     what could not be read. With errors the exit code is 3.
//
// A command that cannot answer at all (the file is no minidump, or the dump
// lacks what was asked for) writes no object: standard output is empty, the
// cause is on standard error, and the exit code is 3.
//
// The fields of each answer are documented at the type that writes it:
//
//   - check: [CheckReport]
//   - diff: [DiffReport]
//   - handles: [HandleReport]
//   - htrace: [TraceReport.JSON]
//   - info: [InfoReport]
//   - leaks: [LeakReport]
//   - modules: [ModuleReport]
//   - owners: [OwnersReport]
//   - symbols: [SymbolReport]
//   - symbols --manifest: [SymbolManifest]
//   - threads: [ThreadReport]
package render
