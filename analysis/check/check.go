package check

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
)

// A Gate is what the handles of dumps are held against.
type Gate struct {
	Limits    []Limit
	Baseline  *Baseline // nil: none
	Tolerance Tolerance // for the baseline
	// Force measures growth even between dumps that are not of one process.
	Force bool
}

// A Dump is a dump with its handles counted for a [Gate].
type Dump struct {
	File string
	Info *analysis.DumpInfo // nil if the dump could not be opened
	Err  error              // why there are no counts
	// Partial is what could not be read of the handles. The counts cover the
	// rest, so that they prove a breach but not its absence.
	Partial error
	Kinds   *analysis.KindCounts // nil with Err

	named   bool
	matched []*analysis.KindCounts // for each limit with a pattern: the handles that it counts
}

// Count reads the handles of a dump once. Memory is needed for the groups and
// not for the handles.
func (c *Gate) Count(file string, info *analysis.DumpInfo, handles analysis.HandleSource) *Dump {
	d := &Dump{File: file, Info: info, matched: make([]*analysis.KindCounts, len(c.Limits))}
	matched := make([]*analysis.KindCounter, len(c.Limits))
	for i, l := range c.Limits {
		if l.Name != nil {
			matched[i] = analysis.NewKindCounter()
			d.matched[i] = matched[i].Counts()
		}
	}
	all := analysis.NewKindCounter()
	var failed analysis.Failures
	for h := range analysis.Handles(handles(analysis.KindParts), &failed) {
		all.Add(h)
		d.named = d.named || h.ObjectName != ""
		for i := range c.Limits {
			if l := &c.Limits[i]; l.Name != nil && l.counts(h.TypeName) && l.Name.Match(h.ObjectName) {
				matched[i].Add(h)
			}
		}
	}
	d.Partial = failed.Err()
	if d.Kinds = all.Counts(); d.Kinds.Total == 0 {
		d.Kinds, d.Err = nil, errors.New("there are no handles in the list: its writer saved none; "+analysis.CaptureHandles)
	}
	return d
}

// A Status is the outcome of one check.
type Status string

// The outcomes.
const (
	Passed  Status = "passed"
	Breach  Status = "breach"
	Unknown Status = "unknown" // the dumps cannot answer
)

// A Result is the outcome of one check of one dump, or of the first and
// the last dump together.
type Result struct {
	Limit   *Limit // nil: the baseline
	Files   []string
	Status  Status
	Reason  string        // of Unknown
	Elapsed time.Duration // between the dumps; 0 if there is but one, or a time is not known
	// Measures are the numbers that are too high, or without a breach of a
	// limit the one that came nearest to it.
	Measures []Measure
}

// A Measure is a number of handles and how many of them are allowed.
type Measure struct {
	Subject string // "Key", "total", `Key:\REGISTRY\*`
	// Group says that the baseline's count of Cause, not of a type, is exceeded.
	Group   bool
	Count   uint64  // in the dump, or in the last one
	Base    uint64  // in the first dump, or in the baseline
	Growth  int64   // Count less Base; 0 for LimitCount
	PerHour float64 // Growth by time, for LimitRate
	// Allowed is the largest Count that passes for LimitCount and for the
	// baseline, the largest Growth for LimitGrowth; for LimitRate it is 0.
	Allowed uint64
	Cause   Cause
}

// A Cause is the group that adds most to a [Measure].
type Cause struct {
	analysis.HandleKind
	Merged      bool // Name is a form that many names have
	Count, Base uint64
}

// A Report is the outcome of a [Gate].
type Report struct {
	Results []Result
	Notes   []string // sentences for people
}

// Count returns the number of results with a status.
func (r *Report) Count(status Status) int {
	n := 0
	for _, result := range r.Results {
		if result.Status == status {
			n++
		}
	}
	return n
}

