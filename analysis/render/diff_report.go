package render

import (
	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/owners"
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
	Holders []DiffHolder  `json:"holders,omitempty"` // what holds handles, if it was compared: the most kept first
	Notes   []string      `json:"notes"`
	Complaints

	// Changed is the number of all groups in which a handle was added or
	// removed, Unchanged that of the others.
	Changed   int `json:"-"`
	Unchanged int `json:"-"`

	held bool // holders were compared
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
	// Held says what became of kept, if what holds them was compared.
	Held *DiffHeld `json:"held,omitempty"`
}

// DiffHeld says of the handles in both dumps what became of them.
type DiffHeld struct {
	Same     uint64 `json:"same"`     // held by the same object in both
	Replaced uint64 `json:"replaced"` // another object has the value
	Unknown  uint64 `json:"unknown"`  // the rest
}

// DiffHolder is a class of objects, or an array, and what it says of the handles
// in both dumps.
type DiffHolder struct {
	Holder string `json:"holder"` // its class, its symbol, or where it is
	Kept   int    `json:"kept"`   // values in both dumps that it has in NEW
	DiffHeld
	Changed  int    `json:"changed"`  // of unknown: what differs between objects has changed, they were replaced or used
	Sentence string `json:"sentence"` // what distinguishes its objects
}

func (r *DiffReport) counts(c analysis.DiffCount) DiffCounts {
	counts := DiffCounts{c.Old, c.New, c.Growth(), c.Added, c.Removed, c.Kept, c.Reused, nil}
	if r.held {
		counts.Held = &DiffHeld{c.Same, c.Replaced, c.Kept - c.Same - c.Replaced}
	}
	return counts
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
// says; 0 is all. ids, if not nil, is what the difference was followed by. What
// concerns the dumps themselves is for the caller to add.
func NewDiffReport(d *analysis.HandleDiff, ids *owners.Identities, limit int) *DiffReport {
	r := &DiffReport{Types: []DiffType{}, Groups: []DiffGroup{}, held: ids != nil}
	r.Total = r.counts(d.Total)
	if ids != nil {
		for i := range ids.Holders {
			h := &ids.Holders[i]
			r.Holders = append(r.Holders, DiffHolder{
				h.Owner.Name(), h.Kept, DiffHeld{uint64(h.Same), uint64(h.Replaced), uint64(h.Kept - h.Same - h.Replaced)}, h.Changed, h.Sentence(),
			})
		}
	}
	for _, t := range d.Types {
		r.Types = append(r.Types, DiffType{t.Type, r.counts(t.DiffCount)})
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
		r.Groups = append(r.Groups, DiffGroup{newKind(g.HandleKind, g.Merged), r.counts(g.DiffCount), g.HandleKind.String()})
	}
	return r
}
