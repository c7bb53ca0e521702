package analysis

import (
	"context"
	"fmt"
	"slices"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// HandleNotes explain what in the handles of a dump is easily misread: sentences
// without a full stop. The summary is that of all its handles.
func HandleNotes(f *minidump.File, l *HandleList, s *HandleSummary) []string {
	var notes []string
	if err := l.Empty(); err != nil {
		notes = append(notes, err.Error())
	}
	if note := DetectWriter(f).Nameless(); note != "" && !s.Named {
		notes = append(notes, note)
	}
	if s.UntypedEtw > 0 {
		notes = append(notes, fmt.Sprintf("%s without a type but with access %#x: probably EtwRegistration, "+
			"which cannot be duplicated; counted as None", words.Plural(s.UntypedEtw, "handle"), etwAccess))
	}
	return append(notes, IgnoredNotes(f, minidump.HandleDataStream)...)
}

// IgnoredNotes say which streams are not read because there are several of
// their type, of the given types or of all if there is none.
func IgnoredNotes(f *minidump.File, types ...minidump.StreamType) []string {
	var notes []string
	for _, s := range f.Ignored() {
		if len(types) > 0 && !slices.Contains(types, s.StreamType) {
			continue
		}
		note := fmt.Sprintf("the dump has several streams %s: that at file offset %#x is read, that at %#x is not",
			s.StreamType, s.Taken.RVA, s.RVA)
		if s.Err != nil {
			note += fmt.Sprintf(": %v", s.Err)
		}
		notes = append(notes, note)
	}
	return notes
}

// NotFound says why a selection of one value is empty; it returns nil for one
// that is not about a value. The error is a sentence about the handle, or that
// of ctx.
func (l *HandleList) NotFound(ctx context.Context) error {
	if !l.filter.OneHandle {
		return nil
	}
	var found *minidump.Handle
	l.Select(HandleFilter{OneHandle: true, Handle: l.filter.Handle}).Walk(ctx, minidump.HandleTypeName, func(h *minidump.Handle) bool {
		c := *h
		found = &c
		return false
	}) // what cannot be read is not found
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case found == nil:
		return fmt.Errorf("no open handle %#x", l.filter.Handle)
	case len(l.filter.Types) > 0 && !isOneOf(found.TypeName, l.filter.Types):
		return fmt.Errorf("handle %#x is open, but its type is %s, not %s",
			found.Handle, words.Type(found.TypeName), words.Choice(canonicalTypes(l.filter.Types)...))
	}
	return fmt.Errorf("handle %#x is open, a handle of type %s, but the other options leave it out", found.Handle, words.Type(found.TypeName))
}

func canonicalTypes(typed []string) []string {
	list := make([]string, len(typed))
	for i, t := range typed {
		list[i] = words.Type(CanonicalType(t))
	}
	return list
}

// CheckTypes returns an [*UnknownTypeError] if one of the types that a person
// typed is neither one that WinDbg knows nor one of the handles in the lists.
// Other errors are those of ctx.
func CheckTypes(ctx context.Context, typed []string, lists ...*HandleList) error {
	var inDumps []string
	read := false
	for _, t := range typed {
		if CheckType(t, nil) == nil {
			continue
		}
		if !read {
			read = true
			for _, l := range lists {
				s, err := Summarize(ctx, l.Select(HandleFilter{}), 0)
				if s == nil {
					return err
				}
				for _, t := range s.Types {
					inDumps = append(inDumps, t.Type)
				}
			}
		}
		if err := CheckType(t, inDumps); err != nil {
			return err
		}
	}
	return nil
}