// Run holds dumps that [Gate.Count] has counted against the limits and the
// baseline. Limits of counts and the baseline concern every dump by itself.
// Growth is measured from the first to the last dump by their time stamps, or
// in the order given if one has none.
func (c *Gate) Run(dumps []*Dump) *Report {
	r := &Report{}
	for _, d := range dumps {
		for i := range c.Limits {
			if c.Limits[i].Kind == LimitCount {
				r.Results = append(r.Results, c.count(i, d))
			}
		}
		if c.Baseline != nil {
			r.Results = append(r.Results, c.compare(d))
			if why := c.Baseline.misfit(d); why != "" {
				r.Notes = append(r.Notes, d.File+": "+why)
			}
		}
	}
	series := inOrder(dumps)
	if !slices.Equal(series, dumps) && slices.ContainsFunc(c.Limits, func(l Limit) bool { return l.Kind != LimitCount }) {
		r.Notes = append(r.Notes, fmt.Sprintf("the dumps were put in the order of their time stamps: the first is %s, the last %s",
			series[0].File, series[len(series)-1].File))
	}
	for i := range c.Limits {
		if c.Limits[i].Kind != LimitCount {
			r.Results = append(r.Results, c.growth(i, series))
		}
		if note := c.Limits[i].typo(dumps); note != "" {
			r.Notes = append(r.Notes, note)
		}
	}
	return r
}

// typo tells that a type occurs nowhere: a limit of it passes, but may guard
// nothing.
func (l *Limit) typo(dumps []*Dump) string {
	if l.Scope != ScopeType || l.Type == "" || analysis.KnownType(l.Type) {
		return ""
	}
	for _, d := range dumps {
		if d.Kinds == nil {
			continue
		}
		for _, form := range d.Kinds.Forms() {
			if l.counts(form.Type) {
				return ""
			}
		}
	}
	return fmt.Sprintf("%s: no handle is of type %q, which WinDbg does not know either; is it spelled right?", l, l.Type)
}

// inOrder sorts dumps by time, if all of them have one.
func inOrder(dumps []*Dump) []*Dump {
	for _, d := range dumps {
		if d.Info == nil || d.Info.Time.IsZero() {
			return dumps
		}
	}
	series := slices.Clone(dumps)
	slices.SortStableFunc(series, func(a, b *Dump) int { return a.Info.Time.Compare(b.Info.Time) })
	return series
}

// unknown tells why a dump cannot answer a limit; "" if it can.
func (d *Dump) unknown(l *Limit) string {
	switch {
	case d.Err != nil:
		return d.Err.Error()
	case l.Name != nil && !d.named:
		return "the dump has no names of objects"
	}
	return ""
}

// settle sets the status by the measures that are in breach.
func (r *Result) settle(dumps ...*Dump) {
	if r.Status != "" {
		return
	}
	r.Status = Passed
	for _, d := range dumps {
		if d.Partial != nil {
			r.Status = Unknown
			r.Reason = fmt.Sprintf("what could be read of %s is within the limit, but not everything could: %v", d.File, d.Partial)
		}
	}
}

// counts returns what the i-th limit counts in a dump.
func (d *Dump) counts(i int, l *Limit) *analysis.KindCounts {
	if l.Name != nil {
		return d.matched[i]
	}
	return d.Kinds
}

// count holds one dump against a LimitCount.
func (c *Gate) count(i int, d *Dump) Result {
	l := &c.Limits[i]
	r := Result{Limit: l, Files: []string{d.File}}
	if why := d.unknown(l); why != "" {
		r.Status, r.Reason = Unknown, why
		return r
	}
	r.judge(l, analysis.AlignKinds(d.counts(i, l)))
	r.settle(d)
	return r
}

// growth holds the first and the last dump against a LimitGrowth or LimitRate.
func (c *Gate) growth(i int, series []*Dump) Result {
	l := &c.Limits[i]
	first, last := series[0], series[len(series)-1]
	r := Result{Limit: l, Files: []string{first.File, last.File}}
	for _, d := range []*Dump{first, last} {
		if why := d.unknown(l); why != "" {
			r.Status, r.Reason = Unknown, d.File+": "+why
			return r
		}
	}
	from, to := first.Info.Time, last.Info.Time
	if !from.IsZero() && !to.IsZero() {
		r.Elapsed = to.Sub(from)
	}
	differ := first.Info.Identity().Differences(last.Info.Identity())
	switch {
	case len(differ) > 0 && !c.Force:
		r.Status, r.Reason = Unknown, fmt.Sprintf("the dumps are not of one process: %s; --force measures nevertheless", differ[0])
		return r
	case l.Kind == LimitRate && (from.IsZero() || to.IsZero()):
		r.Status, r.Reason = Unknown, "a rate needs the times of both dumps, and one has none"
		return r
	case l.Kind == LimitRate && r.Elapsed == 0:
		r.Status, r.Reason = Unknown, "a rate needs dumps of different times, and these were written in the same second"
		return r
	}
	r.judge(l, analysis.AlignKinds(first.counts(i, l), last.counts(i, l)))
	r.settle(first, last)
	return r
}
