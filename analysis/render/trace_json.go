package render

import (
	"io"
	"math"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/symbol"
)

// TraceSchema is the field "schema" of what [TraceReport.JSON] writes.
const TraceSchema = "dumpscan.htrace/1"

// JSON writes the answer of "dumpscan htrace --json":
//
//	schema       "dumpscan.htrace/1"
//	dump         see DumpHeader
//	order        "newest-first" or "oldest-first": how the file stores the
//	             operations
//	evidence     {reason, oldestFirst, newestFirst}; reason is "anomalies",
//	             "handles", "default", "overlap" or "request"; the other two
//	             are what replaying in that order met: {anomalies,
//	             contradictions, otherTypes}, see analysis.OrderCount
//	parsed       operations in the trace
//	opens, closes, badRefs, others
//	             operations of each kind; others are of an unknown kind
//	outstanding  opens without a later close of the same value; with
//	             --diff, those among the new ones
//	stacks       distinct stacks in the trace
//	diff         with --diff: {earlier (see DumpHeader), new, overlap,
//	             overwritten}; overlap counts the operations that are in both
//	             dumps, overwritten those of the earlier one that are no longer
//	             in the later one
//	ring         what the trace has not kept: {closesWithoutOpen,
//	             openWithoutEntry, missing}; openWithoutEntry counts handles of
//	             the handle stream, missing the outstanding opens whose handle
//	             is not in it. The last two are absent without a handle stream
//	windowSeconds, windowOf
//	             the time over which rates are the mean, and what it is:
//	             "uptime" or "diff"; absent if the dumps do not tell
//	groupBy      "stack", "culprit", "function", "thread" or "type"
//	groups       the outstanding opens in groups, the widest first, see below
//	anomalies    see below
//	explanations [{kind, count, text}], sentences about the anomalies
//	operations   with HANDLE: its operations, the newest first: {position,
//	             handle, operation, thread, process, outstanding, frames}
//	notes        [sentence]
//	errors       [sentence]
//
// Operations are known by their position in time: 0 is the oldest. operation
// is "OPEN", "CLOSE" or "BADREF". Each of the groups has
//
//	key            the property's value; "" for a stack
//	count          opens
//	share          of all outstanding opens, 0 to 1
//	ratePerMinute  mean over windowSeconds; absent without
//	culprit        name of the module to blame, as WinDbg writes it;
//	               "<Unloaded_name>", "<no module>" or "<no stack>"
//	culpritKind    "module", "unloaded", "unknown", "system" (the stack lies
//	               in the operating system alone) or "none"
//	culpritFrame   index in frames, or -1
//	culpritPath    the module's file
//	type           the most frequent type of the handles, "" if not known
//	types          [{type, count}]
//	names          [{name, count}] of the named objects
//	threads        [{thread, process, count}]
//	handles        ["0x7e0"], ascending
//	missing        opens whose handle is not in the handle stream; absent
//	               without one
//	reused         opens of a value that the trace has open earlier
//	stacks         number of distinct stacks; frames are those of the most
//	               frequent one
//	frames         innermost first: {address, module, offset, function,
//	               displacement, trust, file, line, inlined [{function, file,
//	               line}]}; offset is from the module, displacement from the
//	               function; trust is "pdb", "sym", "dwarf", "export",
//	               "module", or "" for an address in no module
//
// Each of the anomalies has
//
//	kind      "double-close", "bad-reference", "open-of-open", "injected",
//	          "foreign-close", "duplicated", "close-without-open" or
//	          "open-without-entry"; see htrace.AnomalyKind
//	handle    the value, or an example if count is not 1
//	count     handles that it stands for
//	type      of open-without-entry
//	culprit   of the operation's stack
//	operation {position, operation, thread, process, frames}, the one that is
//	          wrong; absent in open-without-entry
//	previous  the open or close of the same value before; absent if there is
//	          none
func (r *TraceReport) JSON(w io.Writer) error {
	t := r.Trace
	j := NewJSONWriter(w, TraceSchema)
	j.Field("dump", r.Dump)
	j.Field("order", t.Order)
	j.Field("evidence", jsonEvidence{
		Reason: t.Evidence.Reason, OldestFirst: jsonOrderCount(t.Evidence.OldestFirst),
		NewestFirst: jsonOrderCount(t.Evidence.NewestFirst),
	})
	j.Field("parsed", t.Len())
	j.Field("opens", t.Opens)
	j.Field("closes", t.Closes)
	j.Field("badRefs", t.BadRefs)
	j.Field("others", t.Others)
	j.Field("outstanding", len(r.Diff.Outstanding))
	j.Field("stacks", t.Stacks())
	if r.Earlier != nil {
		j.Field("diff", jsonTraceDiff{*r.Earlier, r.Diff.New, r.Diff.Overlap, r.Diff.Overwritten})
	}
	ring := jsonRing{ClosesWithoutOpen: t.CountAnomalies(htrace.CloseWithoutOpen)}
	if t.Handles.Present {
		ring.OpenWithoutEntry, ring.Missing = &t.Handles.WithoutEntry, &t.Handles.Missing
	}
	j.Field("ring", ring)
	if r.Window > 0 {
		j.Field("windowSeconds", int64(r.Window.Seconds()))
		j.Field("windowOf", choose(r.Earlier != nil, "diff", "uptime"))
	}
	j.Field("groupBy", r.By)
	j.List("groups", func(element func(any)) {
		for i := range r.Groups {
			element(r.jsonGroup(&r.Groups[i]))
		}
	})
	j.List("anomalies", func(element func(any)) {
		for _, a := range t.Anomalies {
			element(r.jsonAnomaly(a))
		}
	})
	j.List("explanations", func(element func(any)) {
		for _, e := range r.explanations() {
			element(jsonExplanation{string(e.Kind), e.Count, e.Text})
		}
	})
	if r.Operations != nil {
		j.List("operations", func(element func(any)) {
			for _, position := range r.Operations {
				op := t.Operation(position)
				_, open := t.Open(position)
				element(jsonHandleOperation{hexNumber(op.Handle), open, *r.jsonOperation(position)})
			}
		})
	}
	j.Strings("notes", r.Notes)
	j.Strings("errors", r.Errors)
	return j.Close()
}

