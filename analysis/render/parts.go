package render

import (
	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/symbol"
)

// The parts that several reports have; package comment "JSON" says what their
// fields mean.

// A Kind is a kind of handles: what those of one place in a program have in
// common.
type Kind struct {
	Type          string `json:"type"`             // "Key"; handles without type: ""
	Name          string `json:"name"`             // of the objects; "" if they have none
	Merged        bool   `json:"merged,omitempty"` // many names differ in the placeholders of Name only: "<n>", "<guid>", "<sid>", "<tmp>"
	GrantedAccess Hex    `json:"grantedAccess"`
	State         string `json:"state,omitempty"`      // "manual", "auto", "abandoned", "running", "exited"
	Attributes    Hex    `json:"attributes,omitempty"` // OBJ_*; of objects without a name
}

func newKind(k analysis.HandleKind, merged bool) Kind {
	return Kind{
		Type: k.Type, Name: k.Name, Merged: merged, GrantedAccess: Hex(k.GrantedAccess),
		State: k.State, Attributes: Hex(k.Attributes),
	}
}

// A Frame is a frame of a stack, or any address that was named.
type Frame struct {
	Address      Hex          `json:"address"`
	Module       string       `json:"module"` // "" outside all modules
	Offset       Hex          `json:"offset"` // from the base of the module
	Function     string       `json:"function"`
	Displacement Hex          `json:"displacement"` // from the start of the function
	Trust        symbol.Trust `json:"trust"`        // "pdb", "sym", "dwarf", "export", "module", or "" in no module
	File         string       `json:"file,omitempty"`
	Line         int          `json:"line,omitempty"`
	Inlined      []Inline     `json:"inlined,omitempty"` // the innermost first
	// Others are further modules that were at the address, one after the other:
	// Module and they are all unloaded.
	Others []ModuleOffset `json:"others,omitempty"`

	at symbol.Location
}

// A ModuleOffset is a place in a module, in bytes from its base.
type ModuleOffset struct {
	Module string `json:"module"`
	Offset Hex    `json:"offset"`
}

// An Inline is a call that the compiler inlined in a [Frame].
type Inline struct {
	Function string `json:"function"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
}

func newFrame(l symbol.Location) Frame {
	f := Frame{
		Address: Hex(l.Address), Module: l.Module, Offset: Hex(l.Offset), Function: l.Function,
		Displacement: Hex(l.Displacement), Trust: l.Trust, File: l.File, Line: l.Line, at: l,
	}
	for _, in := range l.Inlined {
		f.Inlined = append(f.Inlined, Inline{in.Function, in.File, in.Line})
	}
	for _, o := range l.Others {
		f.Others = append(f.Others, ModuleOffset{o.Module, Hex(o.Offset)})
	}
	return f
}

func newFrames(frames []symbol.Location) []Frame {
	list := make([]Frame, len(frames))
	for i, l := range frames {
		list[i] = newFrame(l)
	}
	return list
}
