package render

import (
	"github.com/dumpscan/dumpscan/analysis/owners"
)

// An OwnersReport is the answer of "dumpscan owners": text, JSON, CSV.
type OwnersReport struct {
	Dump    DumpHeader `json:"dump"`
	Owners  []Owner    `json:"owners"` // by descending number of handles of the type, then of those found
	Omitted int        `json:"omitted,omitempty"`
	Sets    []OwnerSet `json:"sets"` // the handles whose owners were looked for
	Scan    OwnerScan  `json:"scan"`
	Notes   []string   `json:"notes"`
	Errors  []string   `json:"errors"`

	Unowned []OwnerSet `json:"-"` // those of Sets of which no owner was found
}

// An Owner is a place where many handles are kept, always at the same distance
// behind a word that always has the same value.
type Owner struct {
	Type             string         `json:"type"`                   // handles without type: ""
	Label            string         `json:"label,omitempty"`        // which of several sets of the type
	Module           string         `json:"module,omitempty"`       // that the word points into; absent if it points to other memory
	ModuleOffset     *Hex           `json:"moduleOffset,omitempty"` // from the base of the module; absent likewise
	Address          Hex            `json:"address"`                // the word itself
	Target           owners.Target  `json:"target"`                 // what it points to
	Class            string         `json:"class,omitempty"`
	Symbol           string         `json:"symbol,omitempty"`
	FieldOffset      int            `json:"fieldOffset"` // bytes from the word to the handle
	Handles          int            `json:"handles"`     // distinct handles of the type that were found there
	Of               int            `json:"of"`          // handles of the type
	Objects          int            `json:"objects"`     // places that hold one
	Instances        int            `json:"instances"`   // words of this value, whatever is in the field
	Empty            int            `json:"empty"`       // of these, those whose field is 0 or -1
	ExpectedByChance float64        `json:"expectedByChance"`
	Confidence       float64        `json:"confidence"` // 0.99 to 1
	Examples         []OwnerExample `json:"examples"`   // at the lowest addresses

	Sentence string `json:"-"` // for people
	Evidence string `json:"-"` // how sure that is, for people
}

// An OwnerExample is one object that holds a handle.
type OwnerExample struct {
	Object Hex `json:"object"` // the address of the word
	Handle Hex `json:"handle"`
}

// An OwnerSet is a set of handles whose owners were looked for.
type OwnerSet struct {
	Type  string `json:"type"`
	Label string `json:"label,omitempty"`
	Count int    `json:"count"`
}

// An OwnerScan is what was searched.
type OwnerScan struct {
	PointerSize int          `json:"pointerSize"` // bytes; 4 for a WOW64 process
	MaxOffset   int          `json:"maxOffset"`   // bytes before a handle that were looked at
	Basis       owners.Basis `json:"basis"`       // how the memory was chosen
	Ranges      int          `json:"ranges"`      // pieces of memory
	Bytes       uint64       `json:"bytes"`       // their size
	Hits        uint64       `json:"hits"`        // words equal to a handle
	Examined    int          `json:"examined"`    // constellations that hold a few handles, or seem to
}

func (*OwnersReport) schema() string { return "dumpscan.owners/2" }

// NewOwnersReport makes the report of a hunt. It has so many owners at most, or
// all of them for 0. errors are what could not be read.
func NewOwnersReport(dump DumpHeader, r *owners.Report, limit int, errors []string) *OwnersReport {
	s := &r.Scan
	o := &OwnersReport{Dump: dump, Notes: s.Notes, Errors: errors, Scan: OwnerScan{
		PointerSize: s.PointerSize, MaxOffset: s.MaxOffset, Basis: s.Basis,
		Ranges: s.Ranges, Bytes: s.Bytes, Hits: s.Hits, Examined: s.Examined,
	}}
	shown := r.Owners
	if limit > 0 && limit < len(shown) {
		shown = shown[:limit]
	}
	o.Omitted = len(r.Owners) - len(shown)
	for i := range shown {
		o.Owners = append(o.Owners, newOwner(&shown[i]))
	}
	owned := map[OwnerSet]bool{}
	for i := range r.Owners {
		owned[OwnerSet{Type: r.Owners[i].Type, Label: r.Owners[i].Label}] = true
	}
	for _, set := range r.Sets {
		o.Sets = append(o.Sets, OwnerSet(set))
		if !owned[OwnerSet{Type: set.Type, Label: set.Label}] {
			o.Unowned = append(o.Unowned, OwnerSet(set))
		}
	}
	return o
}

func newOwner(o *owners.Owner) Owner {
	r := Owner{
		Type: o.Type, Label: o.Label, Module: o.Module, Address: Hex(o.Address), Target: o.Target,
		Class: o.Class, Symbol: o.Symbol, FieldOffset: o.FieldOffset,
		Handles: o.Handles, Of: o.Of, Objects: o.Objects, Instances: o.Instances, Empty: o.Empty,
		ExpectedByChance: o.ExpectedByChance, Confidence: o.Confidence,
		Sentence: o.Sentence(), Evidence: o.Evidence(),
	}
	if o.Module != "" {
		offset := Hex(o.ModuleOffset)
		r.ModuleOffset = &offset
	}
	for _, e := range o.Examples {
		r.Examples = append(r.Examples, OwnerExample{Hex(e.Object), Hex(e.Handle)})
	}
	return r
}
