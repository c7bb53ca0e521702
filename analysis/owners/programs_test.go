package owners_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// holders say how the holders are found that testdata/programs/truth.tsv names.
var holders = map[string]func(o *owners.Owner) bool{
	"class Cancellation, too late": func(o *owners.Owner) bool { return o.Class == "Cancellation" },
	"class Thumbnail":              func(o *owners.Owner) bool { return o.Class == "Thumbnail" },
	"struct node, filter_ops":      func(o *owners.Owner) bool { return o.Kind == owners.KindObject && o.Symbol == "plugins!filter_ops" },
	"struct attempt, heap array":   func(o *owners.Owner) bool { return o.Kind == owners.KindArray && o.Stride == 16 },
	"global array job_gates":       func(o *owners.Owner) bool { return o.Kind == owners.KindGlobal && o.Symbol == "gridnode!job_gates" },
	"global array of struct task":  func(o *owners.Owner) bool { return o.Kind == owners.KindGlobal && o.Symbol == "launcher!tasks" },
	"struct alarm":                 func(o *owners.Owner) bool { return o.Kind == owners.KindRecord },
	"struct reading (4-byte field)": func(o *owners.Owner) bool {
		return o.Width == 4 && o.Stride == 12
	},
	"std::vector<HANDLE> Hub::wakeups": func(o *owners.Owner) bool { return o.Kind == owners.KindArray && o.Stride == 8 },
}

// Real programs whose truth is known: who holds the handles that they lose, or
// nobody does.
func TestPrograms(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "testdata", "programs")
	text, err := os.ReadFile(filepath.Join(root, "truth.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n") {
		row := strings.Split(line, "\t")
		if row[3] != "leaks" {
			continue
		}
		name, arch, dumps, typ, holder := row[0], row[1], row[2], row[4], row[8]
		data := testdump.Read(t, fmt.Sprintf("testdata/programs/%s-%s-%s.dmp.gz", name, arch, dumps))
		f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		symbols, err := symbol.NewResolver(f, symbol.Options{ImagePath: filepath.Join(root, "images", arch), Offline: true})
		if err != nil {
			t.Fatal(err)
		}
		r, err := owners.Find(t.Context(), f, owners.Options{
			Symbols: symbols,
			Group:   func(h *minidump.Handle) (string, bool) { return "", h.TypeName == typ },
		})
		symbols.Close()
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for i := range r.Owners {
			found = append(found, r.Owners[i].Sentence())
		}
		if holder == "nobody" {
			if len(found) > 0 {
				t.Errorf("%s %s: held by %q, and nobody holds them", name, arch, found)
			}
		} else if is := holders[holder]; is == nil {
			t.Errorf("%s %s: no test for %q", name, arch, holder)
		} else if !slices.ContainsFunc(r.Owners, func(o owners.Owner) bool { return is(&o) }) {
			t.Errorf("%s %s: held by %q, want %s", name, arch, found, holder)
		}
	}
}
