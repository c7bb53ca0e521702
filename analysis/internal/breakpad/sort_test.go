package breakpad

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestByAddress(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 1000, sortPiece, sortPiece + 1, 3*sortPiece - 7} {
		rs := make([]record, n)
		for i := range rs {
			rs[i] = record{addr: rnd.Uint64N(uint64(n)/2 + 1), size: uint64(i), off: int64(i)}
		}
		want := slices.Clone(rs)
		slices.SortStableFunc(want, func(a, b record) int { return int(a.addr) - int(b.addr) })
		got, err := byAddress(slices.Clone(rs), func() error { return nil })
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%d records: error %v, %s", n, err, cmp.Diff(want[:min(n, 10)], got[:min(n, 10)], cmp.AllowUnexported(record{})))
		}
		// However often it goes on, it ends in the error.
		for looks := 0; n > 1; looks++ {
			left, stop := looks, errors.New("stop")
			_, err := byAddress(slices.Clone(rs), func() error {
				if left--; left < 0 {
					return stop
				}
				return nil
			})
			if err == nil {
				if looks < n/sortPiece {
					t.Errorf("%d records: asked %d times only", n, looks)
				}
				break
			}
			if err != stop {
				t.Fatalf("%d records: error %v", n, err)
			}
		}
	}
}
