package render

import (
	"math"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// A LeakReport is the answer of "dumpscan leaks": text, JSON, CSV, Markdown.
type LeakReport struct {
	Verdict    LeakVerdict   `json:"verdict"`
	Processes  []LeakProcess `json:"processes"`
	Findings   []LeakFinding `json:"findings"` // the worst first, then the largest
	Omitted    int           `json:"omitted,omitempty"`
	Suppressed []LeakFinding `json:"suppressed"`
	Notes      []string      `json:"notes"`
	Complaints
}

// A LeakVerdict is the answer in one sentence.
type LeakVerdict struct {
	Leak     bool           `json:"leak"` // a finding has the severity "leak"
	Severity leaks.Severity `json:"severity"`
	Sentence string         `json:"sentence"`
}

// A LeakProcess is a process and its dumps, the oldest first.
type LeakProcess struct {
	Process   string       `json:"process"`
	ProcessID *uint32      `json:"processId,omitempty"`
	Path      string       `json:"path,omitempty"`
	Created   string       `json:"created,omitempty"`
	Unknown   []string     `json:"unknown"` // parts of the identity that the dumps do not hold
	Dumps     []DumpHeader `json:"dumps"`
	Seconds   *float64     `json:"seconds,omitempty"` // from the first dump to the last; absent without a trusted clock
	Counts    []uint64     `json:"counts"`            // all handles, a number for each dump
}

// A LeakFinding is what one rule has found.
type LeakFinding struct {
	Rule      string         `json:"rule"`
	Severity  leaks.Severity `json:"severity"`
	Process   string         `json:"process"`
	ProcessID *uint32        `json:"processId,omitempty"`
	Sentence  string         `json:"sentence"`

	// The group that it is about; nothing and 0 if it is about none.
	Type          string        `json:"type"`
	Name          string        `json:"name"`
	Merged        bool          `json:"merged,omitempty"`
	GrantedAccess *Hex          `json:"grantedAccess,omitempty"` // absent where the group is a whole type
	Access        []string      `json:"access"`
	State         string        `json:"state,omitempty"`
	Attributes    Hex           `json:"attributes,omitempty"`
	Count         uint64        `json:"count"`                 // handles in the last dump
	Growth        *int64        `json:"growth,omitempty"`      // since the first dump; absent with one dump
	RatePerHour   *float64      `json:"ratePerHour,omitempty"` // absent if it is not known
	Rate          *LeakRate     `json:"rate,omitempty"`
	Shape         leaks.Shape   `json:"shape,omitempty"` // absent with one dump
	Counts        []uint64      `json:"counts"`          // a number for each dump
	Turnover      *LeakTurnover `json:"turnover,omitempty"`
	Held          *LeakHeld     `json:"held,omitempty"`
	Survivors     []Hex         `json:"survivors"` // handles that are new since the first dump, and in the last
	Culprit       string        `json:"culprit"`   // the module that opened the handles; "" if no trace shows it
	Opener        *LeakOpener   `json:"opener,omitempty"`
	Owners        []Owner       `json:"owners"` // where the handles are kept
	Known         *LeakKnown    `json:"known,omitempty"`

	Evidence     []string         `json:"evidence"`
	Next         string           `json:"next"`    // what to do, a sentence
	Command      []string         `json:"command"` // the command of Next; empty if there is none
	SuppressedBy *LeakSuppression `json:"suppressedBy,omitempty"`
}

// A LeakRate is the interval that holds the true rate, in handles an hour, with
// a confidence from 0 to 1.
type LeakRate struct {
	Low        float64         `json:"low"`
	High       *float64        `json:"high,omitempty"` // absent if the time stamps do not bound it
	Confidence float64         `json:"confidence"`
	Basis      leaks.RateBasis `json:"basis"`
}

// A LeakTurnover says how many handles came and went; see [leaks.Turnover].
type LeakTurnover struct {
	Opened uint64 `json:"opened"`
	Closed uint64 `json:"closed"`
	Born   uint64 `json:"born"`
	Gone   uint64 `json:"gone"`
	Early  uint64 `json:"early"`
	Kept   uint64 `json:"kept"`
	OneOf  uint64 `json:"oneOf,omitempty"` // handles that one which was followed stands for; absent if all were
	// Held is of kept, if what holds them was compared.
	Held *LeakHeld `json:"held,omitempty"`
}

// A LeakHeld says which of the values that two dumps have are the same handles,
// by what holds them; see [leaks.Held].
type LeakHeld struct {
	Old  string `json:"old"` // the dumps
	New  string `json:"new"`
	Kept uint64 `json:"kept"` // values in both
	DiffHeld
}

func newLeakHeld(h *leaks.Held) *LeakHeld {
	if h == nil {
		return nil
	}
	return &LeakHeld{h.Older, h.Newer, h.Kept, DiffHeld{h.Same, h.Replaced, h.Unknown()}}
}

// A LeakOpener is the place in the program that opened the handles.
type LeakOpener struct {
	Location string `json:"location"` // function or module, and offset
	File     string `json:"file"`     // the dump that has the trace
	Opens    int    `json:"opens"`    // handles of the group that it opened
	Traced   int    `json:"traced"`   // handles of the group whose opening the trace has
	Of       uint64 `json:"of"`       // handles of the group in that dump
	AllOpens int    `json:"allOpens"` // with those that were closed
	Young    int    `json:"young"`    // of opens: may be in use and be closed in time
	// Split is why the opener is not the first frame outside the system; absent
	// if it is.
	Split  *TraceSplit `json:"split,omitempty"`
	Frames []Frame     `json:"frames"` // the innermost first
}

// A LeakKnown is a leak that others have described.
type LeakKnown struct {
	Title  string `json:"title"`
	Source string `json:"source"` // address of the description
	Advice string `json:"advice"`
}

// A LeakSuppression is the line of a file that accepts a finding.
type LeakSuppression struct {
	File   string `json:"file"`
	Line   int    `json:"line"` // from 1
	Text   string `json:"text"`
	Reason string `json:"reason,omitempty"`
}

func (*LeakReport) schema() string { return "dumpscan.leaks/2" }

// NewLeakReport makes the report of a verdict. It has so many findings at most,
// or all of them for 0.
func NewLeakReport(r *leaks.Report, limit int) *LeakReport {
	v := r.Verdict
	l := &LeakReport{Verdict: LeakVerdict{v.Leak, v.Severity, v.Sentence}, Notes: r.Notes}
	for _, p := range r.Processes {
		l.Processes = append(l.Processes, newLeakProcess(p))
	}
	shown := r.Findings
	if limit > 0 && limit < len(shown) {
		shown = shown[:limit]
	}
	l.Omitted = len(r.Findings) - len(shown)
	for i := range shown {
		l.Findings = append(l.Findings, newLeakFinding(&shown[i]))
	}
	for i := range r.Suppressed {
		s := &r.Suppressed[i]
		f := newLeakFinding(&s.Finding)
		f.SuppressedBy = &LeakSuppression{s.By.File, s.By.Line, s.By.Text, s.By.Reason}
		l.Suppressed = append(l.Suppressed, f)
	}
	return l
}

func newLeakProcess(p *leaks.Process) LeakProcess {
	s := p.Series
	l := LeakProcess{
		Process: s.Name(), ProcessID: processID(s.ProcessIdentity), Path: s.Process,
		Created: words.Timestamp(s.Created), Unknown: s.Unknown(), Counts: p.Total.Counts,
	}
	for _, snap := range s.Snapshots {
		l.Dumps = append(l.Dumps, NewDumpHeader(snap.File, snap.Info))
	}
	if d := s.Span(); d > 0 {
		seconds := float64(d) / float64(time.Second)
		l.Seconds = &seconds
	}
	return l
}

func processID(p analysis.ProcessIdentity) *uint32 {
	if !p.HasProcessID {
		return nil
	}
	return &p.ProcessID
}

func newLeakFinding(f *leaks.Finding) LeakFinding {
	l := LeakFinding{
		Rule: f.Rule, Severity: f.Severity, Process: f.Process.Name(), ProcessID: processID(f.Process),
		Sentence: f.Sentence, Evidence: f.Evidence, Next: f.Next.Text, Command: f.Next.Args,
	}
	if k := f.Known; k != nil {
		l.Known = &LeakKnown{k.Title, k.Source, k.Advice}
	}
	if f.Group != nil {
		l.group(f.Group)
	}
	return l
}

func (l *LeakFinding) group(g *leaks.Group) {
	l.Type, l.Name, l.Merged, l.State, l.Attributes = g.Type, g.Name, g.Merged, g.State, Hex(g.Attributes)
	l.Count, l.Counts = g.Last(), g.Counts
	if g.Kinds == 0 {
		access := Hex(g.GrantedAccess)
		l.GrantedAccess, l.Access = &access, analysis.DecodeAccess(g.Type, g.GrantedAccess).Names()
	}
	if len(g.Counts) > 1 {
		net := g.Net()
		l.Growth, l.Shape = &net, g.Shape
	}
	if r := g.Rate; r != nil {
		perHour := hundredths(r.PerHour)
		l.RatePerHour = &perHour
		l.Rate = &LeakRate{Low: hundredths(r.Low), Confidence: 0.95, Basis: r.Basis}
		if !math.IsInf(r.High, 1) {
			high := hundredths(r.High)
			l.Rate.High = &high
		}
	}
	if t := g.Turnover; t != nil {
		l.Turnover = &LeakTurnover{Opened: t.Opened, Closed: t.Closed, Born: t.Born, Gone: t.Gone, Early: t.Early, Kept: t.Kept, Held: newLeakHeld(t.Held)}
		if t.OneOf > 1 {
			l.Turnover.OneOf = t.OneOf
		}
		l.Survivors = hexes(t.Survivors)
	}
	l.Held = newLeakHeld(g.Held)
	if o := g.Opener; o != nil {
		l.Culprit = o.Culprit.Name()
		l.Opener = &LeakOpener{o.Place(), o.File, o.Opens, o.Traced, o.Of, o.AllOpens, o.Young, newTraceSplit(o.Split), newFrames(o.Frames)}
	}
	for i := range g.Holders {
		l.Owners = append(l.Owners, newOwner(&g.Holders[i]))
	}
}

// hundredths rounds what an instruction more or less would change.
func hundredths(f float64) float64 { return math.Round(f*100) / 100 }
