package dumpfile

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// ChoiceError is returned for an archive from which one file must be chosen: it
// holds several dumps, or none, or not the one that was asked for.
type ChoiceError struct {
	Archive string   // as given to Open
	Wanted  string   // the NAME of FILE.zip:NAME; "" if none was given
	Names   []string // what there is, in the order of the archive
	Dumps   bool     // Names are dumps; otherwise all files of the archive
}

// maxNames is how many names the message of a ChoiceError spells out.
const maxNames = 10

func (e *ChoiceError) Error() string {
	if len(e.Names) == 0 {
		return "the archive is empty"
	}
	names, more := e.Names, ""
	if len(names) > maxNames {
		more = fmt.Sprintf(" and %d more", len(names)-maxNames)
		names = names[:maxNames]
	}
	list := strings.Join(names, ", ") + more
	switch {
	case e.Wanted != "":
		if e.several() {
			return fmt.Sprintf("the archive holds several files %s: choose one of %s", e.Wanted, list)
		}
		return fmt.Sprintf("the archive holds no %s; it holds %s", e.Wanted, list)
	case e.Dumps:
		return fmt.Sprintf("the archive holds %d dumps, choose one as %s:NAME from %s", len(e.Names), e.Archive, list)
	}
	return fmt.Sprintf("the archive holds no minidump; to open another file of it say %s:NAME; it holds %s", e.Archive, list)
}

// several reports whether the NAME that was asked for fits several files.
func (e *ChoiceError) several() bool {
	return slices.ContainsFunc(e.Names, func(name string) bool { return path.Base(name) == path.Base(e.Wanted) })
}

// splitName splits FILE:NAME. The file is the longest part before a colon that
// isFile agrees to; ok is false when there is none.
func splitName(name string, isFile func(string) bool) (file, member string, ok bool) {
	for i := len(name) - 1; i > 0; i-- {
		if name[i] != ':' || i+1 == len(name) || isDrive(name, i) {
			continue
		}
		if file := name[:i]; file == "-" || isFile(file) {
			return file, name[i+1:], true
		}
	}
	return "", "", false
}

// isDrive reports whether the colon at i ends the drive of a Windows path.
func isDrive(name string, i int) bool {
	if i != 1 || len(name) == 2 || (name[2] != '\\' && name[2] != '/') {
		return false
	}
	letter := name[0] | 0x20
	return 'a' <= letter && letter <= 'z'
}

// findMember returns the index of the one name that want means: the same, or
// the only one of that base name. Archives written on Windows may have
// backslashes.
func findMember(names []string, want string) (int, bool) {
	slashes := func(s string) string { return strings.ReplaceAll(s, `\`, "/") }
	want = slashes(want)
	found, count := -1, 0
	for i, name := range names {
		name = slashes(name)
		if name == want {
			return i, true
		}
		if strings.EqualFold(path.Base(name), want) || strings.EqualFold(name, want) {
			found = i
			count++
		}
	}
	return found, count == 1
}
