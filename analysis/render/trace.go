package render

import (
	"math"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/symbol"
)

// TraceFacts are what a [TraceReport] is made of.
type TraceFacts struct {
	Dump  DumpHeader
	Trace *htrace.Trace
	// Diff holds the outstanding opens that the report is about: Trace.All, or
	// a comparison with Earlier.
	Diff    *htrace.Diff
	Earlier *DumpHeader // the dump compared with; nil without
	// Window is the time in which the opens happened, 0 if it is not known: from
	// Earlier to the dump, or else the uptime.
	Window time.Duration

	By     htrace.GroupKey
	Limit  int // groups; 0: all
	Frames int // of each group in the table; 0: none, negative: all

	Names  symbol.Names // of Trace.Addresses
	System *htrace.SystemModules
	// Operations are listed in JSON, if they are not nil.
	Operations *TraceOperations
	Invocation htrace.Invocation // for the next step
	Notes      []string
}

// A TraceReport is the answer of "dumpscan htrace": what is known about the
// handle operations of a dump.
type TraceReport struct {
	Dump     DumpHeader    `json:"dump"`
	Order    htrace.Order  `json:"order"`
	Evidence TraceEvidence `json:"evidence"`

	Parsed      int `json:"parsed"`
	Opens       int `json:"opens"`
	Closes      int `json:"closes"`
	BadRefs     int `json:"badRefs"`
	Others      int `json:"others"`
	Outstanding int `json:"outstanding"`
	FilteredOut int `json:"filteredOut,omitempty"`
	Stacks      int `json:"stacks"`

	Diff          *TraceDiff `json:"diff,omitempty"`
	Ring          TraceRing  `json:"ring"`
	WindowSeconds int64      `json:"windowSeconds,omitempty"`
	WindowOf      string     `json:"windowOf,omitempty"`

	GroupBy      htrace.GroupKey    `json:"groupBy"`
	Groups       []TraceGroup       `json:"groups"`
	Omitted      int                `json:"omitted,omitempty"`
	Anomalies    TraceAnomalies     `json:"anomalies"`
	Explanations []TraceExplanation `json:"explanations"`
	Operations   *TraceOperations   `json:"operations,omitempty"`

	Next    string   `json:"next,omitempty"`
	Command []string `json:"command,omitempty"`
	Notes   []string `json:"notes"`
	Complaints

	facts *TraceFacts // for the profile, and for the text
	step  analysis.Step
}

// TraceEvidence is what the order of the operations rests on.
type TraceEvidence struct {
	Reason      htrace.OrderReason `json:"reason"`
	OldestFirst TraceOrderCount    `json:"oldestFirst"`
	NewestFirst TraceOrderCount    `json:"newestFirst"`
}

// A TraceOrderCount is what replaying in one order met; see htrace.OrderCount.
type TraceOrderCount struct {
	Anomalies      int `json:"anomalies"`
	Contradictions int `json:"contradictions"`
	OtherTypes     int `json:"otherTypes"`
}

// A TraceDiff says what is new since an earlier dump.
type TraceDiff struct {
	Earlier     DumpHeader `json:"earlier"`
	New         int        `json:"new"`
	Overlap     int        `json:"overlap"`
	Overwritten int        `json:"overwritten"`
}

// A TraceRing is what the trace has not kept.
type TraceRing struct {
	ClosesWithoutOpen int  `json:"closesWithoutOpen"`
	OpenWithoutEntry  *int `json:"openWithoutEntry,omitempty"`
	Missing           *int `json:"missing,omitempty"`
}

// A TraceExplanation is a sentence about anomalies of one kind.
type TraceExplanation struct {
	Kind  htrace.AnomalyKind `json:"kind"`
	Count int                `json:"count"`
	Text  string             `json:"text"`
}

// NewTraceReport groups the opens and explains what else is in the trace. The
// next step is about the widest group.
func NewTraceReport(f TraceFacts) *TraceReport {
	t, d := f.Trace, f.Diff
	r := &TraceReport{
		Dump: f.Dump, Order: t.Order,
		Evidence: TraceEvidence{
			Reason: t.Evidence.Reason, OldestFirst: TraceOrderCount(t.Evidence.OldestFirst),
			NewestFirst: TraceOrderCount(t.Evidence.NewestFirst),
		},
		Parsed: t.Len(), Opens: t.Opens, Closes: t.Closes, BadRefs: t.BadRefs, Others: t.Others,
		Outstanding: len(d.Outstanding), FilteredOut: d.FilteredOut, Stacks: t.Stacks(),
		Ring:    TraceRing{ClosesWithoutOpen: t.CountAnomalies(htrace.CloseWithoutOpen)},
		GroupBy: f.By, Anomalies: TraceAnomalies{f.Trace, f.Names, f.System}, Operations: f.Operations,
		Notes: f.Notes, facts: &f,
	}
	if t.Handles.Present {
		r.Ring.OpenWithoutEntry, r.Ring.Missing = &t.Handles.WithoutEntry, &t.Handles.Missing
	}
	if f.Earlier != nil {
		r.Diff = &TraceDiff{*f.Earlier, d.New, d.Overlap, d.Overwritten}
	}
	if f.Window > 0 {
		r.WindowSeconds, r.WindowOf = int64(f.Window.Seconds()), "uptime"
		if f.Earlier != nil {
			r.WindowOf = "diff"
		}
	}
	groups := t.Group(d.Outstanding, htrace.GroupOptions{By: f.By, Blame: t.Blame(f.Names, f.System), Window: f.Window})
	if len(groups) > 0 {
		r.step = groups[0].Next(f.Invocation)
		r.Next, r.Command = r.step.Text, r.step.Args
	}
	if f.Limit > 0 && len(groups) > f.Limit {
		r.Omitted = len(groups) - f.Limit
		groups = groups[:f.Limit]
	}
	for i := range groups {
		r.Groups = append(r.Groups, newTraceGroup(&f, &groups[i]))
	}
	for _, e := range t.Explain(t.GroupAnomalies(f.Names, f.System)) {
		r.Explanations = append(r.Explanations, TraceExplanation(e))
	}
	return r
}

