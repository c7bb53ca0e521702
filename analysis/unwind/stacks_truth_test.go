package unwind

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// stackDumps are those of testdata/stacks.
var stackDumps = []string{"x64", "x86"}

const stackFolder = "../../testdata/stacks"

// A truth is what a thread's stack is, the innermost frame first, as the program found
// out that stepped through a thread that did the same.
type truth struct {
	name   string // library and chain
	frames []trueFrame
	// gap is the number of frames before those that the program did not see; -1 if
	// it saw all.
	gap int
}

// A trueFrame is a frame as it is.
type trueFrame struct {
	pc, sp minidump.VA
	place  string
}

// readTruth reads a table of testdata/stacks, by thread.
func readTruth(t testing.TB, text string) map[uint32]*truth {
	t.Helper()
	all := map[uint32]*truth{}
	for line := range strings.Lines(text) {
		col := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if col[0] == "thread" {
			continue
		}
		number := func(s string) uint64 {
			n, err := strconv.ParseUint(s, 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		id := uint32(number(col[0]))
		if all[id] == nil {
			all[id] = &truth{name: col[1] + " " + col[2], gap: -1}
		}
		tr := all[id]
		if col[3] == "unseen" {
			tr.gap = len(tr.frames)
			continue
		}
		tr.frames = append(tr.frames, trueFrame{minidump.VA(number(col[4])), minidump.VA(number(col[5])), col[6]})
	}
	return all
}

// A found is a frame that a program shows.
type found struct {
	pc     minidump.VA
	sp     minidump.VA // 0 if it does not say
	marked bool        // it says that the frame is a guess
}

// A score is what a program's frames are worth.
type score struct {
	Threads, Frames int // of the truth
	Found, Right    int
	Wrong           int // in no way on the stack, and not marked as guessed
	Marked          int // the same, but marked
	Left            int // frames that are missing between others, without a mark on the caller
	Whole           int // stacks that are right from the innermost frame to the start of the thread
	lines           []string
}

// add counts the frames of a thread.
func (s *score) add(tr *truth, frames []found) {
	s.Threads++
	s.Frames += len(tr.frames)
	s.Found += len(frames)
	at, bad := 0, false
	for _, f := range frames {
		i := slices.IndexFunc(tr.frames[at:], func(w trueFrame) bool { return w.pc == f.pc })
		if i >= 0 && f.sp != 0 && tr.frames[at+i].sp != 0 && !tr.stands(at+i, f.sp) {
			i = -1
		}
		inGap := at == tr.gap
		switch {
		case i < 0 && inGap:
			s.Found-- // nobody knows
		case i < 0 && f.marked:
			s.Marked++
			bad = true
		case i < 0:
			s.Wrong++
			bad = true
			s.lines = append(s.lines, fmt.Sprintf("%s: %#x with stack pointer %#x is no frame; the next that is: %s", tr.name, uint64(f.pc), uint64(f.sp), tr.place(at)))
		default:
			if i > 0 {
				bad = true
				if !f.marked {
					s.Left += i
					s.lines = append(s.lines, fmt.Sprintf("%s: %d frames before %s are missing, from %s on", tr.name, i, tr.place(at+i), tr.place(at)))
				}
			}
			s.Right++
			at += i + 1
		}
	}
	if at < len(tr.frames) {
		s.lines = append(s.lines, fmt.Sprintf("%s: ends before %s", tr.name, tr.place(at)))
	} else if !bad {
		s.Whole++
	}
}

// stands says whether a frame may have this stack pointer: that above its callee's return
// address; or, where the callee takes its arguments off the stack, one farther up.
func (tr *truth) stands(i int, sp minidump.VA) bool {
	w := tr.frames[i]
	if sp == w.sp || w.sp >= 1<<32 || i+1 == len(tr.frames) {
		return sp == w.sp
	}
	return w.sp < sp && sp < tr.frames[i+1].sp && i > 0
}

func (tr *truth) place(i int) string {
	if i < len(tr.frames) {
		return tr.frames[i].place
	}
	return "the start"
}

// ownStacks returns what we find in a dump, by thread.
func ownStacks(t testing.TB, f *minidump.File, o symbol.Options, prepare func(*Unwinder)) map[uint32]ThreadStack {
	t.Helper()
	s, err := symbol.NewResolver(f, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	code := s.Code(t.Context())
	u, err := New(f, s, code)
	if err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(u)
	}
	threads, err := f.Threads()
	if err != nil {
		t.Fatal(err)
	}
	exception, err := f.Exception()
	if err != nil {
		t.Fatal(err)
	}
	indexes := make([]int, len(threads))
	for i := range indexes {
		indexes[i] = i
	}
	stacks, err := u.Threads(t.Context(), f, threads, exception, indexes)
	if err != nil {
		t.Fatal(err)
	}
	byID := map[uint32]ThreadStack{}
	for _, s := range stacks {
		byID[s.ThreadID] = s
	}
	return byID
}

// ownScore holds our stacks against the truth.
func ownScore(truths map[uint32]*truth, stacks map[uint32]ThreadStack) *score {
	var s score
	for id, tr := range truths {
		var frames []found
		for _, f := range stacks[id].Frames {
			frames = append(frames, found{f.PC, f.SP, f.Trust == TrustScan})
		}
		s.add(tr, frames)
	}
	slices.Sort(s.lines)
	return &s
}

// TestStacksTruth holds the stacks of threads against what is on them. On x64 there must be
// all frames of all threads, of all kinds that compilers make, in all ways to wait, and
// nothing else. Images of x86 have no unwind data, and the dump does not have the
// symbols of the system's: of the frames without a way to them a few may be missing.
func TestStacksTruth(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		arch                string
		missing, wrong, cut int // at most: frames, frames, threads that are not whole
	}{
		{arch: "x64"},
		{arch: "x86", missing: 23, cut: 9},
	} {
		f := testdump.Open(t, "testdata/stacks/stacks-"+tt.arch+".dmp.gz")
		truths := readTruth(t, string(testdump.Read(t, "testdata/stacks/stacks-"+tt.arch+".tsv")))
		images := filepath.Join(stackFolder, "images", tt.arch)
		for _, o := range []symbol.Options{{ImagePath: images}, {ImagePath: images, SymbolPath: images}} {
			s := ownScore(truths, ownStacks(t, f, o, nil))
			if s.Threads < 100 || s.Frames-s.Right > tt.missing || s.Wrong+s.Left > tt.wrong || s.Threads-s.Whole > tt.cut {
				t.Errorf("%s, symbols in %q: %d threads, %d of them whole; %d frames, %d right, %d wrong, %d marked, %d left out\n%s",
					tt.arch, o.SymbolPath, s.Threads, s.Whole, s.Frames, s.Right, s.Wrong, s.Marked, s.Left, strings.Join(s.lines, "\n"))
			}
		}
	}
}
