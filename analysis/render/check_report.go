package render

import (
	"fmt"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/check"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// A CheckReport is the answer of "dumpscan check": text, JSON, JUnit's XML and
// annotations of GitHub Actions.
type CheckReport struct {
	Dumps   []CheckDump   `json:"dumps"`  // in the order given
	Passed  bool          `json:"passed"` // every check: the exit code is 0
	Results []CheckResult `json:"results"`
	Notes   []string      `json:"notes"`
	Complaints

	Wrote string `json:"-"` // the file of a new baseline; in the text only
}

// A CheckDump is a dump that was checked.
type CheckDump struct {
	DumpHeader
	Handles *uint64 `json:"handles,omitempty"`
	Error   string  `json:"error,omitempty"` // why there are no counts
}

// A CheckResult is the outcome of one check of one dump, or of the first and
// the last dump together.
type CheckResult struct {
	Check    string         `json:"check"` // "max Key=5000", "max-rate 50/h", "baseline"
	Files    []string       `json:"files"` // the dump, or the first and the last dump
	Status   check.Status   `json:"status"`
	Reason   string         `json:"reason,omitempty"`  // why it is unknown
	Seconds  *int64         `json:"seconds,omitempty"` // between two dumps
	Measures []CheckMeasure `json:"measures"`          // in breach: what is too high; else what came nearest to the limit
}

// A CheckMeasure is a number of handles and how many of them are allowed.
type CheckMeasure struct {
	Subject     string      `json:"subject"`               // "Key", "total", `Key:\REGISTRY\*`
	Count       uint64      `json:"count"`                 // in the dump, or in the last one
	Base        *uint64     `json:"base,omitempty"`        // in the first dump, or in the baseline; not of "max"
	Growth      *int64      `json:"growth,omitempty"`      // Count less Base; not of "max"
	RatePerHour *float64    `json:"ratePerHour,omitempty"` // Growth by time; of "max-rate"
	Allowed     *uint64     `json:"allowed,omitempty"`     // the count (max, baseline) or growth (max-growth) that passes; not of "max-rate"
	Sentence    string      `json:"sentence"`              // the same for people
	Cause       *CheckCause `json:"cause,omitempty"`       // absent if there are no such handles
}

// A CheckCause is the group that adds most.
type CheckCause struct {
	Kind
	Count uint64  `json:"count"`
	Base  *uint64 `json:"base,omitempty"`
}

func (*CheckReport) schema() string { return "dumpscan.check/2" }

// NewCheckReport makes the report of a check. errors are what could not be
// read; wrote is the file of a new baseline, or "".
func NewCheckReport(dumps []*check.Dump, r *check.Report, wrote string, problems *analysis.Problems) *CheckReport {
	c := &CheckReport{
		Passed: r.Count(check.Passed) == len(r.Results) && problems.Len() == 0,
		Notes:  r.Notes, Wrote: wrote, Complaints: Complaints{problems},
	}
	for _, d := range dumps {
		c.Dumps = append(c.Dumps, newCheckDump(d))
	}
	for i := range r.Results {
		c.Results = append(c.Results, newCheckResult(&r.Results[i]))
	}
	return c
}

func newCheckDump(d *check.Dump) CheckDump {
	c := CheckDump{DumpHeader: DumpHeader{File: d.File}}
	if d.Snapshot != nil {
		c.DumpHeader = NewDumpHeader(d.File, d.Info)
		c.Handles = &d.Kinds.Total
	}
	if d.Err != nil {
		c.Error = d.Err.Error()
	}
	return c
}

func newCheckResult(r *check.Result) CheckResult {
	c := CheckResult{Check: "baseline", Files: r.Files, Status: r.Status, Reason: r.Reason}
	if r.Limit != nil {
		c.Check = string(r.Limit.Kind) + " " + r.Limit.String()
	}
	if r.Elapsed > 0 {
		seconds := int64(r.Elapsed / time.Second)
		c.Seconds = &seconds
	}
	for i := range r.Measures {
		c.Measures = append(c.Measures, newCheckMeasure(r, &r.Measures[i]))
	}
	return c
}

func newCheckMeasure(r *check.Result, m *check.Measure) CheckMeasure {
	c := CheckMeasure{Subject: m.Subject, Count: m.Count, Sentence: measureSentence(r, m)}
	if r.Limit == nil || r.Limit.Kind != check.LimitCount {
		c.Base, c.Growth = &m.Base, &m.Growth
	}
	if r.Limit != nil && r.Limit.Kind == check.LimitRate {
		c.RatePerHour = &m.PerHour
	} else {
		c.Allowed = &m.Allowed
	}
	if cause := &m.Cause; cause.Count+cause.Base > 0 {
		c.Cause = &CheckCause{Kind: newKind(cause.HandleKind, cause.Merged), Count: cause.Count}
		if c.Base != nil {
			c.Cause.Base = &cause.Base
		}
	}
	return c
}

// measureSentence says how many handles there are, how many may be, and which
// group adds most.
func measureSentence(r *check.Result, m *check.Measure) string {
	var text string
	switch {
	case r.Limit == nil:
		subject := m.Subject
		if m.Group {
			subject = m.Cause.HandleKind.String()
		}
		text = fmt.Sprintf("%s: %s, %s in the baseline, %s allowed", subject, words.Count(m.Count), words.Count(m.Base), words.Count(m.Allowed))
	case r.Limit.Kind == check.LimitCount:
		text = fmt.Sprintf("%s: %s, %s allowed", m.Subject, words.Count(m.Count), words.Count(m.Allowed))
	default:
		text = fmt.Sprintf("%s: %s to %s, %s", m.Subject, words.Count(m.Base), words.Count(m.Count), words.Growth(m.Growth))
		if r.Elapsed > 0 {
			text += " in " + words.Duration(r.Elapsed)
		}
		if r.Limit.Kind == check.LimitRate {
			text += fmt.Sprintf(", %s, %s allowed", words.Rate(m.PerHour, time.Hour), words.Rate(float64(r.Limit.N), r.Limit.Per))
		} else {
			text += fmt.Sprintf(", %s allowed", words.Growth(m.Allowed))
		}
	}
	switch {
	case r.Status != check.Breach || m.Group:
		return text
	case r.Limit != nil && r.Limit.Kind == check.LimitCount:
		verb := "are"
		if m.Cause.Count == 1 {
			verb = "is"
		}
		return fmt.Sprintf("%s; %s of them %s %s", text, words.Count(m.Cause.Count), verb, m.Cause.HandleKind)
	}
	return fmt.Sprintf("%s; most by %s: %s to %s", text, m.Cause.HandleKind, words.Count(m.Cause.Base), words.Count(m.Cause.Count))
}

// A BaselineFile is a baseline as the file that [check.ReadBaseline] reads;
// [check.Baseline] documents it. It has no form but JSON.
type BaselineFile struct {
	Process string          `json:"process,omitempty"`
	Types   []BaselineType  `json:"types"`
	Groups  []BaselineGroup `json:"groups"`
}

// A BaselineType is a line of a baseline.
type BaselineType struct {
	Type  string `json:"type"`
	Count uint64 `json:"count"`
}

// A BaselineGroup is a line of a baseline.
type BaselineGroup struct {
	Type          string `json:"type"`
	Name          string `json:"name"`
	GrantedAccess Hex    `json:"grantedAccess"`
	Count         uint64 `json:"count"`
}

func (*BaselineFile) schema() string { return check.BaselineSchema }

// NewBaselineFile makes the file of a baseline.
func NewBaselineFile(b *check.Baseline) *BaselineFile {
	f := &BaselineFile{Process: b.Process}
	for _, t := range b.Types {
		f.Types = append(f.Types, BaselineType(t))
	}
	for _, g := range b.Groups {
		f.Groups = append(f.Groups, BaselineGroup{g.Type, g.Name, Hex(g.GrantedAccess), g.Count})
	}
	return f
}
