package render

import (
	"github.com/dumpscan/dumpscan/analysis"
)

// DiffReport is the answer of "dumpscan diff".
type DiffReport struct {
	Old     DumpHeader `json:"old"`
	New     DumpHeader `json:"new"`
	Seconds *int64     `json:"seconds,omitempty"` // from OLD to NEW by their time stamps; negative if NEW is the older one
	// Differs are sentences that speak against OLD and NEW being dumps of one
	// process, written in this order.
	Differs []string      `json:"differs"`
	Total   DiffCounts    `json:"total"`             // of all handles that were compared
	Types   []DiffType    `json:"types"`             // in WinDbg's order
	Groups  []DiffGroup   `json:"groups"`            // the most changed first
	Omitted int           `json:"omitted,omitempty"` // groups that a limit left out
	Added   *HandleStream `json:"added,omitempty"`   // the handles that only NEW has, if they were asked for
	Removed *HandleStream `json:"removed,omitempty"` // the handles that only OLD has
	Notes   []string      `json:"notes"`
	Errors  []string      `json:"errors"`

	// Changed is the number of all groups in which a handle was added or
	// removed, Unchanged that of the others.
	Changed   int `json:"-"`
	Unchanged int `json:"-"`
}

func (*DiffReport) schema() string { return "dumpscan.diff/2" }

// DiffCounts are numbers of handles in two dumps.
type DiffCounts struct {
	Old     uint64 `json:"old"`     // kept and removed
	New     uint64 `json:"new"`     // kept and added
	Growth  int64  `json:"growth"`  // new less old
	Added   uint64 `json:"added"`   // in NEW only
	Removed uint64 `json:"removed"` // in OLD only
	Kept    uint64 `json:"kept"`    // in both, or closed and opened again for a like object; see analysis.HandleID
	Reused  uint64 `json:"reused"`  // how many of added have a value that was another handle in OLD
}

func newDiffCounts(c analysis.DiffCount) DiffCounts {
	return DiffCounts{c.Old, c.New, c.Growth(), c.Added, c.Removed, c.Kept, c.Reused}
}

// DiffType is the difference for one type.
type DiffType struct {
	Type string `json:"type"` // handles without a type: ""
	DiffCounts
}

// DiffGroup is the difference for the handles of one kind.
type DiffGroup struct {
	Kind
	DiffCounts

	label string // in the text
}

// NewDiffReport describes a difference with its first groups, as many as limit
// says; 0 is all. What concerns the dumps themselves is for the caller to add.
func NewDiffReport(d *analysis.HandleDiff, limit int) *DiffReport {
	r := &DiffReport{Total: newDiffCounts(d.Total), Types: []DiffType{}, Groups: []DiffGroup{}}
	for _, t := range d.Types {
		r.Types = append(r.Types, DiffType{t.Type, newDiffCounts(t.DiffCount)})
	}
	for _, g := range d.Groups {
		if g.Changed() {
			r.Changed++
		} else {
			r.Unchanged++
		}
		if limit > 0 && len(r.Groups) == limit {
			r.Omitted++
			continue
		}
		r.Groups = append(r.Groups, DiffGroup{newKind(g.HandleKind, g.Merged), newDiffCounts(g.DiffCount), g.HandleKind.String()})
	}
	return r
}
