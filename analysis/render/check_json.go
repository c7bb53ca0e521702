package render

import (
	"io"

	"github.com/dumpscan/dumpscan/analysis/check"
)

// CheckSchema is the field "schema" of what a [CheckReport] writes in JSON.
const CheckSchema = "dumpscan.check/1"

// CheckReport writes the answers of "dumpscan check". Its JSON is
//
//	schema    "dumpscan.check/1"
//	dumps     the dumps in the order given, see DumpHeader; each with handles,
//	          their number, and error if they cannot be counted
//	passed    true if every check passed: the exit code is 0
//	results   [result]
//	notes     [sentence]
//	errors    [sentence]
//
// A result is the outcome of one check of one dump, or of the first and the
// last dump together:
//
//	check     "max Key=5000", "max-rate 50/h", "baseline"
//	files     the dump, or the first and the last dump
//	status    "passed", "breach", or "unknown" if the dumps cannot answer
//	reason    why, with unknown
//	seconds   between two dumps
//	measures  in breach: what is too high; else what came nearest to the limit
//
// A measure is
//
//	subject   "Key", "total", "Key:\REGISTRY\*"
//	count     handles in the dump, or in the last one
//	base      in the first dump, or in the baseline; absent for "max"
//	growth    count less base; absent for "max"
//	perHour   growth by time; of "max-rate"
//	allowed   the count (max, baseline) or growth (max-growth) that passes;
//	          absent for "max-rate"
//	sentence  the same in words
//	cause     the group that adds most: a kind as in dumpscan.diff/1, count and
//	          base; absent if there are no such handles
type CheckReport struct {
	Dumps  []CheckDump
	Check  *check.Report
	Errors []string
	Wrote  string // the file of a new baseline; in the text only
}

// CheckDump is a dump as the answers of check describe it.
type CheckDump struct {
	DumpHeader
	Handles *uint64 `json:"handles,omitempty"`
	Error   string  `json:"error,omitempty"`
}

// NewCheckDump describes a dump that was counted.
func NewCheckDump(d *check.Dump) CheckDump {
	c := CheckDump{DumpHeader: DumpHeader{File: d.File}}
	if d.Info != nil {
		c.DumpHeader = NewDumpHeader(d.File, d.Info)
	}
	if d.Kinds != nil {
		c.Handles = &d.Kinds.Total
	}
	if d.Err != nil {
		c.Error = d.Err.Error()
	}
	return c
}

type jsonCheckResult struct {
	Check    string        `json:"check"`
	Files    []string      `json:"files"`
	Status   string        `json:"status"`
	Reason   string        `json:"reason,omitempty"`
	Seconds  *int64        `json:"seconds,omitempty"`
	Measures []jsonMeasure `json:"measures"`
}

type jsonMeasure struct {
	Subject  string          `json:"subject"`
	Count    uint64          `json:"count"`
	Base     *uint64         `json:"base,omitempty"`
	Growth   *int64          `json:"growth,omitempty"`
	PerHour  *float64        `json:"perHour,omitempty"`
	Allowed  *uint64         `json:"allowed,omitempty"`
	Sentence string          `json:"sentence"`
	Cause    *jsonCheckCause `json:"cause,omitempty"`
}

type jsonCheckCause struct {
	jsonKind
	Count uint64  `json:"count"`
	Base  *uint64 `json:"base,omitempty"`
}

// JSON writes the report.
func (r *CheckReport) JSON(w io.Writer) error {
	j := NewJSONWriter(w, CheckSchema)
	j.List("dumps", func(element func(any)) {
		for _, d := range r.Dumps {
			element(d)
		}
	})
	j.Field("passed", r.passed())
	j.List("results", func(element func(any)) {
		for i := range r.Check.Results {
			element(newJSONCheckResult(&r.Check.Results[i]))
		}
	})
	j.Strings("notes", r.Check.Notes)
	j.Strings("errors", r.Errors)
	return j.Close()
}

func (r *CheckReport) passed() bool {
	return r.Check.Count(check.Passed) == len(r.Check.Results) && len(r.Errors) == 0
}

func newJSONCheckResult(r *check.Result) jsonCheckResult {
	j := jsonCheckResult{
		Check: checkName(r), Files: r.Files, Status: string(r.Status), Reason: r.Reason, Measures: []jsonMeasure{},
	}
	if r.Elapsed > 0 {
		seconds := int64(r.Elapsed.Seconds())
		j.Seconds = &seconds
	}
	for i := range r.Measures {
		m := &r.Measures[i]
		e := jsonMeasure{Subject: m.Subject, Count: m.Count, Sentence: measureSentence(r, m)}
		if r.Limit == nil || r.Limit.Kind != check.LimitCount {
			e.Base, e.Growth = &m.Base, &m.Growth
		}
		if r.Limit != nil && r.Limit.Kind == check.LimitRate {
			e.PerHour = &m.PerHour
		} else {
			e.Allowed = &m.Allowed
		}
		if c := &m.Cause; c.Count+c.Base > 0 {
			e.Cause = &jsonCheckCause{jsonKind: newJSONKind(c.HandleKind, c.Merged), Count: c.Count}
			if e.Base != nil {
				e.Cause.Base = &c.Base
			}
		}
		j.Measures = append(j.Measures, e)
	}
	return j
}

// WriteBaseline writes a baseline as the file that [analysis.ReadBaseline]
// reads.
func WriteBaseline(w io.Writer, b *check.Baseline) error {
	type group struct {
		Type   string `json:"type"`
		Name   string `json:"name"`
		Access string `json:"access"`
		Count  uint64 `json:"count"`
	}
	j := NewJSONWriter(w, check.BaselineSchema)
	if b.Process != "" {
		j.Field("process", b.Process)
	}
	j.List("types", func(element func(any)) {
		for _, t := range b.Types {
			element(jsonType(t))
		}
	})
	j.List("groups", func(element func(any)) {
		for _, g := range b.Groups {
			element(group{g.Type, g.Name, hexNumber(g.GrantedAccess), g.Count})
		}
	})
	return j.Close()
}
