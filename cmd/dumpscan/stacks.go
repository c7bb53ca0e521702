package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/unwind"
	"github.com/dumpscan/dumpscan/analysis/waits"
	"github.com/dumpscan/dumpscan/minidump"
)

const stacksLong = `Unwind the stacks of threads: of the one that a debugger begins with, or of those
that --thread or --all choose. The thread of the exception is shown from
there on, as after .ecxr.

Each frame says how it was found:
  context        its registers are in the dump
  cfi            by unwind data: of the image, or of its symbols
  frame pointer  by the register that functions keep for that by convention, or
                 on x86 by what their code does to the stack
  inline         the compiler put it into the next frame
  scan           guessed: a word of the stack that is the return address of a
                 call, and may be left over

Unwind data is in the images: in the memory of the dump, or in files that
-i names. --unique groups equal stacks, as !uniqstack does.`

// stacksFlags are the options of the command.
type stacksFlags struct {
	threads   []string
	all       bool
	unique    bool
	maxFrames limitFlag
	limit     limitFlag
	symbols   symbolFlags
	output
}

func (a *app) stacksCommand() *cobra.Command {
	o := &stacksFlags{}
	cmd := &cobra.Command{
		Use:   "stacks DUMP",
		Short: "the stacks of threads: k, ~*k, !uniqstack",
		Long:  stacksLong,
		Args:  cobra.ExactArgs(1),
		RunE:  runE(func(ctx context.Context, args []string) error { return a.stacks(ctx, args[0], o) }),
	}
	f := cmd.Flags()
	f.StringSliceVarP(&o.threads, "thread", "t", nil, "the threads with these `numbers`, as the command threads counts them; id:ID chooses by id")
	f.BoolVar(&o.all, "all", false, "all threads")
	f.BoolVar(&o.unique, "unique", false, "all threads, equal stacks once and the most frequent first")
	cmd.MarkFlagsMutuallyExclusive("thread", "all")
	cmd.MarkFlagsMutuallyExclusive("thread", "unique")
	o.limit.register(f, "threads, or stacks with --unique", 0)
	o.maxFrames.registerFrames(f)
	o.symbols.register(f)
	o.register(cmd, render.JSON)
	return cmd
}

func (a *app) stacks(ctx context.Context, name string, o *stacksFlags) error {
	q, err := a.stackQuery(ctx, name, &o.symbols)
	if err != nil {
		return err
	}
	defer q.Close()
	chosen, err := o.choose(q.threads, q.raised())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	facts := render.StackFacts{
		Dump: q.header, Names: q.names, Unique: o.unique,
		Limit: int(o.limit.n), MaxFrames: o.maxFrames.of(o.format),
	}
	found, err := q.unwind(ctx, chosen)
	if err != nil {
		return err
	}
	facts.Stacks, facts.Frames, facts.Frames32 = found.stacks, found.frames, found.frames32
	facts.Waits, err = waits.Read(ctx, q.dump.File, q.session, found.waiters())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	q.problem(err)
	if facts.Exception, err = q.exceptionRow(ctx); err != nil {
		return err
	}
	r := render.NewStackReport(facts)
	if rest := len(q.threads) - len(chosen); rest > 0 && len(o.threads) == 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("one thread of %d; --all shows the others, --unique equal stacks once", len(q.threads)))
	}
	r.Notes = append(r.Notes, q.stackNotes(found)...)
	if err := a.write(r, o.format); err != nil {
		return err
	}
	a.notes(o.format, r.Notes...)
	return nil
}

// choose returns the indexes of the threads that were asked for.
func (o *stacksFlags) choose(threads []minidump.Thread, exception *minidump.Exception) ([]int, error) {
	if o.all || o.unique {
		all := make([]int, len(threads))
		for i := range all {
			all[i] = i
		}
		return all, nil
	}
	if len(o.threads) == 0 {
		if len(threads) == 0 {
			return nil, nil
		}
		return []int{unwind.Current(threads, exception)}, nil
	}
	var chosen []int
	for _, word := range o.threads {
		i, err := findThread(threads, word)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(chosen, i) {
			chosen = append(chosen, i)
		}
	}
	return chosen, nil
}

