package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// typeFlags is the option --type of all commands: types of handles in any case,
// joined by commas or given several times.
type typeFlags []string

// register adds the option to a command.
func (t *typeFlags) register(f *pflag.FlagSet, usage string) { f.Var(t, "type", usage) }

func (t *typeFlags) Set(text string) error {
	for typ := range strings.SplitSeq(text, ",") {
		typ = strings.TrimSpace(typ)
		if typ == "" {
			return errors.New(`it has an empty type; handles without a type are of type "None"`)
		}
		if !slices.ContainsFunc(*t, func(o string) bool { return strings.EqualFold(o, typ) }) {
			*t = append(*t, typ)
		}
	}
	return nil
}

func (t *typeFlags) String() string { return strings.Join(*t, ",") }

// Type is the word for a value in the help.
func (t *typeFlags) Type() string { return "types" }

// Append and the two below make it a [pflag.SliceValue].
func (t *typeFlags) Append(text string) error { return t.Set(text) }

func (t *typeFlags) Replace(types []string) error {
	*t = types
	return nil
}

func (t *typeFlags) GetSlice() []string { return *t }

// A limitFlag is the option --limit of all commands: how many rows of a list are
// written, in every format; 0 is all of them.
type limitFlag struct {
	n     uint64
	given bool
}

// register adds the option. what is the rows; of so many the text shows standard
// if the option is not given.
func (l *limitFlag) register(f *pflag.FlagSet, what string, standard uint64) {
	l.n = standard
	usage := "write at most this `number` of " + what + "; 0: all"
	if standard > 0 {
		usage += " (the text shows " + strconv.FormatUint(standard, 10) + " if not told otherwise)"
	}
	f.Var(l, "limit", usage)
}

// registerFrames adds the option --frames; WinDbg's own limit is the text's.
func (l *limitFlag) registerFrames(f *pflag.FlagSet) {
	l.n = 256
	f.Var(l, "frames", "write at most this `number` of frames of a stack; 0: all (the text shows 256 if not told otherwise)")
}

// forText and forData are the limit of the text, and of the formats for
// programs: these are whole unless the option says otherwise.
func (l *limitFlag) forText() uint64 { return l.n }

func (l *limitFlag) forData() uint64 {
	if !l.given {
		return 0
	}
	return l.n
}

// of is the limit of a format.
func (l *limitFlag) of(f render.Format) int {
	if f == render.Text {
		return int(l.forText())
	}
	return int(l.forData())
}

func (l *limitFlag) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return errors.New("it is not a number of rows; 0 is all of them")
	}
	l.n, l.given = n, true
	return nil
}

// String is empty for the default, which the usage says.
func (l *limitFlag) String() string {
	if !l.given {
		return ""
	}
	return strconv.FormatUint(l.n, 10)
}

// Type is the word for a value in the help.
func (l *limitFlag) Type() string { return "number" }

// A selection is the options that select handles by type and name.
type selection struct {
	types typeFlags
	name  string
}

// register adds the options to a command; verb is what happens to the handles.
func (s *selection) register(f *pflag.FlagSet, verb string) {
	s.types.register(f, verb+" handles of these `types`, joined by commas, in any case; None: without a type")
	f.StringVar(&s.name, "name", "", verb+" handles whose object's name has this `text`, fits this glob (* and ?), or re:EXPR")
}

// filter returns the selection.
func (s *selection) filter() (analysis.HandleFilter, error) {
	filter := analysis.HandleFilter{Types: s.types}
	if s.name != "" {
		var err error
		if filter.Name, err = analysis.ParseNamePattern(s.name); err != nil {
			return filter, usageError{err}
		}
	}
	return filter, nil
}

// A colorFlag is the option --color of all commands.
type colorFlag string

const (
	colorAuto   colorFlag = "auto"
	colorAlways colorFlag = "always"
	colorNever  colorFlag = "never"
)

var colors = []string{string(colorAuto), string(colorAlways), string(colorNever)}

func (c *colorFlag) Set(text string) error {
	if slices.Contains(colors, text) {
		*c = colorFlag(text)
		return nil
	}
	if similar := words.Similar(text, colors); similar != "" {
		return fmt.Errorf("did you mean %s?", similar)
	}
	return fmt.Errorf("it is one of %s", words.Choice(colors...))
}

// String is empty for the default, which needs no mention in the help.
func (c *colorFlag) String() string {
	if *c == colorAuto {
		return ""
	}
	return string(*c)
}

// Type is the word for a value in the help.
func (c *colorFlag) Type() string { return "string" }
