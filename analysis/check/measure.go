package check

import (
	"cmp"
	"slices"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
)

// judge measures what the limit counts together, and keeps what exceeds it.
func (r *Result) judge(l *Limit, table *analysis.KindTable) {
	var nearest *Measure
	for _, m := range l.measure(table) {
		if l.Kind == LimitRate {
			m.PerHour = float64(m.Growth) / r.Elapsed.Hours()
		}
		if l.breached(&m, r.Elapsed) {
			r.Status = Breach
			r.Measures = append(r.Measures, m)
		}
		if nearest == nil || l.headroom(&m) < l.headroom(nearest) {
			nearest = &m
		}
	}
	slices.SortStableFunc(r.Measures, func(a, b Measure) int { return cmp.Compare(l.headroom(&a), l.headroom(&b)) })
	if r.Status == "" && nearest != nil {
		r.Measures = []Measure{*nearest}
	}
}

// measure adds up the rows of a table of one or two dumps.
func (l *Limit) measure(table *analysis.KindTable) []Measure {
	var all []Measure
	if l.Scope != ScopeEach {
		all = []Measure{{Subject: l.subject(l.Type)}}
	}
	for _, row := range table.Rows { // those of one type follow each other
		if !l.counts(row.Type) {
			continue
		}
		if n := len(all); l.Scope == ScopeEach && (n == 0 || all[n-1].Subject != l.subject(row.Type)) {
			all = append(all, Measure{Subject: l.subject(row.Type)})
		}
		all[len(all)-1].add(row)
	}
	for i := range all {
		m := &all[i]
		if m.Allowed = l.N; l.Kind == LimitRate {
			m.Allowed = 0
		}
		if l.Kind != LimitCount {
			m.Growth = int64(m.Count) - int64(m.Base)
		}
		if l.Percent {
			m.Allowed = m.Base * l.N / 100
		}
	}
	return all
}

// add adds a group, which may be the one that adds most.
func (m *Measure) add(row analysis.KindRow) {
	cause := Cause{HandleKind: row.HandleKind, Merged: row.Merged, Count: row.Counts[len(row.Counts)-1]}
	if len(row.Counts) > 1 {
		cause.Base = row.Counts[0]
	}
	if m.Count+m.Base == 0 || cause.excess() > m.Cause.excess() {
		m.Cause = cause
	}
	m.Count, m.Base = m.Count+cause.Count, m.Base+cause.Base
}

func (c *Cause) excess() int64 { return int64(c.Count) - int64(c.Base) }

// breached reports whether a measure exceeds the limit.
func (l *Limit) breached(m *Measure, elapsed time.Duration) bool {
	switch l.Kind {
	case LimitGrowth:
		return m.Growth > 0 && uint64(m.Growth) > m.Allowed
	case LimitRate:
		return m.Growth > 0 && float64(m.Growth)*l.Per.Seconds() > float64(l.N)*elapsed.Seconds()
	}
	return m.Count > m.Allowed
}

// headroom orders measures by how near they are to the limit.
func (l *Limit) headroom(m *Measure) int64 {
	if l.Kind == LimitCount {
		return int64(m.Allowed) - int64(m.Count)
	}
	return int64(m.Allowed) - m.Growth
}
