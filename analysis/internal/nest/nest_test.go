package nest_test

import (
	"math/rand/v2"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/nest"
)

func TestFind(t *testing.T) {
	x := nest.New([]nest.Span{
		{Start: 0x1002, Size: 0xe, Number: 3},
		{Start: 0x1000, Size: 0x10, Number: 1},
		{Start: 0x1001, Size: 0xf, Number: 2},
		{Start: 0x1004, Size: 4, Number: 4},
		{Start: 0x1008, Size: 0, Number: 5},
		{Start: 0x2000, Size: 0x10, Number: 6},
		{Start: 0x2000, Size: 0x8, Number: 7},
		{Start: 0xfffffff0, Size: 0x10, Number: 8},
	})
	for addr, want := range map[uint32]uint32{
		0xfff: 0, 0x1000: 1, 0x1001: 2, 0x1003: 3, 0x1004: 4, 0x1007: 4, 0x1008: 3, 0x100f: 3, 0x1010: 0,
		0x2000: 7, 0x2008: 6, 0x2010: 0, 0xffffffff: 8,
	} {
		s, ok := x.Find(addr)
		if ok != (want != 0) || s.Number != want {
			t.Errorf("Find(%#x) = %d, %v, want %d", addr, s.Number, ok, want)
		}
	}
}

// Spans that overlap in any way are found as a search of all finds them.
func TestFindAny(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var spans []nest.Span
		for i := range rnd.IntN(20) {
			spans = append(spans, nest.Span{Start: rnd.Uint32N(64), Size: rnd.Uint32N(32), Number: uint32(i)})
		}
		all := append([]nest.Span(nil), spans...)
		x := nest.New(spans)
		for addr := range uint32(100) {
			start, found := uint32(0), false
			for _, s := range all {
				if addr >= s.Start && addr-s.Start < s.Size {
					start, found = max(start, s.Start), true
				}
			}
			if s, ok := x.Find(addr); ok != found || ok && (s.Start != start || addr-s.Start >= s.Size) {
				t.Fatalf("Find(%d) = %+v, %v, want one that begins at %d of %+v", addr, s, ok, start, all)
			}
		}
	}
}
