package check

import (
	"context"
	"fmt"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
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
	// Snapshot has the counts; nil with Err.
	*analysis.Snapshot
	Err error // why there are no counts
	// Partial is what could not be read of the handles. The counts cover the
	// rest, so that they prove a breach but not its absence.
	Partial error

	matched []*analysis.KindCounts // for each limit with a pattern: the handles that it counts
}

// Count reads the handles of a dump once. Memory is needed for the groups and
// not for the handles. The error is that of ctx; what else goes wrong is in the
// result, so that the other dumps are still checked.
func (c *Gate) Count(ctx context.Context, f *minidump.File, file string) (*Dump, error) {
	d := &Dump{File: file, matched: make([]*analysis.KindCounts, len(c.Limits))}
	list, err := analysis.ReadHandles(f)
	if err == nil {
		err = list.Empty()
	}
	if err != nil {
		d.Err = err
		return d, nil
	}
	matched := make([]*analysis.KindCounter, len(c.Limits))
	for i, l := range c.Limits {
		if l.Name != nil {
			matched[i] = analysis.NewKindCounter()
			d.matched[i] = matched[i].Counts()
		}
	}
	all := analysis.NewKindCounter()
	d.Partial = list.Walk(ctx, analysis.KindParts, func(h *minidump.Handle) bool {
		all.Add(h)
		for i := range c.Limits {
			if l := &c.Limits[i]; l.Name != nil && l.counts(h.TypeName) && l.Name.Match(h.ObjectName) {
				matched[i].Add(h)
			}
		}
		return true
	})
	d.Snapshot = analysis.NewSnapshot(f, file)
	d.Kinds = all.Counts()
	return d, ctx.Err()
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
// Growth is measured from the first to the last dump of the process, in the
// order of [analysis.BuildSeries].
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
	var s *series
	for i := range c.Limits {
		if c.Limits[i].Kind != LimitCount {
			if s == nil {
				s = c.series(dumps)
				r.Notes = append(r.Notes, s.notes...)
			}
			r.Results = append(r.Results, c.growth(i, s))
		}
	}
	return r
}

// CheckTypes returns an [*analysis.UnknownTypeError] if a limit is about a type
// that neither WinDbg nor one of the dumps knows: it would guard nothing.
func (c *Gate) CheckTypes(dumps []*Dump) error {
	var types []string
	for _, d := range dumps {
		if d.Snapshot != nil {
			types = append(types, d.Kinds.Types()...)
		}
	}
	for i := range c.Limits {
		if l := &c.Limits[i]; l.Scope == ScopeType {
			if err := analysis.CheckType(l.Type, types); err != nil {
				return fmt.Errorf("--%s %s: %w", l.Kind, l, err)
			}
		}
	}
	return nil
}

// unknown says why a dump cannot answer a limit; "" if it can.
func (d *Dump) unknown(l *Limit) string {
	switch {
	case d.Err != nil:
		return d.Err.Error()
	case l.Name != nil && !d.Kinds.Named:
		return "the dump has no names of objects"
	}
	return ""
}

// settle sets the status of a result without a breach: what could be read of a
// damaged dump proves nothing about the rest.
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
