package analysis

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A Series is the dumps of one process, the oldest first.
type Series struct {
	ProcessIdentity // what any of the dumps says
	Snapshots       []*Snapshot
	// Hours are the times of the snapshots since the first; nil if the clock
	// cannot be trusted or the dumps do not say, so that there are no rates.
	Hours []float64
	// Uncertain says that nothing shows how old the dumps are: they are in the
	// order of their names.
	Uncertain bool
	// Notes say what the order rests on, and what was left out: sentences
	// without a full stop.
	Notes []string
	// Forced are the differences between the dumps that were overruled.
	Forced []string
	// Earlier is the process that ran the same program before, if there are
	// dumps of it; the last of them, if there are several.
	Earlier *Series
}

// BuildSeries sorts dumps into processes and brings those of each into order.
// With force, dumps whose main module has the same name are taken for one
// process. The order of the snapshots makes no difference, unless dumps are
// alike in everything that shows their age.
func BuildSeries(snapshots []*Snapshot, force bool) []*Series {
	sorted := slices.Clone(snapshots)
	slices.SortStableFunc(sorted, func(a, b *Snapshot) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name()), strings.ToLower(b.Name())),
			cmp.Compare(a.ProcessID, b.ProcessID), a.Created.Compare(b.Created), a.Time.Compare(b.Time),
			strings.Compare(a.File, b.File))
	})
	var all []*Series
	for _, s := range sorted {
		if home := findSeries(all, s, force); home != nil {
			home.Snapshots = append(home.Snapshots, s)
		} else {
			all = append(all, &Series{Snapshots: []*Snapshot{s}})
		}
	}
	for _, s := range all {
		s.order()
		s.identify()
	}
	for _, s := range all {
		for _, o := range all {
			if s.follows(o) && (s.Earlier == nil || o.Created.After(s.Earlier.Created)) {
				s.Earlier = o
			}
		}
	}
	return all
}

// follows reports whether the process is another run of o's program, begun
// after the last dump of that. Two that ran side by side are no restart.
func (s *Series) follows(o *Series) bool {
	return o.Process != "" && strings.EqualFold(o.Name(), s.Name()) && !o.Created.IsZero() &&
		o.Created.Before(s.Created) && o.Last().Time.Before(s.Created)
}

// findSeries returns the series of the process that a dump belongs to.
func findSeries(all []*Series, s *Snapshot, force bool) *Series {
	for _, series := range all {
		same := true
		for _, o := range series.Snapshots {
			if force {
				same = same && strings.EqualFold(o.Name(), s.Name())
			} else {
				same = same && len(o.Differences(s.ProcessIdentity)) == 0
			}
		}
		if same {
			return series
		}
	}
	return nil
}

// identify joins what the dumps say of the process, the newest first.
func (s *Series) identify() {
	s.ProcessIdentity = s.Last().ProcessIdentity
	for _, snap := range slices.Backward(s.Snapshots) {
		if s.Process == "" {
			s.Process = snap.Process
		}
		if !s.HasProcessID {
			s.ProcessID, s.HasProcessID = snap.ProcessID, snap.HasProcessID
		}
		if s.Created.IsZero() {
			s.Created = snap.Created
		}
		for _, d := range snap.Differences(s.ProcessIdentity) {
			if !slices.Contains(s.Forced, d) {
				s.Forced = append(s.Forced, d)
			}
		}
	}
}

// age is what beside the clock shows the age of a process. Both only grow.
type age struct {
	cpu    uint64 // seconds of processor time
	faults uint64 // page faults
}

// ageOf returns the age that a dump shows; the zero age if it shows none.
func ageOf(s *Snapshot) (a age) {
	if m := s.Info.Misc; m != nil && m.Flags1&minidump.MiscProcessTimes != 0 {
		a.cpu = uint64(m.ProcessUserTime) + uint64(m.ProcessKernelTime)
	}
	if s.Memory != nil {
		a.faults = uint64(s.Memory.PageFaultCount)
	}
	return a
}

func (a age) compare(b age) int {
	return cmp.Or(cmp.Compare(a.cpu, b.cpu), cmp.Compare(a.faults, b.faults))
}

