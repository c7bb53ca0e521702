package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
)

// A series is the dumps between which growth is measured.
type series struct {
	first, last *Dump
	elapsed     time.Duration // 0 if it is not known
	notes       []string      // what the order rests on
	unknown     string        // why growth cannot be measured; "" if it can
	lost        string        // a dump without counts, whose place in the series is not known
}

// series brings the dumps into order.
func (c *Gate) series(dumps []*Dump) *series {
	s := &series{unknown: "growth needs two dumps"}
	if len(dumps) == 0 {
		return s
	}
	s.first, s.last = dumps[0], dumps[len(dumps)-1]
	var snapshots []*analysis.Snapshot
	for _, d := range dumps {
		if d.Snapshot != nil {
			snapshots = append(snapshots, d.Snapshot)
		} else if s.lost == "" {
			s.lost = fmt.Sprintf("%s: %v", d.File, d.Err)
		}
	}
	if len(snapshots) < 2 {
		s.unknown = cmp.Or(s.lost, s.unknown)
		return s
	}
	all := analysis.BuildSeries(snapshots, c.Force)
	if len(all) > 1 {
		s.unknown = "the dumps are not of one process: " + strings.Join(all[0].Differences(all[1].ProcessIdentity), ", ")
		if !c.Force {
			s.unknown += "; --force measures between runs of one program nevertheless"
		}
		return s
	}
	inOrder := all[0].Snapshots
	s.notes = all[0].Notes
	switch {
	case len(inOrder) < 2:
		s.unknown += ": " + strings.Join(s.notes, "; ")
		return s
	case all[0].Uncertain:
		s.unknown = strings.Join(s.notes, "; ")
		return s
	}
	of := func(snap *analysis.Snapshot) *Dump {
		return dumps[slices.IndexFunc(dumps, func(d *Dump) bool { return d.Snapshot == snap })]
	}
	s.unknown = ""
	s.first, s.last, s.elapsed = of(inOrder[0]), of(inOrder[len(inOrder)-1]), all[0].Span()
	if snapshots[0] != inOrder[0] || snapshots[len(snapshots)-1] != inOrder[len(inOrder)-1] {
		s.notes = append(slices.Clone(s.notes), fmt.Sprintf("the dumps were put in the order of their age: the first is %s, the last %s", s.first.File, s.last.File))
	}
	return s
}

// growth holds the first and the last dump against a LimitGrowth or LimitRate.
func (c *Gate) growth(i int, s *series) Result {
	l := &c.Limits[i]
	r := Result{Limit: l, Elapsed: s.elapsed}
	if s.first != nil {
		r.Files = slices.Compact([]string{s.first.File, s.last.File})
	}
	unknown := func(why string) Result {
		r.Status, r.Reason, r.Measures = Unknown, why, nil
		return r
	}
	if s.unknown != "" {
		return unknown(s.unknown)
	}
	for _, d := range []*Dump{s.first, s.last} {
		if why := d.unknown(l); why != "" {
			return unknown(d.File + ": " + why)
		}
	}
	if l.Kind == LimitRate && s.elapsed == 0 {
		return unknown("a rate needs the time between the dumps: " + strings.Join(s.notes, "; "))
	}
	r.judge(l, analysis.AlignKinds(s.first.counts(i, l), s.last.counts(i, l)))
	if s.first.Partial != nil && r.Status == Breach {
		return unknown(fmt.Sprintf("not everything of %s could be read, so that growth from it proves nothing: %v", s.first.File, s.first.Partial))
	}
	r.settle(s.first, s.last)
	if s.lost != "" && r.Status == Passed {
		return unknown("the others are within the limit, but " + s.lost)
	}
	return r
}
