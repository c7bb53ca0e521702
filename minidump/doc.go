// Package minidump reads Windows minidumps: the header and directory, and every
// stream of the public headers as typed records: threads with their registers,
// modules, memory, handles, the exception, tokens, function tables, and the
// record of handle operations behind WinDbg's !htrace; and the streams that
// Breakpad and Crashpad add. It runs on every operating system and imports the
// standard library only.
//
// [Open] and [NewFile] read the 32-byte header and the stream directory and
// nothing more; compressed dumps are opened with package minidump/dumpfile.
// Everything else is decoded when it is asked for, so the
// handles of a dump with 8 GiB of memory cost what those of a small dump
// cost. A [File] is immutable and safe for concurrent use.
//
// # Hostile input
//
// No byte of a dump is trusted. A declared count is checked against the bytes
// that are really there before anything is allocated for it; offsets may
// point anywhere, chains may run in circles, strings may be absent. What
// cannot be read is reported as a [FormatError] that names the stream and the
// file offset, and what can be read is still returned: the list methods
// return the entries that can be read together with the first error. The
// iterators make one step for each record that is in the file, with an error in
// the step of the record that it belongs to, and go on; that a list is shorter
// than it declares is no step of them, the Len method of the list says it.
//
// No method reads beyond the size that the directory gives a stream. When there
// are several streams of one type, the first that is usable is read, for all
// types alike; [File.Ignored] returns the others.
//
// # Packages
//
// This package holds the file format and nothing else. Package dumpfile, which
// imports it, opens compressed, archived and piped dumps; package dumptest
// builds dumps for tests, wrong ones too, and never imports this one; what the
// records mean is said in package analysis.
//
// # Words
//
// An RVA ("relative virtual address") is, in a minidump, an offset from the
// start of the file; this package resolves RVAs and keeps the field without
// the suffix. A [VA] is a virtual address in the dumped process. Field names
// and their order follow the structures of Microsoft's minidumpapiset.h
// (https://learn.microsoft.com/windows/win32/api/minidumpapiset/); each
// type's comment ends with the name of its structure. All integers are little
// endian. Sizes are in bytes unless a comment says otherwise.
package minidump
