package render

import (
	"encoding/hex"
	"io"
	"iter"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// HandlesSchema is the field "schema" of what a [HandleReport] writes.
const HandlesSchema = "dumpscan.handles/1"

// HandleReport writes the answers of "dumpscan handles --json":
//
//	schema   "dumpscan.handles/1"
//	dump     see DumpHeader
//	total    number of handles in the dump
//	types    [{type, count}], in WinDbg's order; handles without type: ""
//	handles  with a listing: the selected handles, see below
//	groups   with --group-by: [{type, name, access, count, share}], the
//	         largest first; a property that was not asked for is absent;
//	         share is of the selected handles, 0 to 1
//	notes    [sentence]
//	errors   [sentence]
//
// Each of the handles has
//
//	handle         "0x7e0"
//	type           "Key", "" if the dump has none
//	name           "" for an object without name
//	attributes     "0x0", OBJ_* bits
//	grantedAccess  "0x20019"
//	access         names of the granted rights: WinDbg's where they are
//	               known, else the constants of the Windows headers; bits
//	               without a name last, as one number
//	handleCount    of the object; dbghelp counts its own duplicate too
//	pointerCount   of the object; no sign of a leak
//	object         absent without object information, else the fields of
//	               the object's kind:
//	               event "manual"/"auto", set;
//	               mutant "free"/"owned", abandoned, recursion, ownerPid, ownerTid;
//	               count, limit (of a semaphore);
//	               base, attributes, maxSize (of a section; bytes);
//	               pid, tid, exitStatus, exited, priority, basePriority (of a thread);
//	               pid, parentPid, exitStatus, exited, basePriority, flags (of a process);
//	               unknown [{infoType, data}], data in hexadecimal
type HandleReport struct {
	Dump    DumpHeader
	Summary *analysis.HandleSummary
	Types   []analysis.TypeCount // of Summary, or as WinDbg folds them
	Notes   []string
	Errors  []string
}

type jsonType struct {
	Type  string `json:"type"`
	Count uint64 `json:"count"`
}

type jsonHandle struct {
	Handle        string      `json:"handle"`
	Type          string      `json:"type"`
	Name          string      `json:"name"`
	Attributes    string      `json:"attributes"`
	GrantedAccess string      `json:"grantedAccess"`
	Access        []string    `json:"access"`
	HandleCount   uint32      `json:"handleCount"`
	PointerCount  uint32      `json:"pointerCount"`
	Object        *jsonObject `json:"object,omitempty"`
}

type jsonObject struct {
	Event        string  `json:"event,omitempty"`
	Set          *bool   `json:"set,omitempty"`
	Mutant       string  `json:"mutant,omitempty"`
	Abandoned    *bool   `json:"abandoned,omitempty"`
	Recursion    *int32  `json:"recursion,omitempty"`
	OwnerPID     *uint64 `json:"ownerPid,omitempty"`
	OwnerTID     *uint64 `json:"ownerTid,omitempty"`
	Count        *int32  `json:"count,omitempty"`
	Limit        *int32  `json:"limit,omitempty"`
	Base         string  `json:"base,omitempty"`
	Attributes   string  `json:"attributes,omitempty"`
	MaxSize      *uint64 `json:"maxSize,omitempty"`
	PID          *uint64 `json:"pid,omitempty"`
	TID          *uint64 `json:"tid,omitempty"`
	ParentPID    *uint64 `json:"parentPid,omitempty"`
	ExitStatus   string  `json:"exitStatus,omitempty"`
	Exited       *bool   `json:"exited,omitempty"`
	Priority     *int32  `json:"priority,omitempty"`
	BasePriority *int32  `json:"basePriority,omitempty"`
	Flags        *uint32 `json:"flags,omitempty"`

	Unknown []jsonUnknown `json:"unknown,omitempty"`
}

type jsonUnknown struct {
	InfoType uint32 `json:"infoType"`
	Data     string `json:"data"`
}

// WriteSummary writes the report without a listing.
func (r *HandleReport) WriteSummary(w io.Writer) error {
	j := r.begin(w)
	return r.end(j)
}

// WriteHandles writes the report with a listing. What could not be read while
// the handles passed by is taken from failed at the end.
func (r *HandleReport) WriteHandles(w io.Writer, handles iter.Seq[*minidump.Handle], failed func() error) error {
	j := r.begin(w)
	j.List("handles", func(element func(any)) {
		for h := range handles {
			element(newJSONHandle(h))
		}
	})
	if err := failed(); err != nil && len(r.Errors) == 0 {
		r.Errors = append(r.Errors, err.Error())
	}
	return r.end(j)
}

// WriteGroups writes the report with groups.
func (r *HandleReport) WriteGroups(w io.Writer, groups []analysis.HandleGroup, by analysis.GroupKey) error {
	type jsonGroup struct {
		Type   *string `json:"type,omitempty"`
		Name   *string `json:"name,omitempty"`
		Access *string `json:"access,omitempty"`
		Count  uint64  `json:"count"`
		Share  float64 `json:"share"`
	}
	j := r.begin(w)
	j.List("groups", func(element func(any)) {
		for _, g := range groups {
			e := jsonGroup{Count: g.Count, Share: g.Share}
			if by.Has(analysis.GroupByType) {
				e.Type = &g.Type
			}
			if by.Has(analysis.GroupByName) {
				e.Name = &g.Name
			}
			if by.Has(analysis.GroupByAccess) {
				access := hexNumber(g.GrantedAccess)
				e.Access = &access
			}
			element(e)
		}
	})
	return r.end(j)
}

func (r *HandleReport) begin(w io.Writer) *JSONWriter {
	j := NewJSONWriter(w, HandlesSchema)
	j.Field("dump", r.Dump)
	j.Field("total", r.Summary.Total)
	j.List("types", func(element func(any)) {
		for _, t := range r.Types {
			element(jsonType(t))
		}
	})
	return j
}

func (r *HandleReport) end(j *JSONWriter) error {
	j.Strings("notes", r.Notes)
	j.Strings("errors", r.Errors)
	return j.Close()
}

func newJSONHandle(h *minidump.Handle) jsonHandle {
	return jsonHandle{
		Handle: hexNumber(h.Handle), Type: h.TypeName, Name: h.ObjectName,
		Attributes: hexNumber(h.Attributes), GrantedAccess: hexNumber(h.GrantedAccess),
		Access:      analysis.DecodeAccess(h.TypeName, h.GrantedAccess).Names(),
		HandleCount: h.HandleCount, PointerCount: h.PointerCount,
		Object: newJSONObject(h.ObjectInfo),
	}
}

func newJSONObject(infos []minidump.ObjectInformation) *jsonObject {
	if len(infos) == 0 {
		return nil
	}
	var j jsonObject
	o := analysis.DecodeObject(infos)
	if e := o.Event; e != nil {
		j.Event, j.Set = choose(e.ManualReset, "manual", "auto"), &e.Set
	}
	if m := o.Mutant; m != nil && m.HasCount {
		j.Mutant, j.Abandoned, j.Recursion = choose(m.Owned, "owned", "free"), &m.Abandoned, &m.Recursion
	}
	if m := o.Mutant; m != nil && m.HasOwner {
		j.OwnerPID, j.OwnerTID = &m.OwnerPID, &m.OwnerTID
	}
	if s := o.Semaphore; s != nil {
		j.Count, j.Limit = &s.CurrentCount, &s.MaximumCount
	}
	if s := o.Section; s != nil {
		j.Base, j.Attributes, j.MaxSize = hexNumber(s.BaseAddress), hexNumber(s.AllocationAttributes), &s.MaximumSize
	}
	if t := o.Thread; t != nil {
		j.PID, j.TID, j.ExitStatus, j.Exited = &t.ProcessID, &t.ThreadID, hexNumber(t.ExitStatus), &t.Exited
		j.Priority, j.BasePriority = &t.Priority, &t.BasePriority
	}
	if p := o.Process; p != nil {
		j.PID, j.ParentPID, j.ExitStatus, j.Exited = &p.ProcessID, &p.ParentProcessID, hexNumber(p.ExitStatus), &p.Exited
		j.BasePriority = &p.BasePriority
		if p.Extended {
			j.Flags = &p.ExtendedFlags
		}
	}
	for _, u := range o.Unknown {
		j.Unknown = append(j.Unknown, jsonUnknown{uint32(u.InfoType), hex.EncodeToString(u.Data)})
	}
	return &j
}
