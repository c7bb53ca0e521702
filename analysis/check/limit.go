package check

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
)

// A LimitKind says what a [Limit] bounds. It is spelled like the option of
// "dumpscan check".
type LimitKind string

// The kinds.
const (
	LimitCount  LimitKind = "max"        // handles in a dump
	LimitGrowth LimitKind = "max-growth" // handles more in the last dump than in the first
	LimitRate   LimitKind = "max-rate"   // growth by time
)

// A LimitScope says which handles a [Limit] counts together.
type LimitScope uint8

// The scopes.
const (
	ScopeType  LimitScope = iota // those of one type
	ScopeTotal                   // all
	ScopeEach                    // those of every type, each by itself
)

// A Limit is a number of handles that must not be exceeded.
type Limit struct {
	Kind  LimitKind
	Scope LimitScope
	Type  string                // of ScopeType; "" for handles without a type
	Name  *analysis.NamePattern // count handles with such a name only; nil: all

	N       uint64
	Percent bool          // of LimitGrowth: N is in percent of the first dump
	Per     time.Duration // of LimitRate: N handles in this time

	text    string
	pattern string // of Name, with the colon before it
}

// ParseLimit reads a limit as "dumpscan check" takes it. For LimitCount that is
// SUBJECT=N, for LimitGrowth SUBJECT=+N or SUBJECT=+N%, with or without the
// plus sign, and for LimitRate SUBJECT=N/UNIT, where UNIT is s, min, h or d.
// N is a whole number.
//
// SUBJECT is an object type in any case ("None" for handles without one),
// "total" for all handles, or "each" for every type by itself, which is also
// meant if "SUBJECT=" is absent. A colon and a pattern behind it restrict it to
// handles with such names; see [ParseNamePattern]: Key:\REGISTRY\MACHINE\*=100.
func ParseLimit(kind LimitKind, text string) (Limit, error) {
	l := Limit{Kind: kind, Scope: ScopeEach, text: text}
	amount := text
	if i := strings.LastIndexByte(text, '='); i >= 0 {
		amount = text[i+1:]
		if err := l.parseSubject(text[:i]); err != nil {
			return Limit{}, fmt.Errorf("%q: %w", text, err)
		}
	}
	if err := l.parseAmount(amount); err != nil {
		return Limit{}, fmt.Errorf("%q: %w", text, err)
	}
	return l, nil
}

func (l *Limit) parseSubject(text string) (err error) {
	subject, pattern, named := strings.Cut(text, ":")
	if named {
		if pattern == "" {
			return fmt.Errorf("there is no pattern behind the colon")
		}
		if l.Name, err = analysis.ParseNamePattern(pattern); err != nil {
			return err
		}
		l.pattern = ":" + pattern
	}
	switch {
	case subject == "":
		return fmt.Errorf("there is no type; all handles are called total")
	case strings.EqualFold(subject, "total"):
		l.Scope = ScopeTotal
	case strings.EqualFold(subject, "each"):
		l.Scope = ScopeEach
	default:
		l.Scope, l.Type = ScopeType, analysis.CanonicalType(subject)
	}
	return nil
}

// limitUnits are the times that a rate can be given for.
var limitUnits = [...]struct {
	name string
	per  time.Duration
}{
	{"s", time.Second}, {"sec", time.Second}, {"min", time.Minute}, {"m", time.Minute},
	{"h", time.Hour}, {"hour", time.Hour}, {"d", 24 * time.Hour}, {"day", 24 * time.Hour},
}

func (l *Limit) parseAmount(text string) (err error) {
	number := text
	switch l.Kind {
	case LimitGrowth:
		number, l.Percent = strings.CutSuffix(strings.TrimPrefix(text, "+"), "%")
	case LimitRate:
		var unit string
		var ok bool
		if number, unit, ok = strings.Cut(strings.TrimPrefix(text, "+"), "/"); !ok {
			return fmt.Errorf("a rate is a number and a time, such as 50/h")
		}
		for _, u := range limitUnits {
			if u.name == unit {
				l.Per = u.per
			}
		}
		if l.Per == 0 {
			return fmt.Errorf("unknown time %q; use s, min, h or d", unit)
		}
	}
	l.N, err = parseCount(number)
	return err
}

// parseCount reads a whole number. More handles than it allows cannot be: the
// format counts them in 32 bits.
func parseCount(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number up to 4294967295", text)
	}
	return n, nil
}

// String returns the text that the limit was parsed from.
func (l Limit) String() string { return l.text }

// counts reports whether the limit is about handles of this type.
func (l *Limit) counts(typeName string) bool {
	return l.Scope != ScopeType || strings.EqualFold(l.Type, typeName)
}

// subject names what the limit counts together, of which the type is one.
func (l *Limit) subject(typeName string) string {
	switch {
	case l.Scope == ScopeTotal:
		typeName = "total"
	case typeName == "":
		typeName = analysis.Untyped
	}
	return typeName + l.pattern
}

// A Tolerance says by how much a count may exceed the one that a [Baseline]
// has.
type Tolerance struct {
	Percent uint64 // of the baseline's count, rounded up
	N       uint64 // handles, in addition
}

// DefaultTolerance is for [ParseTolerance]. It leaves room for the few threads
// more or less that make two runs of a healthy program differ.
const DefaultTolerance = "10%+10"

// ParseTolerance reads "10%", "+20", "20" or both, "10%+20".
func ParseTolerance(text string) (t Tolerance, err error) {
	number := text
	if percent, rest, ok := strings.Cut(text, "%"); ok {
		if t.Percent, err = parseCount(percent); err != nil {
			return Tolerance{}, fmt.Errorf("tolerance %q: %w", text, err)
		}
		if number = rest; rest == "" {
			return t, nil
		}
		if rest[0] != '+' {
			return Tolerance{}, fmt.Errorf("tolerance %q: use N%%, +N or N%%+N", text)
		}
	}
	if t.N, err = parseCount(strings.TrimPrefix(number, "+")); err != nil {
		return Tolerance{}, fmt.Errorf("tolerance %q: %w", text, err)
	}
	return t, nil
}

// String returns the tolerance in the form that [ParseTolerance] reads.
func (t Tolerance) String() string {
	switch {
	case t.Percent == 0:
		return fmt.Sprintf("+%d", t.N)
	case t.N == 0:
		return fmt.Sprintf("%d%%", t.Percent)
	}
	return fmt.Sprintf("%d%%+%d", t.Percent, t.N)
}

// Allowed is the largest count that passes for a count in the baseline.
func (t Tolerance) Allowed(base uint64) uint64 {
	return base + (base*t.Percent+99)/100 + t.N
}