type jsonOrderCount struct {
	Anomalies      int `json:"anomalies"`
	Contradictions int `json:"contradictions"`
	OtherTypes     int `json:"otherTypes"`
}

type jsonEvidence struct {
	Reason      htrace.OrderReason `json:"reason"`
	OldestFirst jsonOrderCount     `json:"oldestFirst"`
	NewestFirst jsonOrderCount     `json:"newestFirst"`
}

type jsonTraceDiff struct {
	Earlier     DumpHeader `json:"earlier"`
	New         int        `json:"new"`
	Overlap     int        `json:"overlap"`
	Overwritten int        `json:"overwritten"`
}

type jsonRing struct {
	ClosesWithoutOpen int  `json:"closesWithoutOpen"`
	OpenWithoutEntry  *int `json:"openWithoutEntry,omitempty"`
	Missing           *int `json:"missing,omitempty"`
}

type jsonTraceGroup struct {
	Key           string       `json:"key"`
	Count         int          `json:"count"`
	Share         float64      `json:"share"`
	RatePerMinute *float64     `json:"ratePerMinute,omitempty"`
	Culprit       string       `json:"culprit"`
	CulpritKind   string       `json:"culpritKind"`
	CulpritFrame  int          `json:"culpritFrame"`
	CulpritPath   string       `json:"culpritPath,omitempty"`
	Type          string       `json:"type"`
	Types         []jsonOfType `json:"types"`
	Names         []jsonOfName `json:"names"`
	Threads       []jsonCaller `json:"threads"`
	Handles       []string     `json:"handles"`
	Missing       *int         `json:"missing,omitempty"`
	Reused        int          `json:"reused"`
	Stacks        int          `json:"stacks"`
	Frames        []jsonFrame  `json:"frames"`
}

type jsonOfType struct {
	Type  string `json:"type"`
	Count int    `json:"count"`
}

type jsonOfName struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

type jsonCaller struct {
	Thread  string `json:"thread"`
	Process string `json:"process"`
	Count   int    `json:"count"`
}

type jsonFrame struct {
	Address      string       `json:"address"`
	Module       string       `json:"module"`
	Offset       string       `json:"offset"`
	Function     string       `json:"function"`
	Displacement string       `json:"displacement"`
	Trust        symbol.Trust `json:"trust"`
	File         string       `json:"file,omitempty"`
	Line         int          `json:"line,omitempty"`
	Inlined      []jsonInline `json:"inlined,omitempty"`
}

