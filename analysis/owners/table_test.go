package owners

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A full table keeps the fullest half, and finds it.
func TestConstellationTable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	table := &constellationTable{limit: 1 << 10}
	model := map[tallyKey]bitSet{}
	for range 20000 {
		key := tallyKey{word: 0x7ff600000000 + 8*r.Uint64N(1+r.Uint64N(4000)), offset: int16(8 * (1 + r.IntN(3))), set: uint16(r.IntN(2))}
		full := table.used >= len(table.places)/4*3 && len(table.places) == table.limit
		if _, ok := model[key]; full && !ok {
			byBits := make([]int, tallyBits+1)
			for _, seen := range model {
				byBits[onesOf(seen)]++
			}
			least := 0
			for left := len(model); left > len(table.places)/2; left -= byBits[least] {
				least++
			}
			for key, seen := range model {
				if onesOf(seen) <= least {
					delete(model, key)
				}
			}
		}
		rank := uint8(r.IntN(tallyBits))
		table.place(key, key.hash()).see(rank)
		seen := model[key]
		seen[rank/64] |= 1 << (rank % 64)
		model[key] = seen
	}
	got := map[tallyKey]bitSet{}
	for i := range table.places {
		p := &table.places[i]
		if p.bits == 0 {
			continue
		}
		got[p.tallyKey] = p.seen
		if int(p.bits) != onesOf(p.seen) {
			t.Errorf("%+v counts %d bits", p.seen, p.bits)
		}
		if found := table.find(p.tallyKey, p.hash()); found != p {
			t.Errorf("%+v is not found", p.tallyKey)
		}
	}
	if diff := cmp.Diff(model, got, cmp.AllowUnexported(tallyKey{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if table.used != len(got) {
		t.Errorf("%d places are used, not %d", table.used, len(got))
	}
}

func onesOf(s bitSet) int { return bitmap(s[:]).count() }

// What two tables saw of a constellation is one tally, with what one of them saw
// but once.
func TestMergeTables(t *testing.T) {
	tables := []*constellationTable{{}, {}, {}}
	note := func(table int, ranks ...uint8) {
		for _, rank := range ranks {
			tables[table].note(0x7ff612340000, 8, 1, rank)
		}
	}
	note(0, 3, 4, 4)
	note(1, 4, 70, 253)
	note(2, 200)
	all := mergeTables(tables)
	key := tallyKey{0x7ff612340000, 8, 1}
	p := all.find(key, key.hash())
	if want := (bitSet{3 << 3, 1 << (70 - 64), 0, 1<<(200-192) | 1<<(253-192)}); p.bits != 5 || p.seen != want {
		t.Errorf("%d bits, %x, want %x", p.bits, p.seen, want)
	}
}
