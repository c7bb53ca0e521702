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

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/minidump"
)

// managedTruth are the rows of testdata/clr/truth.tsv, by dump.
func managedTruth(t testing.TB) map[string][][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "clr", "truth.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][][]string{}
	for line := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n") {
		row := strings.Split(line, "\t")
		rows[row[0]] = append(rows[row[0]], row)
	}
	delete(rows, "dump")
	return rows
}

func findManaged(t testing.TB, dump string, types ...string) *owners.Report {
	t.Helper()
	data := testdump.Read(t, "testdata/clr/"+dump+".dmp.gz")
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := owners.Find(t.Context(), f, owners.Options{Types: types})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Programs of .NET: the classes that hold the handles and those that keep them,
// for all types and with nothing else found.
func TestManagedPrograms(t *testing.T) {
	t.Parallel()
	for dump, rows := range managedTruth(t) {
		var types []string
		for _, row := range rows {
			types = append(types, row[2])
		}
		r := findManaged(t, dump, types...)
		var got, want []string
		for _, row := range rows {
			keeper := row[7] + " " + row[8]
			if row[7] == "-" {
				keeper = " "
			}
			want = append(want, fmt.Sprintf("%s at %s of %s %s from %s, kept by %s", row[2], row[6], row[4], row[5], row[9], keeper))
		}
		for i := range r.Owners {
			o := &r.Owners[i]
			if o.Target != owners.TargetClass || !o.Start || o.WordOffset != 0 || len(o.Referrers) == 0 {
				t.Errorf("%s: %s", dump, o.Sentence())
				continue
			}
			got = append(got, fmt.Sprintf("%s at %d of %s %s from %s, kept by %s %s",
				o.Type, o.FieldOffset, o.Class, o.ClassModule, o.Referrers[0].Class, o.Keeper, o.KeeperModule))
			for _, row := range rows {
				// Values that were closed and given out again are in objects that died with them.
				if handles, _ := strconv.Atoi(row[3]); row[2] == o.Type && (o.Handles < handles || o.Handles > handles+2) {
					t.Errorf("%s: %d %s handles, want %d", dump, o.Handles, o.Type, handles)
				}
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", dump, diff)
		}
	}
}

// What leads from a handle to the class of the program, step by step.
func TestManagedChain(t *testing.T) {
	t.Parallel()
	const core = " (System.Private.CoreLib.dll)"
	for dump, want := range map[string][]string{
		"core31-x64": {"System.IO.FileStream" + core + " +32", "Orders.Journal (orders.dll) +8"},
		"core21-x86": {"System.IO.FileStream" + core + " +32", "Orders.Journal (orders.dll) +4"},
		"net10-x64": {"System.IO.Strategies.SyncWindowsFileStreamStrategy" + core + " +24", "System.IO.Strategies.BufferedFileStreamStrategy" + core + " +24",
			"System.IO.FileStream" + core + " +16", "Orders.Journal (orders.dll) +8"},
	} {
		r := findManaged(t, dump, "File")
		if len(r.Owners) != 1 {
			t.Fatalf("%s: %d owners", dump, len(r.Owners))
		}
		o := &r.Owners[0]
		var got []string
		of := len(o.Examples)
		for i, s := range append(o.Referrers[:1:1], o.Chain...) {
			got = append(got, fmt.Sprintf("%s (%s) +%d", s.Class, s.ClassModule, s.Offset))
			if s.Kind != owners.ReferrerObject || 10*s.Objects < 9*s.Of || i > 0 && s.Of != of {
				t.Errorf("%s: step %d is %+v", dump, i, s)
			}
			of = s.Objects // each of these is led to by another object
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", dump, diff)
		}
	}
}