// findThread returns the index of the thread that a word means: "3", or
// "id:0x1a2b".
func findThread(threads []minidump.Thread, word string) (int, error) {
	if len(word) > 3 && word[:3] == "id:" {
		id, err := strconv.ParseUint(word[3:], 0, 32)
		if err != nil {
			return 0, usagef("--thread: %q is no thread id, such as id:6699 or id:0x1a2b", word[3:])
		}
		for i := range threads {
			if threads[i].ThreadID == uint32(id) {
				return i, nil
			}
		}
		return 0, fmt.Errorf("the dump has no thread with the id %d (%#x)", id, id)
	}
	n, err := strconv.ParseUint(word, 10, 31)
	if err != nil {
		return 0, usagef("--thread: %q is no number of a thread; a thread's id is written id:0x1a2b", word)
	}
	if n >= uint64(len(threads)) {
		return 0, fmt.Errorf("the dump has no thread %d: they are numbered from 0, and there are %d", n, len(threads))
	}
	return int(n), nil
}

// A stackQuery is what the commands need that unwind stacks.
type stackQuery struct {
	*app
	dump      *dump
	header    render.DumpHeader
	threads   []minidump.Thread
	names     map[uint32]string       // of threads, by id
	exception *analysis.ExceptionFact // nil if there is none
	session   *symbol.Session
}

// stackQuery opens a dump and reads the lists that stacks need. The caller closes the
// query.
func (a *app) stackQuery(ctx context.Context, name string, o *symbolFlags) (*stackQuery, error) {
	d, err := a.open(ctx, name)
	if err != nil {
		return nil, err
	}
	q := &stackQuery{app: a, dump: d, header: render.NewDumpHeader(d.name, analysis.DescribeHeader(d.File)), names: map[uint32]string{}}
	if err := q.readLists(o); err != nil {
		d.Close()
		return nil, err
	}
	return q, nil
}

func (q *stackQuery) readLists(o *symbolFlags) (err error) {
	d := q.dump
	q.threads, err = d.Threads()
	if errors.Is(err, minidump.ErrNoStream) {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	q.problem(err)
	names, err := d.ThreadNames()
	q.problem(err)
	for _, n := range names {
		q.names[n.ThreadID] = n.Name
	}
	q.session, err = q.resolver(d.File, o)
	if q.session == nil {
		return err
	}
	q.problem(err)
	q.exception, err = analysis.ReadException(d.File, q.session.Modules().List())
	q.problem(err)
	return nil
}

// raised is the exception as the dump has it; nil if there is none.
func (q *stackQuery) raised() *minidump.Exception {
	if q.exception == nil {
		return nil
	}
	return &q.exception.Exception
}

// problem notes what could not be read of a stream; one that is not there is no
// problem.
func (q *stackQuery) problem(err error) { q.complainUnlessAbsent(q.dump.name, err) }

func (q *stackQuery) Close() {
	q.session.Close()
	q.dump.Close()
}

// An unwound is the stacks of some threads and their named frames.
type unwound struct {
	stacks           []unwind.ThreadStack
	frames, frames32 [][]unwind.NamedFrame
}

// waiters are the threads that may wait. One that is shown from its exception on does
// not: what it does since is no part of its stack.
func (u *unwound) waiters() []waits.Thread {
	list := []waits.Thread{}
	for i := range u.stacks {
		if s := &u.stacks[i]; s.Context != nil && !s.Faulting {
			list = append(list, waits.Thread{Index: s.Index, ThreadID: s.ThreadID, Context: s.Context})
		}
	}
	return list
}

// unwind returns the stacks of threads.
func (q *stackQuery) unwind(ctx context.Context, indexes []int) (*unwound, error) {
	u, err := unwind.New(q.dump.File, q.session, q.session.Code(ctx))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", q.dump.name, err)
	}
	stacks, err := u.Threads(ctx, q.dump.File, q.threads, q.raised(), indexes)
	if err != nil {
		return nil, err
	}
	for i := range stacks {
		if err := stacks[i].Err; err != nil && !errors.Is(err, minidump.ErrNoContext) {
			q.problem(fmt.Errorf("thread %d: %w", stacks[i].Index, err))
		}
	}
	result := &unwound{stacks: stacks}
	if result.frames, err = unwind.Name(ctx, q.session, stacks); err != nil {
		return nil, err
	}
	result.frames32, err = unwind.Name(ctx, q.session, unwind.Stacks32(stacks))
	return result, err
}

// exceptionRow describes the exception of the dump; nil if it has none.
func (q *stackQuery) exceptionRow(ctx context.Context) (*render.ThreadException, error) {
	if q.exception == nil {
		return nil, nil
	}
	at := q.exception.ExceptionAddress
	names, err := q.session.Resolve(ctx, []minidump.VA{at})
	if err != nil {
		return nil, err
	}
	return render.NewThreadException(q.exception, names.At(at)), nil
}