type jsonInline struct {
	Function string `json:"function"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
}

type jsonTraceAnomaly struct {
	Kind      string         `json:"kind"`
	Handle    string         `json:"handle"`
	Count     int            `json:"count"`
	Type      *string        `json:"type,omitempty"`
	Culprit   string         `json:"culprit,omitempty"`
	Operation *jsonOperation `json:"operation,omitempty"`
	Previous  *jsonOperation `json:"previous,omitempty"`
}

type jsonOperation struct {
	Position  int         `json:"position"`
	Operation string      `json:"operation"`
	Thread    string      `json:"thread"`
	Process   string      `json:"process"`
	Frames    []jsonFrame `json:"frames"`
}

type jsonHandleOperation struct {
	Handle      string `json:"handle"`
	Outstanding bool   `json:"outstanding"`
	jsonOperation
}

type jsonExplanation struct {
	Kind  string `json:"kind"`
	Count int    `json:"count"`
	Text  string `json:"text"`
}

func (r *TraceReport) jsonGroup(g *htrace.Group) jsonTraceGroup {
	out := jsonTraceGroup{
		Key: g.Key, Count: g.Count, Share: g.Share, Culprit: g.Culprit.Name(), CulpritKind: string(g.Culprit.Kind),
		CulpritFrame: g.Culprit.Frame, CulpritPath: g.Culprit.Path, Type: g.Type(), Reused: g.Reused,
		Types: []jsonOfType{}, Names: []jsonOfName{}, Threads: []jsonCaller{}, Handles: []string{},
		Stacks: len(g.Stacks), Frames: jsonFrames(g.Frames),
	}
	if r.Window > 0 {
		perMinute := math.Round(g.RatePerMinute*1e6) / 1e6
		out.RatePerMinute = &perMinute
	}
	if r.Trace.Handles.Present {
		out.Missing = &g.Missing
	}
	for _, c := range g.Types {
		out.Types = append(out.Types, jsonOfType{c.Text, c.Count})
	}
	for _, c := range g.Names {
		out.Names = append(out.Names, jsonOfName{c.Text, c.Count})
	}
	for _, c := range g.Threads {
		out.Threads = append(out.Threads, jsonCaller{hexNumber(c.ThreadID), hexNumber(c.ProcessID), c.Count})
	}
	for _, h := range g.Handles {
		out.Handles = append(out.Handles, hexNumber(h))
	}
	return out
}

func (r *TraceReport) jsonAnomaly(a htrace.Anomaly) jsonTraceAnomaly {
	out := jsonTraceAnomaly{
		Kind: string(a.Kind), Handle: hexNumber(a.Handle), Count: a.Count,
		Operation: r.jsonOperation(a.Position), Previous: r.jsonOperation(a.Previous),
	}
	if a.Kind == htrace.OpenWithoutEntry {
		out.Type = &a.Type
	}
	if a.Position >= 0 {
		out.Culprit = r.System.Culprit(r.Trace.Operation(a.Position).Frames).Name()
	}
	return out
}

// jsonOperation describes the operation at a position; nil if that is none.
func (r *TraceReport) jsonOperation(position int) *jsonOperation {
	if position < 0 {
		return nil
	}
	op := r.Trace.Operation(position)
	return &jsonOperation{
		Position: position, Operation: op.OperationType.String(),
		Thread: hexNumber(op.ThreadID), Process: hexNumber(op.ProcessID), Frames: jsonFrames(r.locations(op.Stack)),
	}
}

func jsonFrames(frames []symbol.Location) []jsonFrame {
	out := []jsonFrame{}
	for _, l := range frames {
		f := jsonFrame{
			Address: l.Address.String(), Module: l.Module, Offset: hexNumber(l.Offset), Function: l.Function,
			Displacement: hexNumber(l.Displacement), Trust: l.Trust, File: l.File, Line: l.Line,
		}
		for _, in := range l.Inlined {
			f.Inlined = append(f.Inlined, jsonInline{in.Function, in.File, in.Line})
		}
		out = append(out, f)
	}
	return out
}
