package render

import (
	"io"
	"math"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/minidump"
)

// LeaksSchema is the field "schema" of what [LeakReport].JSON writes.
const LeaksSchema = "dumpscan.leaks/1"

// LeakReport writes the answer of "dumpscan leaks". Its JSON:
//
//	schema      "dumpscan.leaks/1"
//	verdict     {leak, severity, sentence}: leak tells whether a finding has
//	            the severity "leak"; severity is the worst one
//	processes   [{process, processId, path, created, unknown, dumps, seconds,
//	            counts}]: the dumps of each process, oldest first; unknown are
//	            parts of the identity that they do not tell; seconds from the
//	            first to the last, absent without a trusted clock; counts of
//	            all handles, one for each dump
//	findings    see below, the worst first
//	suppressed  like findings, with suppressedBy {line, text, reason}
//	notes       [sentence]
//	errors      [sentence]
//
// Each of the findings has
//
//	rule         "steady-growth" ...; see analysis.Rules
//	severity     "info", "suspect" or "leak"
//	process      file name of the program
//	processId    absent if the dump does not tell
//	sentence     what was found
//	type         of the handles; "" for those without, or if it is about none
//	name         of their objects, numbers as "<n>" if they are merged; "" for
//	             objects without name, and where the group is a whole type
//	access       granted access, "0x20019"; "" where the group is a whole type
//	state        "exited", "manual" ...; absent without
//	count        handles in the last dump
//	growth       since the first dump; null with one dump
//	ratePerHour  null if it is not known
//	rate         {low, high, confidence, basis}; absent if it is not known
//	shape        "steady", "saturating cache" ...; absent with one dump
//	counts       one for each dump
//	turnover     {opened, closed, born, gone, reused, early, kept}; absent if it
//	             was not measured
//	survivors    ["0x7e0"], new since the first dump and still in the last
//	culprit      the module that opened the handles; "" if no trace tells
//	opener       {location, file, opens, traced, of, allOpens, frames}; absent
//	             without a trace
//	owners       [{module, moduleOffset, class, fieldOffset, handles, of,
//	             expectedByChance, confidence}], where they are kept
//	known        {title, source, advice}; absent if it is none
//	evidence     [sentence]
//	next         what to do
type LeakReport struct {
	Report *leaks.Report
	Notes  []string
	Errors []string
}

type jsonFinding struct {
	Rule         string         `json:"rule"`
	Severity     string         `json:"severity"`
	Process      string         `json:"process"`
	ProcessID    *uint32        `json:"processId,omitempty"`
	Sentence     string         `json:"sentence"`
	Type         string         `json:"type"`
	Name         string         `json:"name"`
	Access       string         `json:"access"`
	State        string         `json:"state,omitempty"`
	Count        uint64         `json:"count"`
	Growth       *int64         `json:"growth"`
	RatePerHour  *float64       `json:"ratePerHour"`
	Rate         *jsonRate      `json:"rate,omitempty"`
	Shape        string         `json:"shape,omitempty"`
	Counts       []uint64       `json:"counts"`
	Turnover     *jsonTurnover  `json:"turnover,omitempty"`
	Survivors    []string       `json:"survivors"`
	Culprit      string         `json:"culprit"`
	Opener       *jsonOpener    `json:"opener,omitempty"`
	Owners       []jsonHolder   `json:"owners"`
	Known        *jsonKnownLeak `json:"known,omitempty"`
	Evidence     []string       `json:"evidence"`
	Next         string         `json:"next"`
	SuppressedBy *jsonSuppress  `json:"suppressedBy,omitempty"`
}

type jsonRate struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"`
	Basis      string  `json:"basis"`
}

type jsonTurnover struct {
	Opened uint64 `json:"opened"`
	Closed uint64 `json:"closed"`
	Born   uint64 `json:"born"`
	Gone   uint64 `json:"gone"`
	Early  uint64 `json:"early"`
	Kept   uint64 `json:"kept"`
}

type jsonOpener struct {
	Location string   `json:"location"`
	File     string   `json:"file"`
	Opens    int      `json:"opens"`
	Traced   int      `json:"traced"`
	Of       uint64   `json:"of"`
	AllOpens int      `json:"allOpens"`
	Frames   []string `json:"frames"`
}

type jsonHolder struct {
	Module           string  `json:"module"`
	ModuleOffset     string  `json:"moduleOffset"`
	Class            string  `json:"class,omitempty"`
	FieldOffset      int     `json:"fieldOffset"`
	Handles          int     `json:"handles"`
	Of               int     `json:"of"`
	ExpectedByChance float64 `json:"expectedByChance"`
	Confidence       float64 `json:"confidence"`
}

type jsonKnownLeak struct {
	Title  string `json:"title"`
	Source string `json:"source"`
	Advice string `json:"advice"`
}

type jsonSuppress struct {
	Line   int    `json:"line"`
	Text   string `json:"text"`
	Reason string `json:"reason,omitempty"`
}

