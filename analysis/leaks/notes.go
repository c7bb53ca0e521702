package leaks

import (
	"fmt"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// takeNotes says what the verdict rests on, and what it lacks.
func (r *Report) takeNotes(o *Options) {
	note := func(format string, args ...any) { r.Notes = append(r.Notes, fmt.Sprintf(format, args...)) }
	if text := o.selection(); text != "" {
		note("only %s were judged, as was asked", text)
	}
	for _, p := range r.Processes {
		s := p.Series
		for _, n := range s.Notes {
			note("%s: %s", s, n)
		}
		for _, snap := range p.Partial {
			note("%s: %s could not be read whole, and takes no part in what is counted over several dumps: %v", s, snap.File, snap.Partial)
		}
		for _, n := range p.Notes {
			note("%s: %s", s, n)
		}
		if len(s.Forced) > 0 {
			note("%s: taken for one process (--force) although they differ: %s", s, strings.Join(s.Forced, "; "))
		}
		if unknown := s.Unknown(); len(unknown) > 0 {
			note("%s: not in the dumps: its %s", s, words.List(unknown...))
		}
		if text := crashpadNote(s); text != "" {
			note("%s: %s", s, text)
		}
		if !s.Last().Info.Has(minidump.HandleOperationListStream) && r.accuses(s.ProcessIdentity) {
			note("%s: no handle trace, so nobody can be named; %s", s, analysis.CaptureTraces)
		}
	}
	for _, u := range r.Unmatched {
		note("%s, line %d: fits no finding: %s", u.File, u.Line, u.Text)
	}
}

// crashpadNote says of which dumps nobody can expect names.
func crashpadNote(s *analysis.Series) string {
	n, why := 0, ""
	for _, snap := range s.Snapshots {
		if note := snap.Info.Writer.Nameless(); note != "" {
			n, why = n+1, note
		}
	}
	switch n {
	case 0:
		return ""
	case len(s.Snapshots):
		return why
	}
	return words.Of(n, len(s.Snapshots), "dump") + " were " + why
}

// accuses reports whether a finding about a process is above info.
func (r *Report) accuses(p analysis.ProcessIdentity) bool {
	for _, f := range r.Findings {
		if f.Severity != SeverityInfo && f.Process == p {
			return true
		}
	}
	return false
}
