package render

import "github.com/dumpscan/dumpscan/analysis"

// HandlesReport is the answer of "dumpscan handles". Depending on the question
// it has the number of handles of each type, a listing, or groups.
type HandlesReport struct {
	Dump    DumpHeader    `json:"dump"`
	Total   uint64        `json:"total"`             // handles in the dump, selected or not
	Types   []TypeCount   `json:"types"`             // of these, in WinDbg's order if no other was asked for
	Handles *HandleStream `json:"handles,omitempty"` // a listing: those that were selected
	Groups  []HandleGroup `json:"groups,omitempty"`  // of those that were selected, the largest first if no other order was asked for
	Omitted uint64        `json:"omitted,omitempty"` // handles, groups or types that a limit left out
	// Dominant is a sentence about the type that most handles have; Next and
	// Command, which is the arguments of a command, look closer.
	Dominant string   `json:"dominant,omitempty"`
	Next     string   `json:"next,omitempty"`
	Command  []string `json:"command,omitempty"`
	Notes    []string `json:"notes"`
	Complaints

	// What the text needs beside that.
	Text HandlesText `json:"-"`
}

// HandlesText are facts that only the text of a [HandlesReport] needs.
type HandlesText struct {
	Flags analysis.HandleFlags // the lines of each handle
	// WinDbg asks for WinDbg's own behaviour where dumpscan deliberately
	// differs: types that WinDbg does not know count as None, there are no
	// constants for their rights, and the name of a File is not printed.
	WinDbg bool
	// OneHandle says that one value was asked for, Typed as it was typed.
	OneHandle bool
	Typed     uint64
	// Type is the type that was asked for, "" if it was none; OneType says that
	// it was one.
	Type    string
	OneType bool
	// Total is the number of handles that were selected, and Selected those of
	// each type, as far as a limit allows.
	Total    uint64
	Selected []TypeCount
	By       analysis.GroupKey // the properties of Groups
}

// TypeCount is the number of handles of one type.
type TypeCount struct {
	Type  string `json:"type"` // handles without a type: ""
	Count uint64 `json:"count"`
}

// NewTypeCounts are counts of types in the form of reports.
func NewTypeCounts(types []analysis.TypeCount) []TypeCount {
	list := make([]TypeCount, len(types))
	for i, t := range types {
		list[i] = TypeCount(t)
	}
	return list
}

func (*HandlesReport) schema() string { return "dumpscan.handles/2" }

// HandleGroup is a number of handles that have something in common. Properties
// that were not asked for are nil.
type HandleGroup struct {
	Type          *string `json:"type,omitempty"`
	Name          *string `json:"name,omitempty"`
	GrantedAccess *Hex    `json:"grantedAccess,omitempty"`
	State         *string `json:"state,omitempty"`  // words joined by blanks
	Object        *string `json:"object,omitempty"` // what identifies it; "" if nothing does
	Guess         bool    `json:"guess,omitempty"`  // they are only probably to one object
	ProcessID     *uint64 `json:"processId,omitempty"`
	Count         uint64  `json:"count"`
	Share         float64 `json:"share"` // of the handles that were selected, 0 to 1
}

// NewHandleGroups describes groups by the properties of the grouping.
func NewHandleGroups(groups []analysis.HandleGroup, by analysis.GroupKey) []HandleGroup {
	list := make([]HandleGroup, len(groups))
	for i, g := range groups {
		j := HandleGroup{Count: g.Count, Share: g.Share}
		if by.Has(analysis.GroupByType) {
			j.Type = &g.Type
		}
		if by.Has(analysis.GroupByName) {
			j.Name = &g.Name
		}
		if by.Has(analysis.GroupByAccess) {
			access := Hex(g.GrantedAccess)
			j.GrantedAccess = &access
		}
		if by.Has(analysis.GroupByState) {
			j.State = &g.State
		}
		if by.Has(analysis.GroupByObject) {
			object := g.Object.String()
			j.Object, j.Guess = &object, g.Object.Guess()
		}
		if by.Has(analysis.GroupByProcess) {
			j.ProcessID = &g.Process
		}
		list[i] = j
	}
	return list
}
