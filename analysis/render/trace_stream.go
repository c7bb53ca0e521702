package render

import (
	"iter"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// A TraceOperation is one operation of a trace.
type TraceOperation struct {
	Position  int     `json:"position"`
	Operation string  `json:"operation"`
	ThreadID  uint32  `json:"threadId"`
	ProcessID uint32  `json:"processId"`
	Frames    []Frame `json:"frames"`
}

// A TraceHandleOperation is a [TraceOperation] with the handle it is about.
type TraceHandleOperation struct {
	Handle      Hex  `json:"handle"`
	Outstanding bool `json:"outstanding"`
	TraceOperation
}

// A TraceAnomaly is one thing that is wrong in a trace.
type TraceAnomaly struct {
	Kind      htrace.AnomalyKind `json:"kind"`
	Handle    Hex                `json:"handle"`
	Count     int                `json:"count"`
	Type      *string            `json:"type,omitempty"`
	Culprit   string             `json:"culprit,omitempty"`
	Operation *TraceOperation    `json:"operation,omitempty"`
	Previous  *TraceOperation    `json:"previous,omitempty"`
}

// TraceOperations are operations of a trace, which come one by one: there may
// be millions.
type TraceOperations struct {
	trace     *htrace.Trace
	names     symbol.Names
	positions iter.Seq[int]
}

// NewTraceOperations are the operations at some positions of a trace, whose
// frames have the given names.
func NewTraceOperations(t *htrace.Trace, names symbol.Names, positions iter.Seq[int]) *TraceOperations {
	return &TraceOperations{t, names, positions}
}

func (o *TraceOperations) all() iter.Seq[htrace.Operation] {
	return func(yield func(htrace.Operation) bool) {
		for i := range o.positions {
			if !yield(o.trace.Operation(i)) {
				return
			}
		}
	}
}

func (o *TraceOperations) elements(element func(any)) {
	for op := range o.all() {
		_, open := o.trace.Open(op.Position)
		element(TraceHandleOperation{Hex(op.Handle), open, newTraceOperation(&op, o.names)})
	}
}

func newTraceOperation(op *htrace.Operation, names symbol.Names) TraceOperation {
	return TraceOperation{
		Position: op.Position, Operation: op.OperationType.String(),
		ThreadID: op.ThreadID, ProcessID: op.ProcessID, Frames: newFrames(named(op.Frames, names)),
	}
}

// named are the frames of a stack with their names.
func named(frames []minidump.VA, names symbol.Names) []symbol.Location {
	list := make([]symbol.Location, len(frames))
	for i, addr := range frames {
		list[i] = names.At(addr)
	}
	return list
}

// TraceAnomalies are what is wrong in a trace, one by one.
type TraceAnomalies struct {
	trace  *htrace.Trace
	names  symbol.Names
	system *htrace.SystemModules
}

func (a TraceAnomalies) elements(element func(any)) {
	for x := range a.trace.Anomalies() {
		out := TraceAnomaly{Kind: x.Kind, Handle: Hex(x.Handle), Count: x.Count}
		if x.Kind == htrace.OpenWithoutEntry {
			out.Type = &x.Type
		}
		out.Operation, out.Previous = a.operation(x.Position), a.operation(x.Previous)
		if x.Position >= 0 {
			out.Culprit = a.system.Culprit(a.trace.Operation(x.Position).Frames).Name()
		}
		element(out)
	}
}

// operation describes the operation at a position; nil if that is none.
func (a TraceAnomalies) operation(position int) *TraceOperation {
	if position < 0 {
		return nil
	}
	op := a.trace.Operation(position)
	out := newTraceOperation(&op, a.names)
	return &out
}
