package render

import (
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// An OwnersReport is the answer of "dumpscan owners": text, JSON, CSV.
type OwnersReport struct {
	Dump    DumpHeader `json:"dump"`
	Owners  []Owner    `json:"owners"` // by descending number of handles of the type, then of those found
	Omitted int        `json:"omitted,omitempty"`
	Unheld  []Unheld   `json:"unheld"` // types of which handles remain that no owner holds
	Sets    []OwnerSet `json:"sets"`   // the handles whose owners were looked for
	Scan    OwnerScan  `json:"scan"`
	Notes   []string   `json:"notes"`
	Complaints
}

// An Owner is a place where many handles are kept: objects that all have the
// same word, or an array.
type Owner struct {
	Type             string         `json:"type"`                   // handles without type: ""
	Label            string         `json:"label,omitempty"`        // which of several sets of the type
	Kind             owners.Kind    `json:"kind"`                   // "object", "global", "record" or "array"
	Module           string         `json:"module,omitempty"`       // that the word of an object points into, or that a global belongs to; else absent
	ModuleOffset     *Hex           `json:"moduleOffset,omitempty"` // from the base of the module; absent likewise
	Address          *Hex           `json:"address,omitempty"`      // an object's word; the first cell of an array or global; absent for a record
	Target           owners.Target  `json:"target,omitempty"`       // what an object's word points to
	Class            string         `json:"class,omitempty"`
	ClassModule      string         `json:"classModule,omitempty"`  // the file of a class of the CLR
	Keeper           string         `json:"keeper,omitempty"`       // the class of a program that keeps objects of .NET
	KeeperModule     string         `json:"keeperModule,omitempty"` // its file
	Symbol           string         `json:"symbol,omitempty"`
	Constant         *Hex           `json:"constant,omitempty"` // a record's word of 4 bytes
	ConstantText     string         `json:"text,omitempty"`     // the same as text, if it is some
	FieldOffset      int            `json:"fieldOffset"`        // bytes from the start of the object to the handle; from its word if the start is not known
	WordOffset       int            `json:"wordOffset"`         // bytes from the start of the object to its word
	Start            bool           `json:"start"`              // pointers show the start
	Width            int            `json:"width"`              // bytes of a handle
	Stride           int            `json:"stride,omitempty"`   // bytes from cell to cell of an array or global
	Arrays           int            `json:"arrays,omitempty"`   // how many such arrays there are
	Handles          int            `json:"handles"`            // distinct handles of the type that were found there
	Of               int            `json:"of"`                 // handles of the type
	Earlier          *int           `json:"earlier,omitempty"`  // handles that it held in an earlier dump, in the answer of "dumpscan leaks"
	Objects          int            `json:"objects"`            // places that hold one
	Instances        int            `json:"instances"`          // words of this value, or cells, whatever is in the field
	Empty            int            `json:"empty"`              // of these, those whose field is 0 or -1
	ExpectedByChance float64        `json:"expectedByChance"`
	Confidence       float64        `json:"confidence"`      // 0.99 to 1
	Referrers        []Referrer     `json:"referrers"`       // whose pointers lead to it
	Chain            []Referrer     `json:"chain,omitempty"` // what leads on from the referrers, step by step
	Examples         []OwnerExample `json:"examples"`        // at the lowest addresses

	Sentence string `json:"-"` // for people
	Evidence string `json:"-"` // how sure that is, for people
}

// A Referrer is a place with pointers to the objects of an owner.
type Referrer struct {
	Kind         owners.ReferrerKind `json:"kind"`    // "global", "link" (in the objects themselves), "object" (of the CLR), "array" or "memory"
	Address      Hex                 `json:"address"` // the lowest pointer
	Module       string              `json:"module,omitempty"`
	ModuleOffset *Hex                `json:"moduleOffset,omitempty"`
	Symbol       string              `json:"symbol,omitempty"`
	Class        string              `json:"class,omitempty"`       // of objects of the CLR, or of an array of these
	ClassModule  string              `json:"classModule,omitempty"` // its file
	FieldOffset  *int                `json:"fieldOffset,omitempty"` // of a link or an object: bytes from its start
	Stride       int                 `json:"stride,omitempty"`      // bytes from pointer to pointer, if that is the same
	Objects      int                 `json:"objects"`               // so many are led to
	Of           int                 `json:"of"`                    // of so many that were followed

	Sentence string `json:"-"` // for people
}

// Unheld are the handles of a type that no owner holds.
type Unheld struct {
	Type    string `json:"type"`
	Label   string `json:"label,omitempty"`
	Handles int    `json:"handles"`
	Of      int    `json:"of"` // handles of the type

	Name string `json:"-"` // type and count, for people
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
// all of them for 0.
func NewOwnersReport(dump DumpHeader, r *owners.Report, limit int) *OwnersReport {
	s := &r.Scan
	o := &OwnersReport{Dump: dump, Notes: s.Notes, Scan: OwnerScan{
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
	for _, set := range r.Sets {
		o.Sets = append(o.Sets, OwnerSet(set))
	}
	for i := range r.Unheld {
		u := &r.Unheld[i]
		o.Unheld = append(o.Unheld, Unheld{u.Type, u.Label, u.Handles, u.Of, u.String()})
	}
	return o
}

func newOwner(o *owners.Owner) Owner {
	r := Owner{
		Type: o.Type, Label: o.Label, Kind: o.Kind, Module: o.Module, Target: o.Target,
		Class: o.Class, ClassModule: o.ClassModule, Keeper: o.Keeper, KeeperModule: o.KeeperModule, Symbol: o.Symbol, ConstantText: o.Text,
		FieldOffset: o.FieldOffset, WordOffset: o.WordOffset, Start: o.Start,
		Width: o.Width, Stride: o.Stride, Arrays: o.Arrays,
		Handles: o.Handles, Of: o.Of, Earlier: o.Earlier, Objects: o.Objects, Instances: o.Instances, Empty: o.Empty,
		ExpectedByChance: o.ExpectedByChance, Confidence: o.Confidence,
		Sentence: o.Sentence(), Evidence: o.Evidence(),
	}
	if o.Module != "" {
		r.ModuleOffset = hexOf(o.ModuleOffset)
	}
	if o.Kind == owners.KindRecord {
		r.Constant = hexOf(o.Constant)
	} else {
		r.Address = hexOf(o.Address)
	}
	for i := range o.Referrers {
		r.Referrers = append(r.Referrers, newReferrer(&o.Referrers[i]))
	}
	for i := range o.Chain {
		r.Chain = append(r.Chain, newReferrer(&o.Chain[i]))
	}
	for _, e := range o.Examples {
		r.Examples = append(r.Examples, OwnerExample{Hex(e.Object), Hex(e.Handle)})
	}
	return r
}

func newReferrer(f *owners.Referrer) Referrer {
	r := Referrer{
		Kind: f.Kind, Address: Hex(f.Address), Module: f.Module, Symbol: f.Symbol, Class: f.Class, ClassModule: f.ClassModule,
		Stride: f.Stride, Objects: f.Objects, Of: f.Of, Sentence: f.Sentence(),
	}
	if f.Module != "" {
		r.ModuleOffset = hexOf(f.ModuleOffset)
	}
	if f.Kind == owners.ReferrerLink || f.Kind == owners.ReferrerObject {
		r.FieldOffset = &f.Offset
	}
	return r
}

func hexOf[T words.Integer](v T) *Hex {
	h := Hex(v)
	return &h
}
