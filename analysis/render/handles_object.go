package render

import (
	"encoding/hex"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// Handle is a handle and the object behind it.
type Handle struct {
	Handle        Hex           `json:"handle"`
	Type          string        `json:"type"` // "" if the dump has none
	Name          string        `json:"name"` // "" for an object without name
	Attributes    Hex           `json:"attributes"`
	GrantedAccess Hex           `json:"grantedAccess"`
	Access        []string      `json:"access"`      // names of the granted rights, bits without a name last, as one number
	HandleCount   uint32        `json:"handleCount"` // of the object; dbghelp counts its own duplicate too
	PointerCount  uint32        `json:"pointerCount"`
	Object        *HandleObject `json:"object,omitempty"` // nil without object information
}

// HandleObject is the state of the object behind a handle; the fields are those
// of its kind.
type HandleObject struct {
	Event string `json:"event,omitempty"` // "manual" or "auto"
	Set   *bool  `json:"set,omitempty"`   // of an event

	Mutant         string  `json:"mutant,omitempty"` // "free" or "owned"
	Abandoned      *bool   `json:"abandoned,omitempty"`
	Recursion      *int32  `json:"recursion,omitempty"` // how often its owner holds it
	OwnerProcessID *uint64 `json:"ownerProcessId,omitempty"`
	OwnerThreadID  *uint64 `json:"ownerThreadId,omitempty"`

	Count *int32 `json:"count,omitempty"` // of a semaphore
	Limit *int32 `json:"limit,omitempty"`

	Base       *Hex    `json:"base,omitempty"` // of a section
	Attributes *Hex    `json:"attributes,omitempty"`
	MaxSize    *uint64 `json:"maxSize,omitempty"` // bytes

	ProcessID       *uint64 `json:"processId,omitempty"` // of a process or thread
	ThreadID        *uint64 `json:"threadId,omitempty"`
	ParentProcessID *uint64 `json:"parentProcessId,omitempty"`
	ExitStatus      *Hex    `json:"exitStatus,omitempty"`
	Exited          *bool   `json:"exited,omitempty"`
	Priority        *int32  `json:"priority,omitempty"`
	BasePriority    *int32  `json:"basePriority,omitempty"`
	Flags           *Hex    `json:"flags,omitempty"` // of a process

	Unknown []UnknownInformation `json:"unknown,omitempty"` // kinds and sizes that are not known
}

// UnknownInformation is object information as the dump has it.
type UnknownInformation struct {
	InfoType uint32 `json:"infoType"`
	Data     string `json:"data"` // hexadecimal digits
}

// NewHandle describes a handle.
func NewHandle(h *minidump.Handle) Handle {
	return Handle{
		Handle: Hex(h.Handle), Type: h.TypeName, Name: h.ObjectName,
		Attributes: Hex(h.Attributes), GrantedAccess: Hex(h.GrantedAccess),
		Access:      analysis.DecodeAccess(h.TypeName, h.GrantedAccess).Names(),
		HandleCount: h.HandleCount, PointerCount: h.PointerCount,
		Object: newHandleObject(h.ObjectInfo),
	}
}

func newHandleObject(infos []minidump.ObjectInformation) *HandleObject {
	if len(infos) == 0 {
		return nil
	}
	var j HandleObject
	hex64 := func(n uint64) *Hex { h := Hex(n); return &h }
	o := analysis.DecodeObject(infos)
	if e := o.Event; e != nil {
		j.Event, j.Set = choose(e.ManualReset, "manual", "auto"), &e.Set
	}
	if m := o.Mutant; m != nil && m.HasCount {
		j.Mutant, j.Abandoned, j.Recursion = choose(m.Owned, "owned", "free"), &m.Abandoned, &m.Recursion
	}
	if m := o.Mutant; m != nil && m.HasOwner {
		j.OwnerProcessID, j.OwnerThreadID = &m.OwnerPID, &m.OwnerTID
	}
	if s := o.Semaphore; s != nil {
		j.Count, j.Limit = &s.CurrentCount, &s.MaximumCount
	}
	if s := o.Section; s != nil {
		j.Base, j.Attributes, j.MaxSize = hex64(uint64(s.BaseAddress)), hex64(uint64(s.AllocationAttributes)), &s.MaximumSize
	}
	if t := o.Thread; t != nil {
		j.ProcessID, j.ThreadID, j.ExitStatus, j.Exited = &t.ProcessID, &t.ThreadID, hex64(uint64(t.ExitStatus)), &t.Exited
		j.Priority, j.BasePriority = &t.Priority, &t.BasePriority
	}
	if p := o.Process; p != nil {
		j.ProcessID, j.ParentProcessID, j.ExitStatus, j.Exited = &p.ProcessID, &p.ParentProcessID, hex64(uint64(p.ExitStatus)), &p.Exited
		j.BasePriority = &p.BasePriority
		if p.Extended {
			j.Flags = hex64(uint64(p.ExtendedFlags))
		}
	}
	for _, u := range o.Unknown {
		j.Unknown = append(j.Unknown, UnknownInformation{uint32(u.InfoType), hex.EncodeToString(u.Data)})
	}
	return &j
}

func choose(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}
