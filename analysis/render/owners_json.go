package render

import (
	"io"

	"github.com/dumpscan/dumpscan/analysis/owners"
)

// OwnersSchema is the field "schema" of what an [OwnersReport] writes in JSON.
const OwnersSchema = "dumpscan.owners/1"

// OwnersReport writes the answers of "dumpscan owners". Its JSON is
//
//	schema  "dumpscan.owners/1"
//	dump    see DumpHeader
//	owners  [owner], see below: by descending number of handles of the type,
//	        then by descending number of handles that were found
//	sets    [{type, label, count}]: the handles whose owners were looked for
//	scan    what was searched:
//	  pointerSize  4 or 8; 4 for a WOW64 process
//	  maxOffset    bytes before a handle that were looked at
//	  basis        how the memory was chosen: "memory info" or "lists of the dump"
//	  ranges       pieces of memory
//	  bytes        their size
//	  hits         words equal to a handle
//	  examined     constellations that hold a few handles, or seem to
//	notes   [sentence]
//	errors  [sentence]
//
// An owner is a place where many handles are kept, always at the same distance
// behind a word that always has the same value:
//
//	type              "Key"; handles without type: ""
//	label             absent, or which of several sets of the type
//	module            the module that the word points into, as WinDbg names it;
//	                  absent if it points to other memory
//	moduleOffset      "0x3080", from the base of the module; absent likewise
//	address           the word itself, "0x7ff612343080"
//	target            what it points to: "vtable", "data", "code" or "module"
//	                  (not known which), all of a module; or "memory"
//	class             from RTTI; absent without
//	fieldOffset       bytes from the word to the handle
//	handles           distinct handles of the type that were found there
//	of                handles of the type
//	objects           places that hold one
//	instances         words of this value, whatever is in the field
//	empty             of these, those whose field is 0 or -1
//	expectedByChance  estimate of "handles", if the field held other numbers
//	confidence        0.99 to 1: 1 less the number of such places to be expected
//	                  in all that was searched if there were no owners at all
//	examples          [{object, handle}]: addresses of the word, the lowest first
type OwnersReport struct {
	Dump   DumpHeader
	Owners *owners.Report
	Errors []string
}

type jsonOwner struct {
	Type             string             `json:"type"`
	Label            string             `json:"label,omitempty"`
	Module           string             `json:"module,omitempty"`
	ModuleOffset     string             `json:"moduleOffset,omitempty"`
	Address          string             `json:"address"`
	Target           string             `json:"target"`
	Class            string             `json:"class,omitempty"`
	FieldOffset      int                `json:"fieldOffset"`
	Handles          int                `json:"handles"`
	Of               int                `json:"of"`
	Objects          int                `json:"objects"`
	Instances        int                `json:"instances"`
	Empty            int                `json:"empty"`
	ExpectedByChance float64            `json:"expectedByChance"`
	Confidence       float64            `json:"confidence"`
	Examples         []jsonOwnerExample `json:"examples"`
}

type jsonOwnerExample struct {
	Object string `json:"object"`
	Handle string `json:"handle"`
}

// newJSONOwner is an owner as it stands in JSON.
func newJSONOwner(o *owners.Owner) jsonOwner {
	j := jsonOwner{
		Type: o.Type, Label: o.Label, Module: o.Module, Address: hexNumber(o.Address),
		Target: string(o.Target), Class: o.Class, FieldOffset: o.FieldOffset,
		Handles: o.Handles, Of: o.Of, Objects: o.Objects, Instances: o.Instances, Empty: o.Empty,
		ExpectedByChance: o.ExpectedByChance, Confidence: o.Confidence,
		Examples: []jsonOwnerExample{},
	}
	if o.Module != "" {
		j.ModuleOffset = hexNumber(o.ModuleOffset)
	}
	for _, e := range o.Examples {
		j.Examples = append(j.Examples, jsonOwnerExample{hexNumber(e.Object), hexNumber(e.Handle)})
	}
	return j
}

// JSON writes the report.
func (r *OwnersReport) JSON(w io.Writer) error {
	type set struct {
		Type  string `json:"type"`
		Label string `json:"label,omitempty"`
		Count int    `json:"count"`
	}
	type scan struct {
		PointerSize int    `json:"pointerSize"`
		MaxOffset   int    `json:"maxOffset"`
		Basis       string `json:"basis"`
		Ranges      int    `json:"ranges"`
		Bytes       uint64 `json:"bytes"`
		Hits        uint64 `json:"hits"`
		Examined    int    `json:"examined"`
	}
	j := NewJSONWriter(w, OwnersSchema)
	j.Field("dump", r.Dump)
	j.List("owners", func(element func(any)) {
		for i := range r.Owners.Owners {
			element(newJSONOwner(&r.Owners.Owners[i]))
		}
	})
	j.List("sets", func(element func(any)) {
		for _, s := range r.Owners.Sets {
			element(set(s))
		}
	})
	s := &r.Owners.Scan
	j.Field("scan", scan{s.PointerSize, s.MaxOffset, string(s.Basis), s.Ranges, s.Bytes, s.Hits, s.Examined})
	j.Strings("notes", s.Notes)
	j.Strings("errors", r.Errors)
	return j.Close()
}
