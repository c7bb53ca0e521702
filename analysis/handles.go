package analysis

import (
	"iter"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// TypeCount is the number of handles of one object type.
type TypeCount struct {
	Type  string // "" for handles without a type
	Count uint64
}

// HandleSummary is what "!handle 0 0" shows, and what can be said about it at
// a glance.
type HandleSummary struct {
	Total uint64
	Types []TypeCount // in WinDbg's order, types that it does not know last

	// UntypedEtw counts the handles without a type whose granted access is
	// 0x804, the mask of an EtwRegistration. Crashpad leaves handles that it
	// cannot duplicate like this, so that these are probably registrations of
	// event trace providers. They are part of the handles of type "".
	UntypedEtw uint64

	// Named tells whether any object has a name. It is known only if the
	// names were read.
	Named bool
}

// etwAccess is the access mask of an EtwRegistration.
const etwAccess = 0x804

// Select filters handles. Errors pass through, and so do the parts of handles
// that came with an error and match.
func Select(handles iter.Seq2[minidump.Handle, error], filter *HandleFilter) iter.Seq2[minidump.Handle, error] {
	return func(yield func(minidump.Handle, error) bool) {
		for h, err := range handles {
			if !filter.Match(&h) {
				if err == nil {
					continue
				}
				h = minidump.Handle{} // not selected, but the error counts
			}
			if !yield(h, err) {
				return
			}
		}
	}
}

// isHandle reports whether an iterator's step brought a handle, as opposed to
// just the error that ends the list.
func isHandle(h *minidump.Handle, err error) bool {
	return err == nil || h.Handle != 0 || h.TypeName != "" || h.GrantedAccess != 0
}

// Summarize counts handles by type. The error, if not nil, tells what could
// not be read; the summary covers the rest.
func Summarize(handles iter.Seq2[minidump.Handle, error]) (*HandleSummary, error) {
	s := &HandleSummary{}
	var failed failures
	counts := map[string]*uint64{}
	// Handles of a leak mostly come in runs of one type.
	lastType, lastCount := "", new(uint64)
	counts[""] = lastCount
	for h, err := range handles {
		if err != nil {
			failed.note(err)
			if !isHandle(&h, err) {
				continue
			}
		}
		if h.TypeName != lastType {
			lastType, lastCount = h.TypeName, counts[h.TypeName]
			if lastCount == nil {
				lastCount = new(uint64)
				counts[lastType] = lastCount
			}
		}
		*lastCount++
		s.Total++
		if h.TypeName == "" && h.GrantedAccess == etwAccess {
			s.UntypedEtw++
		}
		if h.ObjectName != "" {
			s.Named = true
		}
	}
	for name, n := range counts {
		if *n > 0 {
			s.Types = append(s.Types, TypeCount{Type: name, Count: *n})
		}
	}
	slices.SortFunc(s.Types, func(a, b TypeCount) int { return compareTypes(a.Type, b.Type) })
	return s, failed.err()
}

// WinDbgTypes returns the counts as WinDbg groups them: types that it does not
// know are part of the handles without a type.
func (s *HandleSummary) WinDbgTypes() []TypeCount {
	var types []TypeCount
	folded := TypeCount{}
	for _, t := range s.Types {
		if KnownType(t.Type) {
			types = append(types, t)
		} else {
			folded.Count += t.Count
		}
	}
	if folded.Count > 0 {
		types = slices.Insert(types, 0, folded)
	}
	return types
}
