package analysis_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// damage is an error of the reader.
func damage(stream minidump.StreamType, off int64, msg string) error {
	return &minidump.FormatError{Stream: stream, Off: off, Msg: msg}
}

func TestFlatten(t *testing.T) {
	const handles, modules = minidump.HandleDataStream, minidump.ModuleListStream
	a, b := damage(handles, 0x10, "too long"), damage(handles, 0x20, "odd")
	sector := fmt.Errorf("%w: %w", minidump.ErrUnreadable, errors.New("bad sector"))
	lost := &minidump.FormatError{Stream: handles, Off: 0x40, Msg: "reading", Err: sector}
	for _, tt := range []struct {
		what string
		err  error
		want []string
	}{
		{"none", nil, nil},
		{"one", a, []string{"HandleDataStream: file offset 0x10: too long"}},
		{"joined", minidump.JoinErrors(a, b), []string{"HandleDataStream: file offset 0x10: too long", "HandleDataStream: file offset 0x20: odd"}},
		{"joined by package errors", errors.Join(a, b), []string{"HandleDataStream: file offset 0x10: too long", "HandleDataStream: file offset 0x20: odd"}},
		{"of one kind", minidump.JoinErrors(a, damage(handles, 0x30, "too long"), b),
			[]string{"HandleDataStream: file offset 0x10: too long (and 1 more error like it)", "HandleDataStream: file offset 0x20: odd"}},
		{"of two streams", minidump.JoinErrors(a, damage(modules, 0x30, "too long")),
			[]string{"HandleDataStream: file offset 0x10: too long", "ModuleListStream: file offset 0x30: too long"}},
		{"with more text", fmt.Errorf("thread 3: %w", fmt.Errorf("stack: %w", minidump.JoinErrors(a, b))),
			[]string{"thread 3: stack: HandleDataStream: file offset 0x10: too long", "thread 3: stack: HandleDataStream: file offset 0x20: odd"}},
		{"counted before", fmt.Errorf("names: %w", &analysis.PartialError{Problems: []analysis.Problem{{First: a, Count: 4001}, {First: b, Count: 1}}}),
			[]string{"names: HandleDataStream: file offset 0x10: too long (and 4,000 more errors like it)", "names: HandleDataStream: file offset 0x20: odd"}},
		{"an error and its cause", sector, []string{"the record could not be read: bad sector"}},
		{"the same in a stream", lost, []string{lost.Error()}},
		{"numbers", errors.Join(errors.New("thread 1: no"), errors.New("thread 22: no"), errors.New("no thread")),
			[]string{"thread 1: no (and 1 more error like it)", "no thread"}},
	} {
		var got []string
		for _, p := range analysis.Flatten(tt.err) {
			got = append(got, p.String())
			if !errors.Is(tt.err, p.First) && !strings.Contains(p.First.Error(), ": ") {
				t.Errorf("%s: %v is not among the errors", tt.what, p.First)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.what, diff)
		}
	}
	var format *minidump.FormatError
	if p := analysis.Flatten(fmt.Errorf("x: %w", minidump.JoinErrors(a, b))); !errors.As(p[1].First, &format) || format.Off != 0x20 {
		t.Errorf("the second problem is %v", p[1].First)
	}
}

// Causes come from outside: they do not make the list long.
func TestFlattenMany(t *testing.T) {
	var all []error
	for i := range 500 {
		all = append(all, errors.New("cause "+strings.Repeat("x", i)))
	}
	list := analysis.Flatten(errors.Join(all...))
	last := list[len(list)-1]
	if len(list) != 64 || last.Count != 500-63 || !strings.HasSuffix(last.String(), "(and 436 more errors of several kinds)") {
		t.Errorf("%d kinds, the last %q", len(list), last)
	}
}

// Streams are read more than once: what is met again counts once, and what is
// new of a kind is added to it.
func TestProblems(t *testing.T) {
	const handles = minidump.HandleDataStream
	run := func(off int64, n uint64) error {
		return &analysis.PartialError{Problems: []analysis.Problem{{First: damage(handles, off, "too long"), Count: n}}}
	}
	thread := func(i int) error { return fmt.Errorf("thread %d: no stack", i) }
	for _, tt := range []struct {
		what string
		errs []error
		want []string
	}{
		{"nothing", []error{nil}, nil},
		{"the same", []error{thread(1), thread(1)}, []string{"a.dmp: thread 1: no stack"}},
		{"one by one", []error{thread(1), thread(2), thread(1)}, []string{"a.dmp: thread 1: no stack (and 1 more error like it)"}},
		{"a part first", []error{run(8, 2), run(8, 5)}, []string{"a.dmp: HandleDataStream: file offset 0x8: too long (and 4 more errors like it)"}},
		{"a part last", []error{run(8, 5), damage(handles, 0x30, "too long")}, []string{"a.dmp: HandleDataStream: file offset 0x8: too long (and 4 more errors like it)"}},
		{"two kinds", []error{thread(1), run(8, 1)}, []string{"a.dmp: thread 1: no stack", "a.dmp: HandleDataStream: file offset 0x8: too long"}},
	} {
		var p analysis.Problems
		for _, err := range tt.errs {
			p.Add("a.dmp", err)
		}
		if diff := cmp.Diff(tt.want, p.Lines()); diff != "" || p.Len() != len(tt.want) {
			t.Errorf("%s (-want +got):\n%s", tt.what, diff)
		}
	}
	var p analysis.Problems
	p.Add("a.dmp", thread(1))
	p.Add("b.dmp", thread(1))
	p.Add("", errors.New("c.dmp: gone"))
	if diff := cmp.Diff([]string{"a.dmp: thread 1: no stack", "b.dmp: thread 1: no stack", "c.dmp: gone"}, p.Lines()); diff != "" {
		t.Errorf("two dumps (-want +got):\n%s", diff)
	}
	var none *analysis.Problems
	if none.Len() != 0 {
		t.Error("nil has problems")
	}
}