func (r *TraceReport) schema() string { return "dumpscan.htrace/2" }

// A TraceGroup is a number of opens that agree in one property.
type TraceGroup struct {
	Key          string             `json:"key"`
	Count        int                `json:"count"`
	Share        float64            `json:"share"`
	RatePerHour  *float64           `json:"ratePerHour,omitempty"`
	Culprit      string             `json:"culprit"`
	CulpritKind  htrace.CulpritKind `json:"culpritKind"`
	CulpritFrame int                `json:"culpritFrame"`
	CulpritPath  string             `json:"culpritPath,omitempty"`
	Function     string             `json:"function"`
	Type         string             `json:"type"`
	Types        []TraceType        `json:"types"`
	Names        []TraceName        `json:"names"`
	Threads      []TraceThread      `json:"threads"`
	Handles      []Hex              `json:"handles"`
	Missing      *int               `json:"missing,omitempty"`
	Reused       int                `json:"reused"`
	AllOpens     int                `json:"allOpens"`
	Young        int                `json:"young"`
	Split        *TraceSplit        `json:"split,omitempty"`
	Stacks       int                `json:"stacks"`
	Frames       []Frame            `json:"frames"`

	// MostFrequent is how many opens have the stack of Frames.
	MostFrequent int `json:"-"`
}

// A TraceSplit says that the callers of a helper keep the handles that it opens
// unevenly; see [htrace.Split].
type TraceSplit struct {
	Through Frame      `json:"through"` // the helper
	Caller  TraceShare `json:"caller"`
	Others  TraceShare `json:"others"`

	sentence string
}

// A TraceShare is how many of the handles that one place opened are still open;
// see [htrace.Share].
type TraceShare struct {
	Opens int `json:"opens"`
	Open  int `json:"open"`
	Young int `json:"young"`
}

func newTraceSplit(s *htrace.Split) *TraceSplit {
	if s == nil {
		return nil
	}
	return &TraceSplit{newFrame(s.Through), TraceShare(s.Caller), TraceShare(s.Others), s.Sentence()}
}

// A TraceType is a type of handles and how many opens have it.
type TraceType struct {
	Type  string `json:"type"`
	Count int    `json:"count"`
}

// A TraceName is the name of an object and how many opens have it.
type TraceName struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// A TraceThread is a thread and how many opens it made.
type TraceThread struct {
	ThreadID  uint32 `json:"threadId"`
	ProcessID uint32 `json:"processId"`
	Count     int    `json:"count"`
}

func newTraceGroup(f *TraceFacts, g *htrace.Group) TraceGroup {
	out := TraceGroup{
		Key: g.Key, Count: g.Count, Share: g.Share, Culprit: g.Culprit.Name(), CulpritKind: g.Culprit.Kind,
		CulpritFrame: g.Culprit.Frame, CulpritPath: g.Culprit.Path, Type: g.Type(), Handles: hexes(g.Handles),
		Reused: g.Reused, AllOpens: g.AllOpens, Young: g.Young, Split: newTraceSplit(g.Split), Stacks: len(g.Stacks), Frames: newFrames(g.Frames), MostFrequent: g.Stacks[0].Count,
	}
	if g.Culprit.Frame >= 0 {
		out.Function = htrace.FunctionName(g.Location)
	}
	if f.Window > 0 {
		rate := math.Round(g.RatePerHour*1e6) / 1e6
		out.RatePerHour = &rate
	}
	if f.Trace.Handles.Present {
		out.Missing = &g.Missing
	}
	for _, c := range g.Types {
		out.Types = append(out.Types, TraceType{c.Text, c.Count})
	}
	for _, c := range g.Names {
		out.Names = append(out.Names, TraceName{c.Text, c.Count})
	}
	for _, c := range g.Threads {
		out.Threads = append(out.Threads, TraceThread(c))
	}
	return out
}
