package owners_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// A program that gives memory and values to the next taker, and has written down
// which opening each value was.
func TestIdentifyPrograms(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "testdata", "programs")
	text, err := os.ReadFile(filepath.Join(root, "leases-x64.held.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	type opened struct{ typ, opening string }
	held := map[string]map[uint64]opened{"1": {}, "2": {}}
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		row := strings.Split(line, "\t")
		if i == 0 {
			continue
		}
		value, err := strconv.ParseUint(row[2], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		held[row[0]][value] = opened{row[1], row[3]}
	}
	var sides [2]owners.Side
	for i := range sides {
		data := testdump.Read(t, fmt.Sprintf("testdata/programs/leases-x64-%d.dmp.gz", i+1))
		f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		symbols, err := symbol.NewResolver(f, symbol.Options{ImagePath: filepath.Join(root, "images", "x64"), Offline: true})
		if err != nil {
			t.Fatal(err)
		}
		defer symbols.Close()
		r, err := owners.Find(t.Context(), f, owners.Options{Symbols: symbols})
		if err != nil {
			t.Fatal(err)
		}
		sides[i] = owners.Side{File: f, Report: r}
	}
	ids, err := owners.Identify(t.Context(), sides[0], sides[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for value, was := range held["1"] {
		is, ok := held["2"][value]
		if !ok || is.typ != was.typ {
			continue
		}
		truth := "replaced"
		if is.opening == was.opening {
			truth = "same"
		}
		said := [...]string{analysis.FateUnknown: "unknown", analysis.FateSame: "same", analysis.FateReplaced: "replaced"}[ids.Fate(value)]
		got[fmt.Sprintf("%s %s, said %s", was.typ, truth, said)]++
	}
	want := map[string]int{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, h := range ids.Holders {
		t.Logf("%s: %d kept, %d same, %d replaced by %v", h.Owner.Name(), h.Kept, h.Same, h.Replaced, h.Marks)
	}
}
