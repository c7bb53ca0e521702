package analysis

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A HandleFilter selects handles. The zero value selects all of them; every
// field that is set narrows the selection.
type HandleFilter struct {
	// OneHandle selects the value Handle alone, which may be 0. Its two low bits do
	// not matter, as for !handle: Windows leaves them to programs, which may mark a
	// value with them.
	OneHandle bool
	Handle    uint64
	Types     []string     // one of these types in any case; "" and "None" are the handles without a type
	Name      *NamePattern // the object's name matches
	Unnamed   bool         // the object has no name
	Access    *AccessPattern
	State     string // one of the words of ObjectState.Words
}

// Everything reports whether the filter selects every handle.
func (f *HandleFilter) Everything() bool {
	return !f.OneHandle && len(f.Types) == 0 && f.Name == nil && !f.Unnamed && f.Access == nil && f.State == ""
}

// Parts are what the filter needs to know of a handle beside its descriptor.
func (f *HandleFilter) Parts() minidump.HandleParts {
	var p minidump.HandleParts
	if len(f.Types) > 0 || f.Access != nil {
		p |= minidump.HandleTypeName
	}
	if f.Name != nil || f.Unnamed {
		p |= minidump.HandleObjectName
	}
	if f.State != "" {
		p |= minidump.HandleObjectInfo
	}
	return p
}

// Match reports whether h is selected.
func (f *HandleFilter) Match(h *minidump.Handle) bool {
	const tags = 3
	switch {
	case f.OneHandle && (h.Handle^f.Handle)&^tags != 0,
		len(f.Types) > 0 && !isOneOf(h.TypeName, f.Types),
		f.Unnamed && h.ObjectName != "",
		f.Name != nil && !f.Name.Match(h.ObjectName),
		f.Access != nil && !f.Access.Match(h.TypeName, h.GrantedAccess):
		return false
	}
	if f.State == "" {
		return true
	}
	state := DecodeObject(h.ObjectInfo)
	return slices.Contains(state.Words(), f.State)
}

// isOneOf reports whether a type of a dump is one of those that were typed.
func isOneOf(typeName string, typed []string) bool {
	for _, t := range typed {
		if strings.EqualFold(typeName, t) || typeName == "" && strings.EqualFold(t, Untyped) {
			return true
		}
	}
	return false
}

// CheckState returns an error that lists the words, if word is not one of
// those that [ObjectState.Words] returns.
func CheckState(word string) error {
	if slices.Contains(stateWords[:], word) {
		return nil
	}
	if similar := words.Similar(word, stateWords[:]); similar != "" {
		return fmt.Errorf("unknown state %q; did you mean %s?", word, similar)
	}
	return fmt.Errorf("unknown state %q; known are %s", word, words.List(stateWords[:]...))
}

// StateWords are all the words that [ObjectState.Words] can return.
func StateWords() []string { return slices.Clone(stateWords[:]) }

// A NamePattern is a condition on an object's name.
type NamePattern struct {
	text string
	re   *regexp.Regexp // nil: text is a substring, in lower case
}

// ParseNamePattern understands three forms: "re:EXPR" is a regular expression
// (https://pkg.go.dev/regexp/syntax) that matches anywhere in the name; a text
// with * or ? is a glob that matches the whole name, in which * and ? also
// match backslashes; any other text is a substring. Globs and substrings
// ignore case, as names in Windows do.
func ParseNamePattern(text string) (*NamePattern, error) {
	if expr, ok := strings.CutPrefix(text, "re:"); ok {
		re, err := regexp.Compile(expr)
		if err != nil {
			return nil, fmt.Errorf("name pattern: %w", err)
		}
		return &NamePattern{text: text, re: re}, nil
	}
	if strings.ContainsAny(text, "*?") {
		expr := regexp.QuoteMeta(text)
		expr = strings.ReplaceAll(expr, `\*`, ".*")
		expr = strings.ReplaceAll(expr, `\?`, ".")
		re, err := regexp.Compile("(?is)^" + expr + "$")
		if err != nil {
			return nil, fmt.Errorf("name pattern: %w", err)
		}
		return &NamePattern{text: text, re: re}, nil
	}
	return &NamePattern{text: strings.ToLower(text)}, nil
}

// Match reports whether the name fits. Nothing matches an object without name.
func (p *NamePattern) Match(name string) bool {
	if name == "" {
		return false
	}
	if p.re != nil {
		return p.re.MatchString(name)
	}
	return strings.Contains(strings.ToLower(name), p.text)
}
