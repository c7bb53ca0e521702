package owners

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// decoyHeaps are heaps without owners, full of what may be taken for one.
var decoyHeaps = []struct {
	name string
	fill func(s *ownerScene)
}{
	{"small numbers in structs of one size", func(s *ownerScene) {
		for range 4000 {
			s.object(s.vtable(s.rand.IntN(8)), uint64(s.rand.IntN(0x2000)), uint64(s.rand.IntN(0x800))*4)
		}
	}},
	{"tables of ids", func(s *ownerScene) {
		for range 40 {
			first, step := s.rand.IntN(3000), 1+s.rand.IntN(4)
			words := make([]uint64, 20+s.rand.IntN(400))
			for i := range words {
				words[i] = uint64(first + step*i)
			}
			s.object(words...)
		}
	}},
	{"tables of ids that count in fours, as 4 bytes each", func(s *ownerScene) {
		for range 10 {
			b := make([]byte, 4*(50+s.rand.IntN(1000)))
			first := 4 * s.rand.IntN(800)
			for i := 0; i < len(b); i += 4 {
				s32(b[i:], uint32(first+i))
			}
			s.blob(b)
		}
	}},
	{"tables of offsets", func(s *ownerScene) {
		for range 40 {
			at := uint64(0)
			words := make([]uint64, 20+s.rand.IntN(400))
			for i := range words {
				at += uint64(4 + 4*s.rand.IntN(8))
				words[i] = at
			}
			s.object(words...)
		}
	}},
	{"counters behind numbers and texts", func(s *ownerScene) {
		for i := range 1000 {
			s.record([]uint32{0x5167, 0x20626f6a, 0x1234abcd}[s.rand.IntN(3)], 0, uint32(i), 0)
		}
	}},
	{"sizes in halves of words", func(s *ownerScene) {
		for range 3000 {
			s.object(uint64(16+8*s.rand.IntN(500))|uint64(s.rand.IntN(1<<20))<<32, uint64(s.rand.IntN(1<<20))|uint64(4*s.rand.IntN(700))<<32)
		}
	}},
	{"handles of other sets closed long ago, in all orders", func(s *ownerScene) {
		for range 30 {
			words := make([]uint64, 100)
			for i := range words {
				words[i] = uint64(0x4000 + 4*s.rand.IntN(3000))
			}
			s.object(words...)
		}
	}},
	{"variables that count", func(s *ownerScene) {
		for i := range 0x800 {
			s.put(s.image, sceneVars+s.ptr*i, uint64(s.rand.IntN(0x400)*(1+i%4)))
		}
	}},
}

func s32(b []byte, v uint32) { b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24) }

// decoySets give handles that nothing in the heaps holds.
var decoySets = []struct {
	name string
	open func(s *ownerScene)
}{
	{"a run", func(s *ownerScene) { s.open("Key", 900, func(i int) uint64 { return 0x100 + uint64(4*i) }) }},
	{"every second", func(s *ownerScene) { s.open("Event", 500, func(i int) uint64 { return 0x80 + uint64(8*i) }) }},
	{"mixed types", func(s *ownerScene) {
		for i := range 1200 {
			s.open([]string{"Key", "Event", "File"}[s.rand.IntN(3)], 1, func(int) uint64 { return 0x40 + uint64(4*i) })
		}
	}},
	{"sparse", func(s *ownerScene) { s.open("Semaphore", 60, func(i int) uint64 { return uint64(4 * (1 + i*37)) }) }},
}

// Chance finds nothing: each set of handles on each heap, with several seeds if
// somebody looks (-v). DECOY_SEED sets the first.
func TestDecoys(t *testing.T) {
	first, _ := strconv.ParseUint(os.Getenv("DECOY_SEED"), 10, 64)
	hunts, seeds := 0, uint64(1)
	if testing.Verbose() {
		seeds = 4
	}
	for _, ptr := range []int{8, 4} {
		for i, heap := range decoyHeaps {
			if testing.Short() && i%4 != 0 {
				continue // they take long under the race detector
			}
			for _, set := range decoySets {
				for seed := first; seed < first+seeds; seed++ {
					s := newScene(seed, ptr)
					set.open(s)
					heap.fill(s)
					s.noise(2000)
					heap.fill(s)
					for _, o := range ownerTexts(s.find(t, Options{})) {
						t.Errorf("%d bytes, %s, %s, seed %d: %s", ptr, heap.name, set.name, seed, o)
					}
					hunts++
				}
			}
		}
	}
	t.Logf("%d hunts", hunts)
}

// The heaps of real programs, with handles that they never had: all above what
// they may have opened, since what was closed is still in their structures.
func TestDecoysInRealHeaps(t *testing.T) {
	for _, name := range []string{
		"testdata/leaky/leaky-x64-c-heap.dmp.gz", "testdata/leaky/leaky-x86-c-heap.dmp.gz",
		"../shared/dumps/leaky-c.dmp.gz", "../shared/dumps/diag/l03-3.dmp.gz", "../shared/dumps/diag/l06-3.dmp.gz",
	} {
		t.Run(name, func(t *testing.T) {
			f := testdump.Open(t, name)
			mem, err := f.Memory()
			if err != nil {
				t.Fatal(err)
			}
			own, err := readTargets(t.Context(), f, &Options{})
			if err != nil {
				t.Fatal(err)
			}
			sets := uint64(20)
			if testing.Short() {
				sets = 2
			}
			if f.Size() > 50<<20 { // takes as long as all the others
				sets = 4
			}
			for seed := range sets {
				r := rand.New(rand.NewPCG(seed, 7))
				types, first, step, n := 1+r.IntN(4), own.max()+0x1000+uint64(4*r.IntN(1000)), uint64(4*(1+r.IntN(4))), uint64(60+r.IntN(900))
				var d dumptest.Dump
				d.HandleData = &dumptest.HandleData{}
				for i := range n {
					if v := first + step*i; own.set(v) == slotFree {
						d.HandleData.Handles = append(d.HandleData.Handles, dumptest.Handle{Value: v, Type: fmt.Sprint("Decoy", r.IntN(types))})
					}
				}
				o := &Options{MaxOffset: DefaultOffset}
				decoys, err := readTargets(t.Context(), testdump.Make(t, d), o)
				if err != nil {
					t.Fatal(err)
				}
				report, err := find(t.Context(), f, mem, decoys, o)
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range report.Owners {
					t.Errorf("seed %d: %d handles from %#x in steps of %d, %d types: %s %v", seed, len(d.HandleData.Handles), first, step, types, ownerText(&o), o.Examples)
				}
			}
		})
	}
}
