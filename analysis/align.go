package analysis

import (
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// A KindRow is one kind of handles in a row of dumps.
type KindRow struct {
	HandleKind
	Merged bool     // Name is a form that many names have
	Counts []uint64 // a number for each dump
}

// A KindTable holds the counts of several dumps side by side. A name is merged
// in all of them if it is in one, or if the names of its form in all of them
// are too many together, so that a row means the same in each dump. It is
// immutable.
type KindTable struct {
	Rows          []KindRow // in the order of HandleKind.Compare
	NamesIgnored  bool      // see [AlignDumps]
	StatesIgnored bool

	index    map[HandleKind]int
	families map[family]bool // that have a row
}

// AlignKinds makes a table of counts: of dumps, or of parts of them.
func AlignKinds(dumps ...*KindCounts) *KindTable { return (&KindTable{}).align(dumps) }

// AlignDumps is AlignKinds for whole dumps that may be by different writers.
// What some of them say and others cannot is left out of all: the names if
// one dump has none at all, and the states if one has no object information.
func AlignDumps(dumps ...*KindCounts) *KindTable {
	t := &KindTable{}
	return t.align(t.fold(dumps))
}

func (t *KindTable) align(dumps []*KindCounts) *KindTable {
	for i, d := range dumps {
		for form := range d.forms {
			if !counted(dumps[:i], form) {
				t.add(form, dumps)
			}
		}
	}
	t.mergeFamilies()
	slices.SortFunc(t.Rows, func(a, b KindRow) int { return a.Compare(b.HandleKind) })
	t.index = make(map[HandleKind]int, len(t.Rows))
	for i, r := range t.Rows {
		t.index[r.HandleKind] = i
	}
	return t
}

// fold finds out what has to be ignored, and leaves it out of the counts.
func (t *KindTable) fold(dumps []*KindCounts) []*KindCounts {
	var named, unnamed, stated, stateless bool
	for _, d := range dumps {
		named, stated, stateless = named || d.Named, stated || d.Stated, stateless || d.Stateless && !d.Stated
		unnamed = unnamed || d.Total > 0 && !d.Named
	}
	t.NamesIgnored, t.StatesIgnored = named && unnamed, stated && stateless
	if !t.NamesIgnored && !t.StatesIgnored {
		return dumps
	}
	folded := make([]*KindCounts, len(dumps))
	for i, d := range dumps {
		folded[i] = &KindCounts{Total: d.Total, forms: map[HandleKind]*formCount{}}
		for form, f := range d.forms {
			into := folded[i].forms[t.comparable(form)]
			if into == nil {
				into = &formCount{}
				folded[i].forms[t.comparable(form)] = into
			}
			into.join(f, t.NamesIgnored)
		}
	}
	return folded
}

// comparable leaves out of a kind what has to be ignored.
func (t *KindTable) comparable(k HandleKind) HandleKind {
	if t.NamesIgnored {
		k.Name, k.Attributes = "", 0
	}
	if t.StatesIgnored {
		k.State = ""
	}
	return k
}

// join adds the counts of another form.
func (f *formCount) join(o *formCount, nameless bool) {
	f.count += o.count
	switch {
	case nameless && f.names == nil:
		f.names = []nameCount{{"", o.count}}
	case nameless:
		f.names[0].count += o.count
	case f.merged || o.merged:
		f.names, f.merged = nil, true
	default:
		for _, n := range o.names {
			i := slices.IndexFunc(f.names, func(m nameCount) bool { return m.name == n.name })
			if i < 0 {
				f.names = append(f.names, n)
			} else {
				f.names[i].count += n.count
			}
		}
		if len(f.names) > mergedNames {
			f.names, f.merged = nil, true
		}
	}
}

func counted(dumps []*KindCounts, form HandleKind) bool {
	for _, d := range dumps {
		if d.forms[form] != nil {
			return true
		}
	}
	return false
}

// add makes the rows of one form.
func (t *KindTable) add(form HandleKind, dumps []*KindCounts) {
	var rows []KindRow
	whole := KindRow{HandleKind: form, Merged: true, Counts: make([]uint64, len(dumps))}
	merged := false
	for i, d := range dumps {
		f := d.forms[form]
		if f == nil {
			continue
		}
		whole.Counts[i] = f.count
		if merged = merged || f.merged; merged {
			continue
		}
		for _, n := range f.names {
			at := slices.IndexFunc(rows, func(r KindRow) bool { return r.Name == n.name })
			if at < 0 {
				at = len(rows)
				row := KindRow{HandleKind: form, Counts: make([]uint64, len(dumps))}
				row.Name = n.name
				rows = append(rows, row)
			}
			rows[at].Counts[i] = n.count
		}
		merged = len(rows) > mergedNames
	}
	if merged {
		rows = []KindRow{whole}
	}
	t.Rows = append(t.Rows, rows...)
}

// A KindFinder finds the rows of handles, fastest where handles of one kind
// follow each other. It is not safe for concurrent use.
type KindFinder struct {
	table *KindTable
	kind  HandleKind
	row   int
}

// Finder returns a finder for the rows of the table.
func (t *KindTable) Finder() *KindFinder { return &KindFinder{table: t, row: -1} }

// Row returns the row of a handle, or -1 if no dump of the table has handles
// of its kind. The handle must come with the parts of [KindParts].
func (f *KindFinder) Row(h *minidump.Handle) int {
	if k := exactKind(h); k != f.kind || f.row < 0 {
		f.kind, f.row = k, f.table.find(k)
	}
	return f.row
}

func (t *KindTable) find(k HandleKind) int {
	k = t.comparable(k)
	if i, ok := t.index[k]; ok && !t.Rows[i].Merged {
		return i
	}
	k.Name = NormalizeName(k.Name)
	if i, ok := t.index[k]; ok && t.Rows[i].Merged {
		return i
	}
	if i, ok := t.familyRow(k); ok {
		return i
	}
	return -1
}
