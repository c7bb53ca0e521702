package owners

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// All open handles and decoys are wanted, and nothing else below 7 * 65536 or
// above the largest.
func TestWantedNumbers(t *testing.T) {
	for _, largest := range []uint64{4, 0xfffc, 0x10000, 0x6fffc, 0x70000, 0x123456 &^ 3, maxHandleValue} {
		r := rand.New(rand.NewPCG(largest, 1))
		open := make(bitmap, largest/4/64+1)
		for range 100 {
			open.set(r.Uint64N(largest/4) + 1)
		}
		open.set(largest / 4)
		w := &wantedNumbers{}
		w.init(open, largest)
		is := func(v uint64) bool {
			return v <= largest && (v%4 == 0 && open.has(int(v/4)) || v%32 == 30)
		}
		check := func(v uint64) {
			t.Helper()
			got := w.has(uint32(v)) != 0
			if is(v) && !got || !is(v) && got && (v < 7<<16 || v > largest|0xffff) {
				t.Errorf("largest %#x: %#x is wanted: %v", largest, v, got)
			}
			var b [32]byte
			at := r.IntN(8)
			binary.LittleEndian.PutUint32(b[4*at:], uint32(v))
			if among := w.among(&b); among != got {
				t.Errorf("largest %#x: %#x is wanted at %d: %v", largest, v, at, among)
			}
		}
		open.each(func(slot int) { check(uint64(4 * slot)) })
		for range 10000 {
			check(uint64(r.Uint32() >> r.IntN(32)))
			check(r.Uint64N(largest + 1))
		}
		if v := uint64(62); largest > v {
			w.remove(uint32(v))
			if w.has(uint32(v)) != 0 || w.has(30) == 0 {
				t.Errorf("largest %#x: %d cannot be removed alone", largest, v)
			}
		}
	}
}
