package minidump

import (
	"math/rand"
	"sort"
	"testing"
)

// TestMemoryIndex compares the index with a search of all ranges.
func TestMemoryIndex(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	for range 500 {
		// Some stand at the very end of the address space.
		base := VA(0)
		if random.Intn(2) == 0 {
			base -= 40
		}
		var ranges []MemoryRange
		for range random.Intn(12) {
			start := random.Intn(39)
			ranges = append(ranges, MemoryRange{Start: base + VA(start), Size: 1 + uint64(random.Intn(40-start))})
		}
		sort.SliceStable(ranges, func(i, j int) bool { return ranges[i].Start < ranges[j].Start })
		index := newMemoryIndex(ranges)
		if len(index) > 2*len(ranges) {
			t.Fatalf("%d splits for %d ranges", len(index), len(ranges))
		}
		for i := range 60 {
			va, want := base+VA(i)-10, -1
			for n, r := range ranges {
				if va >= r.Start && uint64(va-r.Start) < r.Size {
					want = n
				}
			}
			if got := index.find(va); got != want {
				t.Fatalf("%v: %s is in %d, want %d", ranges, va, got, want)
			}
		}
	}
}

// BenchmarkMemoryIndex looks up addresses behind a million small ranges that
// stand inside a large one.
func BenchmarkMemoryIndex(b *testing.B) {
	ranges := []MemoryRange{{Start: 0x1000, Size: 1 << 30}}
	for i := range 1_000_000 {
		ranges = append(ranges, MemoryRange{Start: 0x2000 + VA(i)*16, Size: 8})
	}
	index := newMemoryIndex(ranges)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if index.find(0x20000000+VA(i&0xffff)) != 0 {
			b.Fatal("not found")
		}
	}
}
