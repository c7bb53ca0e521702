package leaks

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
)

// A Suppression is a line of a file of known and accepted findings.
type Suppression struct {
	File   string // as named by the caller
	Line   int    // from 1
	Text   string // without the comment
	Reason string // the comment behind it

	process string // lower case; "" any
	anyType bool
	typ     string
	name    *analysis.NamePattern // nil: any
}

// A SuppressedFinding is a finding that was accepted.
type SuppressedFinding struct {
	Finding
	By Suppression
}

// ParseSuppressions reads a file of suppressions that has the given name. Each
// line has the form
//
//	[PROCESS!]TYPE[:NAME]   # reason
//
// PROCESS is the file name of the program, TYPE an object type in any case, "*"
// for every type or "None" for handles without one, NAME a pattern as
// [analysis.ParseNamePattern] reads it. Names with numbers replaced, as the findings
// show them, are matched in that form. A comment begins
// with "#" at the start of a line or behind a blank; empty lines are skipped.
func ParseSuppressions(r io.Reader, file string) ([]Suppression, error) {
	var list []Suppression
	in := bufio.NewScanner(r)
	for line := 1; in.Scan(); line++ {
		rule, reason := cutComment(in.Text())
		if rule == "" {
			continue
		}
		s := Suppression{File: file, Line: line, Text: rule, Reason: reason}
		subject, pattern, named := strings.Cut(rule, ":")
		if process, typ, ok := strings.Cut(subject, "!"); ok {
			s.process, subject = strings.ToLower(strings.TrimSpace(process)), typ
		}
		s.typ = analysis.CanonicalType(strings.TrimSpace(subject))
		s.anyType = s.typ == "*"
		if subject == "" || named && pattern == "" {
			return nil, fmt.Errorf("line %d: %q is not of the form [PROCESS!]TYPE[:NAME]", line, rule)
		}
		if named {
			var err error
			if s.name, err = analysis.ParseNamePattern(pattern); err != nil {
				return nil, fmt.Errorf("line %d: %w", line, err)
			}
		}
		list = append(list, s)
	}
	return list, in.Err()
}

// cutComment splits a line; names may hold a "#" of their own.
func cutComment(line string) (rule, reason string) {
	at := -1
	for i := range len(line) {
		if line[i] == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			at = i
			break
		}
	}
	if at < 0 {
		return strings.TrimSpace(line), ""
	}
	return strings.TrimSpace(line[:at]), strings.TrimSpace(strings.TrimLeft(line[at:], "# \t"))
}

// fits reports whether the suppression covers a finding. Findings that are
// about no group cannot be suppressed.
func (s *Suppression) fits(f *Finding) bool {
	return f.Group != nil && (s.anyType || strings.EqualFold(s.typ, f.Group.Type)) &&
		(s.process == "" || s.process == strings.ToLower(f.Process.Name())) &&
		(s.name == nil || s.name.Match(f.Group.Name))
}

// suppress sorts the findings into those that count and those accepted.
func (r *Report) suppress(findings []Finding, list []Suppression) {
	used := make([]bool, len(list))
next:
	for _, f := range findings {
		for i := range list {
			if list[i].fits(&f) {
				used[i] = true
				r.Suppressed = append(r.Suppressed, SuppressedFinding{f, list[i]})
				continue next
			}
		}
		r.Findings = append(r.Findings, f)
	}
	for i, s := range list {
		if !used[i] {
			r.Unmatched = append(r.Unmatched, s)
		}
	}
}
