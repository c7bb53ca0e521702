package analysis

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dumpscan/dumpscan/minidump"
)

// A HandleFilter selects handles. The zero value selects all of them; every
// field that is set narrows the selection.
type HandleFilter struct {
	Handle  uint64       // this value, if not 0
	Type    *string      // this type in any case; "" and "None" are the handles without a type
	Name    *NamePattern // the object's name matches
	Unnamed bool         // the object has no name
	Access  *AccessPattern
	State   string // one of the words of ObjectState.Words
}

// Parts tells what the filter needs to know of a handle beside its
// descriptor.
func (f *HandleFilter) Parts() minidump.HandleParts {
	var p minidump.HandleParts
	if f.Type != nil || f.Access != nil {
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
	switch {
	case f.Handle != 0 && h.Handle != f.Handle,
		f.Type != nil && !strings.EqualFold(h.TypeName, CanonicalType(*f.Type)),
		f.Unnamed && h.ObjectName != "",
		f.Name != nil && !f.Name.Match(h.ObjectName),
		f.Access != nil && !f.Access.Match(h.GrantedAccess):
		return false
	}
	if f.State == "" {
		return true
	}
	state := DecodeObject(h.ObjectInfo)
	return slices.Contains(state.Words(), f.State)
}

// CheckState returns an error that lists the words, if word is not one of
// those that [ObjectState.Words] returns.
func CheckState(word string) error {
	if slices.Contains(stateWords[:], word) {
		return nil
	}
	return fmt.Errorf("unknown state %q; known are %s", word, strings.Join(stateWords[:], ", "))
}

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

// An AccessPattern is a condition on a granted access mask.
type AccessPattern struct {
	mask  uint32
	exact bool
}

// ParseAccess understands a hexadecimal mask with or without 0x, all of whose
// bits must be granted; the same behind "=", which must be the whole mask; and
// names of rights joined by commas, WinDbg's or the constants of the headers,
// in any case ("SetValue", "KEY_SET_VALUE,DELETE"). typeName chooses between
// types that share a name for different bits; it may be "".
func ParseAccess(typeName, text string) (*AccessPattern, error) {
	digits, exact := strings.CutPrefix(text, "=")
	if mask, err := strconv.ParseUint(trim0x(digits), 16, 32); err == nil {
		return &AccessPattern{mask: uint32(mask), exact: exact}, nil
	}
	var mask uint32
	for name := range strings.SplitSeq(digits, ",") {
		bit, ok := FindRight(typeName, strings.TrimSpace(name))
		if !ok {
			return nil, fmt.Errorf("no right %q; give a mask such as 0x20019, or a right of one type together with that type", name)
		}
		mask |= bit
	}
	return &AccessPattern{mask: mask, exact: exact}, nil
}

// Match reports whether the mask fits.
func (p *AccessPattern) Match(granted uint32) bool {
	if p.exact {
		return granted == p.mask
	}
	return granted&p.mask == p.mask
}

// ParseHex reads a number as WinDbg does: hexadecimal with or without 0x, and
// with the backtick that it prints between the halves of 64 bits.
func ParseHex(text string) (uint64, error) {
	n, err := strconv.ParseUint(trim0x(strings.ReplaceAll(text, "`", "")), 16, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a hexadecimal number", text)
	}
	return n, nil
}

func trim0x(text string) string {
	return strings.TrimPrefix(strings.TrimPrefix(text, "0x"), "0X")
}
