package owners

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
)

// What was foreseen, and what the early windows show to be numbers, changes
// nothing.
func TestForesight(t *testing.T) {
	for _, ptr := range []int{8, 4} {
		for _, mix := range []bigMix{oneLeak, mixed, muchLeft} {
			t.Run(fmt.Sprintf("%dbits/%s", 8*ptr, mix), func(t *testing.T) {
				if testing.Short() && (ptr == 4 || mix != oneLeak) {
					t.Skip("they take long under the race detector")
				}
				r, err := newBigHeap(ptr, 8<<20, mix).dump().Reader()
				if err != nil {
					t.Fatal(err)
				}
				f, err := minidump.NewFile(r, r.Size())
				if err != nil {
					t.Fatal(err)
				}
				hunt := func(early int) (report *Report, foreseen int, read int64) {
					mem, err := memoryOfDump(f)
					if err != nil {
						t.Fatal(err)
					}
					o := &Options{MaxOffset: DefaultOffset}
					targets, err := readTargets(t.Context(), f, o)
					if err != nil {
						t.Fatal(err)
					}
					h, err := newHunt(f, mem, targets, o)
					if err != nil {
						t.Fatal(err)
					}
					h.early = early
					r.Reset()
					if report, err = h.report(t.Context(), o); err != nil {
						t.Fatal(err)
					}
					read = r.BytesRead()
					if early > 0 {
						if _, err := h.collect(t.Context()); err != nil { // again
							t.Fatal(err)
						}
						foreseen = len(h.foreseen.fields)
					}
					return report, foreseen, read
				}
				want, _, all := hunt(0)
				if len(want.Owners) == 0 {
					t.Fatal("there are no owners")
				}
				for _, early := range []int{1, 16, 50} {
					got, foreseen, read := hunt(early)
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%d early windows (-without +with):\n%s", early, diff)
					}
					if early == 16 && (foreseen == 0 || read >= all) {
						t.Errorf("%d were foreseen, %d bytes read instead of %d", foreseen, read, all)
					}
				}
			})
		}
	}
}
