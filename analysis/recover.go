package analysis

import (
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// DirectoryLost reports whether the directory of a dump leads to no stream,
// although the file has more than a header: then [minidump.Recover] may find
// some.
func DirectoryLost(f *minidump.File) bool {
	const header = 32
	entries, err := f.Directory()
	return f.Size() > header && (err != nil || !slices.ContainsFunc(entries, func(e minidump.DirectoryEntry) bool {
		return e.RVA >= header && int64(e.RVA) < f.Size() && e.DataSize > 0
	}))
}

// isRecovered reports whether a stream was found by its shape.
func isRecovered(f *minidump.File, e minidump.DirectoryEntry) bool {
	return slices.ContainsFunc(f.Recovered(), func(s minidump.RecoveredStream) bool { return s.DirectoryEntry == e })
}