// order brings the dumps into their order in time, by their time stamps. Where
// one is missing, or where these contradict the processor time and the page
// faults of the process, which never go back, so that the clock was set back
// between the dumps, the latter decide, and there are no rates.
func (s *Series) order() {
	aged := s.aged()
	slices.SortStableFunc(s.Snapshots, func(a, b *Snapshot) int {
		byAge := 0
		if aged {
			byAge = ageOf(a).compare(ageOf(b))
		}
		return cmp.Or(a.Time.Compare(b.Time), byAge, strings.Compare(a.File, b.File))
	})
	s.dropTwins()
	if len(s.Snapshots) == 1 {
		return
	}
	why := "the clock was set back between the dumps"
	timed := !slices.ContainsFunc(s.Snapshots, func(snap *Snapshot) bool { return snap.Time.IsZero() })
	if !timed {
		why = "not every dump says when it was written"
	}
	switch {
	case timed && (!aged || s.ages()):
		s.setHours()
	case aged:
		slices.SortStableFunc(s.Snapshots, func(a, b *Snapshot) int { return ageOf(a).compare(ageOf(b)) })
		s.Notes = append(s.Notes, why+": they are ordered by the processor time and page faults of the process, and there are no rates")
	default:
		s.Uncertain = true
		s.Notes = append(s.Notes, why+": the order is uncertain, and there are no rates")
	}
}

// aged reports whether all dumps show the age of one process.
func (s *Series) aged() bool {
	for _, snap := range s.Snapshots {
		if (ageOf(snap) == age{}) {
			return false
		}
	}
	return s.oneProcess()
}

// ages reports whether the process gets older from dump to dump.
func (s *Series) ages() bool {
	before := ageOf(s.First())
	for _, snap := range s.Snapshots[1:] {
		a := ageOf(snap)
		// Processor time is rounded down to seconds, and the number of page
		// faults begins anew after 2^32.
		if a.cpu+1 < before.cpu || a.cpu <= before.cpu && a.faults < before.faults && before.faults < 1<<31 {
			return false
		}
		before = a
	}
	return true
}

// oneProcess reports whether nothing shows that the dumps are of several.
func (s *Series) oneProcess() bool {
	for _, snap := range s.Snapshots[1:] {
		if len(snap.Differences(s.First().ProcessIdentity)) > 0 {
			return false
		}
	}
	return true
}

func (s *Series) setHours() {
	start := s.Snapshots[0].Time
	for i, snap := range s.Snapshots {
		if i > 0 && snap.Time.Equal(s.Snapshots[i-1].Time) {
			s.Hours = nil
			s.Notes = append(s.Notes, fmt.Sprintf("%s and %s were written within one second: there are no rates", s.Snapshots[i-1].File, snap.File))
			return
		}
		s.Hours = append(s.Hours, snap.Time.Sub(start).Hours())
	}
}

// dropTwins leaves out dumps that are copies of the one before.
func (s *Series) dropTwins() {
	kept := s.Snapshots[:1]
	for _, snap := range s.Snapshots[1:] {
		if last := kept[len(kept)-1]; twins(last, snap) {
			s.Notes = append(s.Notes, fmt.Sprintf("%s is the same dump as %s and left out", snap.File, last.File))
			continue
		}
		kept = append(kept, snap)
	}
	s.Snapshots = kept
}

// twins reports whether two dumps are copies of one: written at one time, with
// the same handles and the same age of the process.
func twins(a, b *Snapshot) bool {
	if a.Kinds == nil || b.Kinds == nil || !a.Time.Equal(b.Time) || ageOf(a) != ageOf(b) || a.Kinds.Total != b.Kinds.Total {
		return false
	}
	for _, r := range AlignKinds(a.Kinds, b.Kinds).Rows {
		if r.Counts[0] != r.Counts[1] {
			return false
		}
	}
	return true
}

// Span is the time from the first dump to the last; 0 if it is not known.
func (s *Series) Span() time.Duration {
	if s.Hours == nil {
		return 0
	}
	return s.Last().Time.Sub(s.First().Time)
}

// First returns the oldest dump.
func (s *Series) First() *Snapshot { return s.Snapshots[0] }

// Last returns the newest dump.
func (s *Series) Last() *Snapshot { return s.Snapshots[len(s.Snapshots)-1] }

// ComparePair returns what speaks against two dumps being of one process,
// written in this order; nothing if that is what they are. The order is that
// of [BuildSeries]. What one of the dumps does not say is not compared.
func ComparePair(earlier, later *Snapshot) []string {
	all := BuildSeries([]*Snapshot{earlier, later}, false)
	if len(all) > 1 {
		return earlier.Differences(later.ProcessIdentity)
	}
	s := all[0]
	switch {
	case s.First() != later || s.Last() != earlier:
		return nil
	case s.Hours != nil:
		return []string{fmt.Sprintf("the first was written at %s, the second at %s", words.Time(earlier.Time), words.Time(later.Time))}
	case s.aged() && ageOf(later).compare(ageOf(earlier)) < 0:
		return []string{"by the processor time and page faults of the process the second dump is the older one"}
	}
	return nil // nothing decides which is the older one
}
