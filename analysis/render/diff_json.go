package render

import (
	"context"
	"io"
	"iter"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// DiffSchema is the field "schema" of what a [DiffReport] writes in JSON.
const DiffSchema = "dumpscan.diff/1"

// DiffReport writes the answers of "dumpscan diff". Its JSON is
//
//	schema      "dumpscan.diff/1"
//	old, new    the dumps, see DumpHeader
//	seconds     from OLD to NEW by their time stamps; negative if NEW is the
//	            older one; absent if a dump does not tell
//	differs     [sentence]: what speaks against OLD and NEW being dumps of one
//	            process, in this order
//	total       counts of all handles, see below
//	types       [{type, counts}], in WinDbg's order; handles without type: ""
//	groups      [{kind, counts}], the most changed first; see below
//	added       with --handles: the handles that only NEW has, in the form of
//	            dumpscan.handles/1
//	removed     with --handles: the handles that only OLD has
//	notes       [sentence]
//	errors      [sentence]
//
// A kind is the fields
//
//	type        "Key"; handles without type: ""
//	name        of the objects; "" if they have none
//	merged      name is a form, many names differ in its placeholders only:
//	            "<n>", "<guid>", "<sid>", "<tmp>"
//	access      "0x20019"
//	state       absent, or "manual", "auto", "abandoned", "running", "exited"
//	attributes  "0x2", OBJ_*; absent for 0 and for objects with a name
//
// Counts are the fields
//
//	old      handles in OLD: kept + removed
//	new      handles in NEW: kept + added
//	growth   new less old
//	added    handles in NEW only
//	removed  handles in OLD only
//	kept     handles in both: same value, type, name and granted access
//	reused   how many of added have a value that was another handle in OLD
type DiffReport struct {
	Old, New DumpHeader
	Seconds  *int64
	Differs  []string
	Diff     *analysis.HandleDiff
	Notes    []string
	Errors   []string
}

type jsonDiffCount struct {
	Old     uint64 `json:"old"`
	New     uint64 `json:"new"`
	Growth  int64  `json:"growth"`
	Added   uint64 `json:"added"`
	Removed uint64 `json:"removed"`
	Kept    uint64 `json:"kept"`
	Reused  uint64 `json:"reused"`
}

func newJSONDiffCount(c analysis.DiffCount) jsonDiffCount {
	return jsonDiffCount{c.Old, c.New, c.Growth(), c.Added, c.Removed, c.Kept, c.Reused}
}

type jsonDiffType struct {
	Type string `json:"type"`
	jsonDiffCount
}

type jsonDiffGroup struct {
	jsonKind
	jsonDiffCount
}

// JSON writes the difference, with the handles that were added and removed if
// they are asked for.
func (r *DiffReport) JSON(w io.Writer, handles bool) error {
	j := NewJSONWriter(w, DiffSchema)
	j.Field("old", r.Old)
	j.Field("new", r.New)
	if r.Seconds != nil {
		j.Field("seconds", *r.Seconds)
	}
	j.Strings("differs", r.Differs)
	j.Field("total", newJSONDiffCount(r.Diff.Total))
	j.List("types", func(element func(any)) {
		for _, t := range r.Diff.Types {
			element(jsonDiffType{t.Type, newJSONDiffCount(t.DiffCount)})
		}
	})
	j.List("groups", func(element func(any)) {
		for _, g := range r.Diff.Groups {
			element(jsonDiffGroup{newJSONKind(g.HandleKind, g.Merged), newJSONDiffCount(g.DiffCount)})
		}
	})
	if handles {
		writeHandles(j, "added", r.Diff.Added(context.Background()))
		writeHandles(j, "removed", r.Diff.Removed(context.Background()))
	}
	j.Strings("notes", r.Notes)
	j.Strings("errors", r.Errors)
	return j.Close()
}

func writeHandles(j *JSONWriter, name string, handles iter.Seq[*minidump.Handle]) {
	j.List(name, func(element func(any)) {
		for h := range handles {
			element(newJSONHandle(h))
		}
	})
}

// jsonKind is a kind of handles as the answers of diff and check have it.
type jsonKind struct {
	Type       string `json:"type"`
	Name       string `json:"name"`
	Merged     bool   `json:"merged"`
	Access     string `json:"access"`
	State      string `json:"state,omitempty"`
	Attributes string `json:"attributes,omitempty"`
}

func newJSONKind(k analysis.HandleKind, merged bool) jsonKind {
	j := jsonKind{Type: k.Type, Name: k.Name, Merged: merged, Access: hexNumber(k.GrantedAccess), State: k.State}
	if k.Attributes != 0 {
		j.Attributes = hexNumber(k.Attributes)
	}
	return j
}
