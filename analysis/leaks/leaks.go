package leaks

import (
	"cmp"
	"context"
	"io"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// Severity is how serious a [Finding] is.
type Severity string

// The severities.
const (
	SeverityInfo    Severity = "info"    // worth knowing, accuses no one
	SeveritySuspect Severity = "suspect" // may be a leak, but there are innocent explanations
	SeverityLeak    Severity = "leak"    // leaks, as far as dumps can show
	// SeverityUnknown is a verdict's alone: nothing was found, but a dump could
	// not be read whole, so that nothing is proved.
	SeverityUnknown Severity = "unknown"
)

// rank orders severities, the worst first.
func (s Severity) rank() int {
	return slices.Index([]Severity{SeverityLeak, SeveritySuspect, SeverityUnknown, SeverityInfo}, s)
}

// A Finding is what one rule has found.
type Finding struct {
	Rule     string
	Severity Severity
	Process  analysis.ProcessIdentity
	Sentence string   // what was found, in one sentence
	Evidence []string // what it rests on: sentences without a full stop
	Next     analysis.Step

	// Group are the handles it is about; nil if it is about none.
	Group *Group
	Known *KnownLeak // a leak that others have described; nil if none fits
}

// A Verdict is the answer in one sentence.
type Verdict struct {
	// Leak is set if a finding has SeverityLeak.
	Leak bool
	// Severity is the worst of the findings; SeverityInfo if there are none.
	Severity Severity
	Sentence string
}

// A Report is the answer of [Find].
type Report struct {
	Verdict    Verdict
	Findings   []Finding // the worst first, then the largest
	Suppressed []SuppressedFinding
	Processes  []*Process // by name, process id and start
	// Unmatched are the suppressions that fit no finding.
	Unmatched []Suppression
	// Notes say what the verdict rests on and lacks: sentences without a full
	// stop.
	Notes []string
}

// Options say how [Find] goes about it. The zero value is ready for use.
type Options struct {
	// Force takes dumps of programs with one name for dumps of one process.
	Force bool
	// Limit is the number of handles of interest for the time that is left; 0
	// means HandleLimit.
	Limit uint64
	// Types and Name restrict the findings to groups of these types, in any
	// case, "None" for handles without one, and whose name fits. All handles
	// are counted nevertheless.
	Types []string
	Name  *analysis.NamePattern
	// Open opens the dumps of the snapshots again, two at most at a time; its errors
	// need not name the file. Nil means that the snapshots bear the names of
	// files.
	Open analysis.OpenFunc
	// Resolver, if not nil, prepares to name the addresses in the traces of a
	// dump. Else, and if it returns none, they are named by its module list. It
	// may return one together with an error, which is noted. A [*symbol.Session]
	// names the holders of handles, too.
	Resolver func(*minidump.File) (ResolveCloser, error)
	// System and NotSystem correct the list of the operating system's modules;
	// see [htrace.NewSystemModules].
	System, NotSystem []string
	// Repeat are the options to add to a next step, so that it names addresses as
	// this answer does: -y PATH and others. System and NotSystem are added by
	// themselves where they matter.
	Repeat []string
	// Owners says when to search the memory of a dump for the holders of
	// leaking handles.
	Owners Hunt
	// Progress, if not nil, is called now and then during that search, with the
	// bytes that were read and those to be read.
	Progress func(done, total int64)
	// Suppress are the groups that are known and accepted.
	Suppress []Suppression
}

// A ResolveCloser names addresses until it is closed.
type ResolveCloser interface {
	symbol.Resolver
	io.Closer
}

// Hunt says when to search memory for the holders of handles.
type Hunt string

// The choices. The search reads all private memory of up to three dumps of a
// process, several times: of the newest that has it, of the oldest, and of the
// first after which what stays is told from what does not.
const (
	HuntAuto   Hunt = ""       // if no trace names the opener of an accused group
	HuntAlways Hunt = "always" // for every accused group
	HuntNever  Hunt = "never"
)

// Find judges dumps of one or more processes. The snapshots may come in any
// order, and must have counts. The error is that of ctx, of a pattern in System
// and NotSystem, an [*analysis.UnknownTypeError], or says that a dump that must
// be read again is no longer there. What else could not be read is in the
// Problems of the snapshots and the processes.
func Find(ctx context.Context, snapshots []*analysis.Snapshot, o Options) (*Report, error) {
	if _, err := htrace.NewSystemModules(nil, nil, o.System, o.NotSystem); err != nil {
		return nil, err
	}
	if err := o.checkTypes(snapshots); err != nil {
		return nil, err
	}
	r := &Report{}
	dumps := &dumpReader{open: o.Open}
	if o.Open == nil {
		dumps.open = openFile
	}
	var findings []Finding
	for _, s := range analysis.BuildSeries(snapshots, o.Force) {
		s, partial := wholeDumps(s)
		p, err := gatherFacts(ctx, s, &o, dumps)
		if err != nil {
			return nil, err
		}
		p.Partial = partial
		r.Processes = append(r.Processes, p)
		found := o.selected(applyRules(p))
		if err := explain(ctx, p, found, &o, dumps); err != nil {
			return nil, err
		}
		findings = append(findings, found...)
	}
	findings = append(findings, o.selected(correlate(r.Processes, findings))...)
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Severity.rank(), b.Severity.rank()), cmp.Compare(b.weight(), a.weight()), compareIdentity(a.Process, b.Process))
	})
	r.suppress(findings, o.Suppress)
	r.Verdict = verdictOf(r)
	r.takeNotes(&o)
	return r, nil
}

// wholeDumps leaves out the dumps of a series that could not be read whole: what
// is missing would look as if it had been closed or not yet opened. If there
// are no others, all of them stay.
func wholeDumps(s *analysis.Series) (whole *analysis.Series, partial []*analysis.Snapshot) {
	var rest []*analysis.Snapshot
	for _, snap := range s.Snapshots {
		if snap.Partial != nil {
			partial = append(partial, snap)
		} else {
			rest = append(rest, snap)
		}
	}
	if len(partial) == 0 || len(rest) == 0 {
		return s, partial
	}
	whole = analysis.BuildSeries(rest, true)[0]
	whole.Earlier, whole.Forced = s.Earlier, s.Forced
	return whole, partial
}

// weight is the number of handles that a finding is about: those that were
// added, or all of one dump.
func (f *Finding) weight() int64 {
	switch {
	case f.Group == nil:
		return -1
	case len(f.Group.Counts) > 1:
		return f.Group.Net()
	}
	return int64(f.Group.Last())
}

func compareIdentity(a, b analysis.ProcessIdentity) int {
	return cmp.Or(cmp.Compare(a.Name(), b.Name()), cmp.Compare(a.ProcessID, b.ProcessID), a.Created.Compare(b.Created))
}

// explain adds to findings that accuse a group who opened its handles and who
// holds them.
func explain(ctx context.Context, p *Process, findings []Finding, o *Options, dumps *dumpReader) error {
	var accused []*Finding
	for i := range findings {
		if f := &findings[i]; f.Group != nil && f.Severity != SeverityInfo {
			accused = append(accused, f)
		}
	}
	if len(accused) == 0 {
		return nil
	}
	for _, f := range accused {
		f.blameOpener(o)
	}
	if err := findHolders(ctx, p, accused, o, dumps); err != nil {
		return err
	}
	for _, f := range accused {
		f.recognise()
	}
	return ctx.Err()
}