type jsonProcess struct {
	Process   string       `json:"process"`
	ProcessID *uint32      `json:"processId,omitempty"`
	Path      string       `json:"path,omitempty"`
	Created   string       `json:"created,omitempty"`
	Unknown   []string     `json:"unknown"`
	Dumps     []DumpHeader `json:"dumps"`
	Seconds   *float64     `json:"seconds,omitempty"`
	Counts    []uint64     `json:"counts"`
}

// JSON writes the report as JSON.
func (r *LeakReport) JSON(w io.Writer) error {
	j := NewJSONWriter(w, LeaksSchema)
	v := r.Report.Verdict
	j.Field("verdict", struct {
		Leak     bool   `json:"leak"`
		Severity string `json:"severity"`
		Sentence string `json:"sentence"`
	}{v.Leak, string(v.Severity), v.Sentence})
	j.List("processes", func(element func(any)) {
		for _, p := range r.Report.Processes {
			element(newJSONProcess(p))
		}
	})
	j.List("findings", func(element func(any)) {
		for i := range r.Report.Findings {
			element(newJSONFinding(&r.Report.Findings[i]))
		}
	})
	j.List("suppressed", func(element func(any)) {
		for i := range r.Report.Suppressed {
			s := &r.Report.Suppressed[i]
			f := newJSONFinding(&s.Finding)
			f.SuppressedBy = &jsonSuppress{s.By.Line, s.By.Text, s.By.Reason}
			element(f)
		}
	})
	j.Strings("notes", r.Notes)
	j.Strings("errors", r.Errors)
	return j.Close()
}

func newJSONProcess(p *leaks.Process) jsonProcess {
	s := p.Series
	j := jsonProcess{
		Process: s.Name(), ProcessID: processID(s.ProcessIdentity), Path: s.Process,
		Created: timestamp(s.Created), Unknown: nonNil(s.Unknown()), Counts: p.Total.Counts,
	}
	for _, snap := range s.Snapshots {
		j.Dumps = append(j.Dumps, NewDumpHeader(snap.File, snap.Info))
	}
	if d := s.Span(); d > 0 {
		seconds := float64(d) / float64(time.Second)
		j.Seconds = &seconds
	}
	return j
}

func processID(p analysis.ProcessIdentity) *uint32 {
	if !p.HasProcessID {
		return nil
	}
	return &p.ProcessID
}

func newJSONFinding(f *leaks.Finding) jsonFinding {
	j := jsonFinding{
		Rule: f.Rule, Severity: string(f.Severity), Process: f.Process.Name(), ProcessID: processID(f.Process),
		Sentence: f.Sentence, Counts: []uint64{}, Survivors: []string{}, Owners: []jsonHolder{},
		Evidence: nonNil(f.Evidence), Next: f.Next.String(),
	}
	if k := f.Known; k != nil {
		j.Known = &jsonKnownLeak{k.Title, k.Source, k.Advice}
	}
	if g := f.Group; g != nil {
		j.group(g)
	}
	return j
}

func (j *jsonFinding) group(g *leaks.Group) {
	j.Type, j.Name, j.State, j.Count, j.Counts = g.Type, g.Name, g.State, g.Last(), g.Counts
	if g.Kinds == 0 {
		j.Access = hexNumber(g.GrantedAccess)
	}
	if len(g.Counts) > 1 {
		net := g.Net()
		j.Growth, j.Shape = &net, string(g.Shape)
	}
	if r := g.Rate; r != nil {
		perHour := hundredths(r.PerHour)
		j.RatePerHour = &perHour
		j.Rate = &jsonRate{hundredths(r.Low), hundredths(r.High), 0.95, string(r.Basis)}
	}
	if t := g.Turnover; t != nil {
		j.Turnover = &jsonTurnover{t.Opened, t.Closed, t.Born, t.Gone, t.Early, t.Kept}
		for _, v := range t.Survivors {
			j.Survivors = append(j.Survivors, hexNumber(v))
		}
	}
	if o := g.Opener; o != nil {
		j.Culprit = o.Culprit.Name()
		frames := make([]string, len(o.Frames))
		for i, l := range o.Frames {
			frames[i] = l.String()
		}
		j.Opener = &jsonOpener{o.Location.String(), o.File, o.Opens, o.Traced, o.Of, o.AllOpens, frames}
	}
	for _, h := range g.Holders {
		j.Owners = append(j.Owners, newJSONHolder(&h))
	}
}

func newJSONHolder(h *owners.Owner) jsonHolder {
	offset := h.ModuleOffset
	if h.Module == "" {
		offset = uint64(minidump.VA(h.Address))
	}
	return jsonHolder{h.Module, hexNumber(offset), h.Class, h.FieldOffset, h.Handles, h.Of, h.ExpectedByChance, h.Confidence}
}

// hundredths rounds what an instruction more or less would change.
func hundredths(f float64) float64 { return math.Round(f*100) / 100 }

// nonNil makes a list that is written as [] when it is empty.
func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
