package minidump

import (
	"bytes"
	"fmt"
)

// sniffSize is how much of a file is read to see what it is. It covers the
// header and leaves room to find the marker of a text file.
const sniffSize = 4096

// unpack is for those who have a compressed dump and this package alone.
const unpack = "; unpack it first, or open it with package minidump/dumpfile"

// kinds are files that people take for minidumps, by their first bytes.
var kinds = []struct{ magic, what string }{
	{"PAGEDU64", "a 64-bit Windows kernel or complete memory dump (PAGEDU64); dumpscan reads user-mode minidumps"},
	{"PAGEDUMP", "a 32-bit Windows kernel or complete memory dump (PAGEDUMP); dumpscan reads user-mode minidumps"},
	{"PMDM", "a big-endian minidump (an old PowerPC writer), which is not supported"},
	{"\x1f\x8b", "a gzip archive" + unpack},
	{"\x28\xb5\x2f\xfd", "a Zstandard archive" + unpack},
	{"PK\x03\x04", "a zip archive" + unpack},
	{"PK\x05\x06", "an empty zip archive"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"},
	{"Rar!\x1a\x07", "a RAR archive; unpack it first"},
	{"\xfd7zXZ\x00", "an xz archive; unpack it first"},
	{"BZh", "a bzip2 archive; unpack it first"},
	{"MSCF", "a Windows cabinet archive; unpack it first (expand.exe, cabextract)"},
	{"MZ", "a Windows program or DLL, not a dump of one"},
	{"Microsoft C/C++ MSF 7.00", "a PDB symbol file"},
	{"MODULE ", "a Breakpad symbol file"},
	{"\xcf\xfa\xed\xfe", "a Mach-O file (macOS core or program)"},
	{"\xce\xfa\xed\xfe", "a Mach-O file (macOS core or program)"},
	{"version https://git-lfs", "a Git LFS pointer; fetch the real file with git lfs pull"},
	{"<!DOCTYPE", "an HTML page"},
	{"<html", "an HTML page"},
}

// sniff says in a few words what a file is that is not a minidump.
func sniff(head []byte, size int64) error {
	what := known(head, size)
	switch {
	case what != "":
		return fmt.Errorf("%w: %s", ErrNotMinidump, what)
	case len(bytes.Trim(head, "\x00")) == 0:
		return headerError{fmt.Sprintf("its first %d bytes are all zero", len(head))}
	}
	return headerError{fmt.Sprintf("it starts with the bytes % x instead of 4d 44 4d 50 (MDMP)", head[:4])}
}

// known says what a file is by its first bytes, or "".
func known(head []byte, size int64) string {
	if size == 0 {
		return "the file is empty"
	}
	for _, k := range kinds {
		if bytes.HasPrefix(head, []byte(k.magic)) {
			return "it is " + k.what
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		if len(head) > 16 && head[16] == 4 {
			return "it is an ELF core dump (Linux); use gdb or lldb"
		}
		return "it is an ELF program or library"
	case bytes.Contains(head, []byte("-----BEGIN BREAKPAD MICRODUMP-----")):
		return "it is a Breakpad microdump (text); it holds no handles"
	case len(head) < 4:
		return fmt.Sprintf("it has only %d bytes", len(head))
	}
	return ""
}
