package analysis

import (
	"slices"
	"strings"
)

// PlaceholderAny stands for what has no common form in names that are many:
// the names of documents in a folder, or of users in file names.
const PlaceholderAny = "<any>"

// manyInFolder is how many forms of names one folder needs before they are
// taken for one thing although they agree in the folder only.
const manyInFolder = 64

// A family is forms of names that agree in their folder, in the word with which
// the rest begins, if it does with one, and in the extension.
type family struct {
	HandleKind // Name is the folder, with the backslash behind it
	head, ext  string
}

// families returns the family of a form, which may be none, and the wider one
// that does not look at the first word.
func families(form HandleKind) (narrow, wide family, ok bool) {
	cut := strings.LastIndexByte(form.Name, '\\') + 1
	if cut == 0 || cut == len(form.Name) {
		return narrow, wide, false
	}
	rest := form.Name[cut:]
	form.Name = form.Name[:cut]
	wide = family{HandleKind: form, ext: extensionOf(rest)}
	narrow = wide
	for i := range len(rest) {
		if !isAlnum(rest[i]) {
			if i > 0 && !hasDigit(rest[:i]) && rest[i] != '<' && i < len(rest)-len(wide.ext) {
				narrow.head = rest[:i+1]
			}
			break
		}
	}
	return narrow, wide, true
}

// extensionOf is ".tmp" of a file name, or "" of one without.
func extensionOf(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i <= 0 || len(name)-i > 9 || i+1 == len(name) {
		return ""
	}
	for j := i + 1; j < len(name); j++ {
		if !isAlnum(name[j]) {
			return ""
		}
	}
	return name[i:]
}

// kind is the kind of all members.
func (f family) kind() HandleKind {
	k := f.HandleKind
	k.Name += f.head + PlaceholderAny + f.ext
	return k
}

// mergeFamilies replaces rows of names without a common form by one for each
// family. Names of which there are many handles stay by themselves: one of them
// may be the leak.
func (t *KindTable) mergeFamilies() {
	t.families = map[family]bool{}
	for _, level := range []struct {
		members int
		of      func(HandleKind) (family, bool)
	}{
		{mergedNames, func(k HandleKind) (family, bool) {
			narrow, _, ok := families(k)
			return narrow, ok && narrow.head != ""
		}},
		{manyInFolder, func(k HandleKind) (family, bool) {
			_, wide, ok := families(k)
			return wide, ok
		}},
	} {
		members := map[family]int{}
		mergeable := func(r *KindRow) (family, bool) {
			if slices.Max(r.Counts) > mergedNames || strings.Contains(r.Name, PlaceholderAny) {
				return family{}, false
			}
			return level.of(normalized(r.HandleKind))
		}
		for i := range t.Rows {
			if f, ok := mergeable(&t.Rows[i]); ok {
				members[f]++
			}
		}
		merged := map[family]*KindRow{}
		kept := t.Rows[:0:0]
		for i := range t.Rows {
			r := &t.Rows[i]
			f, ok := mergeable(r)
			if !ok || members[f] <= level.members {
				kept = append(kept, *r)
				continue
			}
			into := merged[f]
			if into == nil {
				into = &KindRow{HandleKind: f.kind(), Merged: true, Counts: make([]uint64, len(r.Counts))}
				merged[f] = into
				t.families[f] = true
			}
			for d, c := range r.Counts {
				into.Counts[d] += c
			}
		}
		for _, r := range merged {
			kept = append(kept, *r)
		}
		t.Rows = kept
	}
}

// normalized is a kind with the form of its name.
func normalized(k HandleKind) HandleKind {
	k.Name = NormalizeName(k.Name)
	return k
}

// familyRow returns the row of a family that a form belongs to.
func (t *KindTable) familyRow(form HandleKind) (int, bool) {
	narrow, wide, ok := families(form)
	if !ok {
		return 0, false
	}
	for _, f := range []family{narrow, wide} {
		if t.families[f] {
			i, ok := t.index[f.kind()]
			return i, ok
		}
	}
	return 0, false
}
