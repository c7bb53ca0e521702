package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumpfile"
)

// recoverHint is for those who have a dump that cannot be read otherwise.
const recoverHint = "--recover looks for the streams by their shapes"

// read reads the directory, or rebuilds it if that is asked for.
func (a *app) read(ctx context.Context, file *dumpfile.File) (*minidump.File, error) {
	if a.recover {
		return file.Recover(ctx)
	}
	return file.Dump()
}

// aboutDirectory says which streams were found by their shapes, or how to do that
// where the directory leads nowhere.
func (a *app) aboutDirectory(name string, f *minidump.File) {
	told := "directory: " + name
	if a.noted[told] {
		return // dumps of a series are opened more than once
	}
	a.noted[told] = true
	found := f.Recovered()
	if len(found) == 0 {
		if !a.recover && analysis.DirectoryLost(f) {
			a.notef("%s: the directory leads to no stream; %s", name, recoverHint)
		}
		return
	}
	var streams []string
	for _, s := range found {
		text := fmt.Sprintf("%s at %#x (%s", s.StreamType, s.RVA, words.Plural(s.References, "reference"))
		if s.Rivals > 0 {
			text += fmt.Sprintf("; chosen from %d candidates", s.Rivals+1)
		}
		streams = append(streams, text+")")
	}
	a.notef("%s: recovered: %s", name, strings.Join(streams, ", "))
}
