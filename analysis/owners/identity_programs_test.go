package owners_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/minidump"
)

// program is a side of testdata/programs.
func program(t *testing.T, name, arch string, dump int) owners.Side {
	t.Helper()
	data := testdump.Read(t, fmt.Sprintf("testdata/programs/%s-%s-%d.dmp.gz", name, arch, dump))
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := owners.Find(t.Context(), f, owners.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return owners.Side{File: f, Report: r}
}

func identify(t *testing.T, old, new owners.Side) *owners.Identities {
	t.Helper()
	ids, err := owners.Identify(t.Context(), old, new)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func fateText(f analysis.Fate) string {
	return [...]string{analysis.FateUnknown: "unknown", analysis.FateSame: "same", analysis.FateReplaced: "replaced"}[f]
}

// A program that gives memory and values to the next taker, and has written down
// which opening each value was. Lease has a number, a time and a name; Session
// has only what is written down on use; of Channel, the next one is elsewhere;
// the others have nothing that distinguishes one from the next.
func TestIdentifyLeases(t *testing.T) {
	t.Parallel()
	want := map[string]int{
		"Event same, said same": 100, "Event replaced, said replaced": 50,
		"Timer same, said same": 49, "Timer same, said unknown": 101,
		"Section same, said unknown": 109, "Section replaced, said replaced": 41,
		"Semaphore same, said unknown": 97, "Semaphore replaced, said unknown": 45, "Semaphore replaced, said replaced": 8,
		"Mutant same, said unknown": 97, "Mutant replaced, said unknown": 49, "Mutant replaced, said replaced": 4,
	}
	for _, arch := range []string{"x64", "x86"} {
		held := readHeld(t, arch)
		ids := identify(t, program(t, "leases", arch, 1), program(t, "leases", arch, 2))
		got := map[string]int{}
		for value, was := range held[0] {
			is, ok := held[1][value]
			if !ok || is.typ != was.typ {
				continue
			}
			truth := "replaced"
			if is.opening == was.opening {
				truth = "same"
			}
			got[fmt.Sprintf("%s %s, said %s", was.typ, truth, fateText(ids.Fate(value)))]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", arch, diff)
		}
	}
}

// An opened is what the program knows of a handle: which of its openings it is.
type opened struct{ typ, opening string }

// readHeld reads what the values meant in each dump.
func readHeld(t *testing.T, arch string) (held [2]map[uint64]opened) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "programs", "leases-"+arch+".held.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	held = [2]map[uint64]opened{{}, {}}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		row := strings.Split(line, "\t")
		dump, err1 := strconv.Atoi(row[0])
		value, err2 := strconv.ParseUint(row[2], 16, 64)
		if err1 != nil || err2 != nil {
			t.Fatal(line)
		}
		held[dump-1][value] = opened{row[1], row[3]}
	}
	return held
}

// between returns the values that were closed between two dumps, by the trace of
// the later one, and whether it goes back to the earlier one.
func between(t *testing.T, old, new *minidump.File) (closed map[uint64]bool, whole bool) {
	t.Helper()
	type op struct {
		handle uint64
		thread uint32
		kind   minidump.OperationType
	}
	read := func(f *minidump.File) (ops []op) {
		l, err := f.HandleOperations()
		if err != nil {
			t.Fatal(err)
		}
		for o, err := range l.All() {
			if err != nil {
				t.Fatal(err)
			}
			ops = append(ops, op{o.Handle, o.ThreadID, o.OperationType})
		}
		return ops
	}
	before, after := read(old), read(new)
	const overlap = 200
	last := before[max(0, len(before)-overlap):]
	for i := 0; i+len(last) <= len(after); i++ {
		if slices.Equal(after[i:i+len(last)], last) {
			after, whole = after[i+len(last):], true
			break
		}
	}
	closed = map[uint64]bool{}
	for _, o := range after {
		if o.kind == minidump.OperationClose {
			closed[o.handle] = true
		}
	}
	return closed, whole
}

// What a trace proves of the handles of real programs is never contradicted.
func TestIdentifyTraced(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "programs", "truth.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	total := map[string]int{}
	var last string
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		row := strings.Split(line, "\t")
		name, arch := row[0], row[1]
		dumps, err := strconv.Atoi(row[2])
		if err != nil {
			t.Fatal(err)
		}
		if last == name+arch {
			continue // another way in which it leaks
		}
		last = name + arch
		old := program(t, name, arch, 1)
		for n := 2; n <= dumps; n++ {
			new := program(t, name, arch, n)
			ids := identify(t, old, new)
			closed, whole := between(t, old.File, new.File)
			for _, v := range kept(t, old.File, new.File) {
				truth := "same"
				if closed[v] {
					truth = "replaced"
				} else if !whole {
					continue
				}
				said := fateText(ids.Fate(v))
				total[truth+", said "+said]++
				if said != "unknown" && said != truth {
					t.Errorf("%s %s, dump %d: the handle %#x is %s, and said to be %s", name, arch, n, v, truth, said)
				}
			}
			old = new
		}
	}
	t.Log(total)
	if same, replaced := total["same, said same"], total["replaced, said replaced"]; same < 900 || replaced < 4200 {
		t.Errorf("%d are known to be the same, %d to be replaced", same, replaced)
	}
}

// kept are the values that two dumps have for like handles.
func kept(t *testing.T, old, new *minidump.File) (values []uint64) {
	t.Helper()
	lists := [2]*analysis.HandleList{}
	for i, f := range [...]*minidump.File{old, new} {
		l, err := analysis.ReadHandles(f)
		if err != nil {
			t.Fatal(err)
		}
		lists[i] = l
	}
	match, _ := analysis.MatchHandles(t.Context(), lists[0], lists[1])
	ids := map[analysis.HandleID]bool{}
	lists[0].Walk(t.Context(), analysis.KindParts, func(h *minidump.Handle) bool {
		ids[match.ID(h)] = true
		return true
	})
	lists[1].Walk(t.Context(), analysis.KindParts, func(h *minidump.Handle) bool {
		if ids[match.ID(h)] {
			values = append(values, h.Handle)
		}
		return true
	})
	return values
}
