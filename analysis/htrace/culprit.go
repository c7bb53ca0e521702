package htrace

import (
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// CulpritKind says how a stack came to its culprit.
type CulpritKind string

// The kinds.
const (
	// The first frame outside the operating system's modules.
	CulpritModule CulpritKind = "module"
	// The same, but the module is unloaded by now.
	CulpritUnloaded CulpritKind = "unloaded"
	// The same, but it lies in no module: see the constants of symbol.
	CulpritJIT     = CulpritKind(symbol.OutsideJIT)
	CulpritUnknown = CulpritKind(symbol.OutsideUnknown)
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
	// Others are the files of further unloaded modules that were at the address
	// at another time: one of them may be meant.
	Others []string
	Frame  int // index of the frame, or -1
}

// Name returns the module, or what there is instead of it. Managed code has
// no names in the dump's modules; SOS (!clrstack, !ip2md) knows them.
func (c Culprit) Name() string {
	switch c.Kind {
	case CulpritUnloaded:
		name := symbol.UnloadedName(c.Path)
		for _, path := range c.Others {
			name += " or " + symbol.UnloadedName(path)
		}
		return name
	case CulpritJIT, CulpritUnknown:
		return symbol.Outside(c.Kind).Name()
	case CulpritNone:
		return "<no stack>"
	}
	return c.Module
}

// InModule reports whether the culprit's frame lies in a module that is still
// loaded, so that symbols can name its function.
func (c Culprit) InModule() bool { return c.Kind == CulpritModule || c.Kind == CulpritSystem }

// The addresses that a user's code can have: Windows maps nothing below or
// above. What a stack walk finds outside them is no return address.
const (
	lowestCode  minidump.VA = 0x10000
	highestCode minidump.VA = 0x7fffffffffff
)

// Culprit finds the culprit of a stack, whose innermost frame comes first: the
// first frame that is not the system's.
func (s *SystemModules) Culprit(frames []minidump.VA) Culprit {
	blamed := Culprit{Kind: CulpritNone, Frame: none}
	passing := true // blamed does nothing but pass calls on
	for i, addr := range frames {
		if addr < lowestCode || addr > highestCode {
			continue
		}
		c, passesOn := s.frame(addr)
		if c.Frame = i; c.Kind != CulpritSystem {
			return c
		}
		if blamed.Kind == CulpritNone || passing && !passesOn {
			blamed, passing = c, passesOn
		}
	}
	return blamed
}

// frame says whose an address is, and whether a system module at it only passes
// calls on.
func (s *SystemModules) frame(addr minidump.VA) (c Culprit, passesOn bool) {
	if m, ok := s.Find(addr); ok {
		facts := s.facts[m]
		c = Culprit{Kind: CulpritModule, Module: facts.name, Path: facts.path}
		if facts.system {
			c.Kind = CulpritSystem
		}
		return c, facts.passesOn
	}
	gone := s.FindUnloaded(addr)
	if len(gone) == 0 {
		return Culprit{Kind: CulpritKind(s.RuntimeCode.At(addr))}, false
	}
	c = Culprit{Kind: CulpritSystem, Module: s.facts[gone[0]].name, Path: s.facts[gone[0]].path}
	passesOn = true
	for i, m := range gone {
		if i > 0 {
			c.Others = append(c.Others, s.facts[m].path)
		}
		if !s.IsSystem(m) { // it may have been this one
			c.Kind = CulpritUnloaded
		}
		passesOn = passesOn && s.facts[m].passesOn
	}
	return c, passesOn
}
