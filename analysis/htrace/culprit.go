package htrace

import (
	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// CulpritKind says how a stack came to its culprit.
type CulpritKind string

// The kinds, the surest first.
const (
	// The first frame outside the operating system's modules.
	CulpritModule CulpritKind = "module"
	// The same, but the module is unloaded by now.
	CulpritUnloaded CulpritKind = "unloaded"
	// No such module, but code that lies in no module at all: compiled at run
	// time, unloaded without a trace, or no code but a stack that was walked
	// wrongly.
	CulpritUnknown CulpritKind = "unknown"
	// The operating system alone: its first module that does more than pass
	// calls on.
	CulpritSystem CulpritKind = "system"
	// No frames at all.
	CulpritNone CulpritKind = "none"
)

// A Culprit is the frame of a stack that is to blame.
type Culprit struct {
	Kind   CulpritKind
	Module string // as WinDbg writes it; "" if the frame lies in no module
	Path   string // the module's file
	Frame  int    // index of the frame, or -1
}

// Name returns the module, or what there is instead of it.
func (c Culprit) Name() string {
	switch c.Kind {
	case CulpritUnloaded:
		return "<Unloaded_" + analysis.BaseName(c.Path) + ">"
	case CulpritUnknown:
		return "<no module>"
	case CulpritNone:
		return "<no stack>"
	}
	return c.Module
}

// Culprit finds the culprit of a stack, whose innermost frame comes first.
func (s *SystemModules) Culprit(frames []minidump.VA) Culprit {
	unknown, system := none, none
	for i, addr := range frames {
		kind := CulpritModule
		m, ok := s.Find(addr)
		if !ok {
			kind = CulpritUnloaded
			m, ok = s.FindUnloaded(addr)
		}
		switch {
		case !ok:
			if unknown == none {
				unknown = i
			}
		case !s.IsSystem(m):
			return Culprit{Kind: kind, Module: m.Name(), Path: m.ModuleName, Frame: i}
		case system == none && !s.passesOn(m):
			system = i
		}
	}
	if unknown != none {
		return Culprit{Kind: CulpritUnknown, Frame: unknown}
	}
	if len(frames) == 0 {
		return Culprit{Kind: CulpritNone, Frame: none}
	}
	system = max(system, 0) // nothing but calls passed on: the innermost
	c := Culprit{Kind: CulpritSystem, Frame: system}
	if m, ok := s.Find(frames[system]); ok {
		c.Module, c.Path = m.Name(), m.ModuleName
	} else if m, ok := s.FindUnloaded(frames[system]); ok {
		c.Module, c.Path = m.Name(), m.ModuleName
	}
	return c
}
