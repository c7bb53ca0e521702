package htrace

import (
	"context"
	"errors"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// Handles is what the handle stream of the same dump adds to a trace.
type Handles struct {
	Present bool     // the dump has a handle stream with handles
	Total   int      // handles in it
	Types   []string // their types, each once, in WinDbg's order; "" is not among them
	// WithoutEntry counts those for which the trace has no outstanding open.
	WithoutEntry int
	// Missing counts the outstanding opens whose value is not in the handle
	// stream, or was opened again: they were closed without a trace of it.
	Missing int

	types []uint32 // by number of the handle in the pool: unlisted, untypedHandle, or the number of a type
}

const (
	unlisted      = 0 // not in the handle stream
	untypedHandle = 1 // there, but of unknown type
)

// join finds out which of the traced handles are in the handle stream, and
// their types. It needs no names yet: those are for the outstanding opens only,
// and which these are depends on the order of the trace, and that on this.
func (t *Trace) join(ctx context.Context, f *minidump.File) error {
	h := &t.Handles
	h.types = make([]uint32, len(t.pool.handles))
	list, err := analysis.ReadHandles(f)
	var missing *analysis.MissingError
	if errors.As(err, &missing) {
		return nil
	}
	if err != nil || list.Empty() != nil {
		return err
	}
	h.Present = true
	numbers := map[string]uint32{"": untypedHandle}
	err = list.Walk(ctx, minidump.HandleTypeName, func(handle *minidump.Handle) bool {
		h.Total++
		n, ok := numbers[handle.TypeName]
		if !ok {
			n = uint32(len(numbers) + 1)
			numbers[handle.TypeName] = n
			h.Types = append(h.Types, handle.TypeName)
		}
		if id, ok := t.pool.lookup(handle.Handle); ok {
			h.types[id] = n
		}
		return true
	})
	slices.SortFunc(h.Types, analysis.CompareTypes)
	return err
}

// describe gives the outstanding opens their types and names, and reports the
// handles that have none in the trace.
func (t *Trace) describe(ctx context.Context, f *minidump.File) error {
	if !t.Handles.Present {
		return nil
	}
	list, err := analysis.ReadHandles(f)
	if err != nil {
		return err
	}
	open := map[uint64]int{} // value -> index in Outstanding
	for i := range t.Outstanding {
		if o := &t.Outstanding[i]; !o.Superseded {
			open[o.Handle] = i
		}
	}
	others := map[string]*Anomaly{}
	parts := minidump.HandleTypeName
	if len(open) > 0 {
		parts |= minidump.HandleObjectName
	}
	last := &Object{Listed: true} // handles of one kind come in runs
	err = list.Walk(ctx, parts, func(handle *minidump.Handle) bool {
		if i, ok := open[handle.Handle]; ok {
			if handle.TypeName != last.Type || handle.ObjectName != last.Name {
				last = &Object{Listed: true, Type: handle.TypeName, Name: handle.ObjectName}
			}
			t.Outstanding[i].Object = last
			return true
		}
		t.Handles.WithoutEntry++
		a := others[handle.TypeName]
		if a == nil {
			a = &Anomaly{
				Kind: OpenWithoutEntry, Handle: handle.Handle, Type: handle.TypeName, Position: none, Previous: none,
			}
			others[handle.TypeName] = a
		}
		a.Count++
		return true
	})
	for _, o := range t.Outstanding {
		if !o.Object.Listed {
			t.Handles.Missing++
		}
	}
	var anomalies []Anomaly
	for _, a := range others {
		anomalies = append(anomalies, *a)
	}
	t.sum(OpenWithoutEntry, anomalies)
	return err
}
