package owners

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ownerCases are scenes with the owners that are there. The innocent ones have
// none: whatever looks like a handle there is a number.
var ownerCases = []struct {
	name  string
	ptr   int
	build func(s *ownerScene)
	want  []string
}{
	// Guilty.
	{"keys of one class", 8, func(s *ownerScene) {
		s.system()
		for i, h := range s.open("Key", 700, func(i int) uint64 { return 0x100 + uint64(4*i) }) {
			if i >= 2 {
				s.object(s.vtable(1), h, uint64(i))
			}
		}
	}, []string{"698 of 702 Key at +8 of vtable MyCustomDll+0x2140"}},
	{"keys of one class, x86", 4, func(s *ownerScene) {
		s.system()
		for i, h := range s.open("Key", 700, func(i int) uint64 { return 0x100 + uint64(4*i) }) {
			s.object(s.vtable(1), uint64(i), h)
			s.noise(4)
		}
	}, []string{"700 of 702 Key at +8 of vtable MyCustomDll+0x2140"}},
	{"nothing but one type, from the first value on", 8, func(s *ownerScene) {
		for i, h := range s.open("Key", 700, func(i int) uint64 { return 4 + uint64(4*i) }) {
			s.object(s.vtable(1), h, uint64(i))
		}
	}, []string{"700 of 700 Key at +8 of vtable MyCustomDll+0x2140"}},
	{"a few among many", 8, func(s *ownerScene) {
		s.system()
		s.open("Event", 3000, func(i int) uint64 { return 0x100 + uint64(8*i) })
		for i, h := range s.open("Token", 20, func(i int) uint64 { return 0x104 + uint64(800*i) }) {
			s.object(s.vtable(2), 0, 0, h)
			s.noise(50 + i)
		}
	}, []string{"20 of 20 Token at +24 of vtable MyCustomDll+0x2180"}},
	{"two classes share a type", 8, func(s *ownerScene) {
		s.system()
		for i, h := range s.open("Event", 400, func(i int) uint64 { return 0x100 + uint64(12*i) }) {
			s.object(s.vtable(1+i%2), s.heapAt+uint64(i)*16, h)
			s.noise(s.rand.IntN(9))
		}
	}, []string{
		"200 of 402 Event at +16 of vtable MyCustomDll+0x2140",
		"200 of 402 Event at +16 of vtable MyCustomDll+0x2180",
	}},
	{"a class for handles of all types", 8, func(s *ownerScene) {
		s.system()
		for i := range 300 {
			typ := []string{"Key", "Event", "File"}[i%3]
			h := s.open(typ, 1, func(int) uint64 { return 0x100 + uint64(8*i) })[0]
			s.object(s.vtable(1), h)
		}
	}, []string{
		"100 of 102 Event at +8 of vtable MyCustomDll+0x2140",
		"100 of 102 Key at +8 of vtable MyCustomDll+0x2140",
		"100 of 101 File at +8 of vtable MyCustomDll+0x2140",
	}},
	{"some objects have closed or no handles", 8, func(s *ownerScene) {
		s.system()
		for i, h := range s.open("File", 300, func(i int) uint64 { return 0x100 + uint64(12*i) }) {
			s.object(s.vtable(1), h)
			switch i % 4 {
			case 0:
				s.object(s.vtable(1), h+4)
			case 1:
				s.object(s.vtable(1), 0)
			case 2:
				s.object(s.vtable(1), ^uint64(0))
			}
		}
	}, []string{"300 of 301 File at +8 of vtable MyCustomDll+0x2140"}},
	{"a literal stands nearer than the vtable", 8, func(s *ownerScene) {
		s.system()
		for _, h := range s.open("Key", 100, func(i int) uint64 { return 0x100 + uint64(8*i) }) {
			s.object(s.vtable(1), s.base+sceneData+0x40, h)
		}
	}, []string{"100 of 102 Key at +16 of vtable MyCustomDll+0x2140"}},
	{"managed objects", 8, func(s *ownerScene) {
		s.system()
		table := s.object(0x18, 0x1234, 7)
		for i, h := range s.open("Event", 200, func(i int) uint64 { return 0x100 + uint64(8*i) }) {
			s.object(table, h, uint64(i))
			s.noise(7)
		}
	}, []string{"200 of 202 Event at +8 of memory 0x1f010000010"}},
	{"without a list of regions", 8, func(s *ownerScene) {
		s.noInfos = true
		s.system()
		for _, h := range s.open("Key", 100, func(i int) uint64 { return 0x100 + uint64(8*i) }) {
			s.object(s.vtable(1), h)
		}
	}, []string{"100 of 102 Key at +8 of vtable MyCustomDll+0x2140"}},
	{"objects across the borders of what is read at a time", 8, func(s *ownerScene) {
		s.system()
		for i, h := range s.open("Key", 10, func(i int) uint64 { return 0x100 + uint64(60*i) }) {
			s.heap = append(s.heap, make([]byte, windowSize*(i+1)-24-len(s.heap))...)
			s.object(s.vtable(1), h)
		}
	}, []string{"10 of 12 Key at +8 of vtable MyCustomDll+0x2140"}},

	// Innocent.
	{"random memory, thousands of handles", 8, func(s *ownerScene) {
		s.system()
		s.open("Key", 3000, func(i int) uint64 { return 0x100 + uint64(4*i) })
		for range 2000 {
			s.noise(40)
		}
	}, nil},
	{"small numbers everywhere", 8, func(s *ownerScene) {
		s.system()
		s.open("Key", 1000, func(i int) uint64 { return 0x100 + uint64(4*i) })
		s.open("Event", 1000, func(i int) uint64 { return 0x2000 + uint64(8*i) })
		for range 20000 {
			s.object(s.vtable(s.rand.IntN(8)), uint64(s.rand.IntN(0x4000)), uint64(s.rand.IntN(0x400))*4)
		}
	}, nil},
	{"small numbers everywhere, x86", 4, func(s *ownerScene) {
		s.system()
		s.open("Key", 1000, func(i int) uint64 { return 0x100 + uint64(4*i) })
		for range 20000 {
			s.object(s.vtable(s.rand.IntN(8)), uint64(s.rand.IntN(0x2000)), uint64(s.rand.IntN(0x400))*4)
		}
	}, nil},
	{"a table of multiples of four", 8, func(s *ownerScene) {
		s.system()
		s.open("Key", 1000, func(i int) uint64 { return 0x100 + uint64(4*i) })
		words := []uint64{s.vtable(1)}
		for i := range 5000 {
			words = append(words, uint64(4*i))
		}
		s.object(words...)
	}, nil},
	{"objects that count", 8, func(s *ownerScene) {
		s.system()
		s.open("Key", 1000, func(i int) uint64 { return 0x100 + uint64(4*i) })
		for i := range 3000 {
			s.object(s.vtable(1), uint64(i))
		}
	}, nil},
	{"objects that count in fours, further than the handles", 8, func(s *ownerScene) {
		s.system()
		s.open("Key", 1000, func(i int) uint64 { return 0x100 + uint64(4*i) })
		for i := range 3000 {
			s.object(s.vtable(1), uint64(4*i))
		}
	}, nil},
	{"objects that count in fours, less far", 8, func(s *ownerScene) {
		s.system()
		s.open("Key", 1000, func(i int) uint64 { return 0x100 + uint64(4*i) })
		for i := range 600 {
			s.object(s.vtable(1), uint64(4*i))
		}
	}, nil},
	{"objects that count in fours from one of many handles on", 8, func(s *ownerScene) {
		s.system()
		s.open("Key", 5000, func(i int) uint64 { return 0x40 + uint64(4*i) })
		for i := range 200 {
			s.object(s.vtable(1), 0x1000+uint64(4*i))
		}
	}, nil},
	{"many classes that count in fours where the handles are", 8, func(s *ownerScene) {
		s.system()
		s.open("Key", 1000, func(i int) uint64 { return 0x1000 + uint64(4*i) })
		for class := range 60 {
			for i := range 100 {
				s.object(s.base+sceneData+uint64(8*class), 0x1100+uint64(4*i))
			}
		}
	}, nil},
	{"sizes", 8, func(s *ownerScene) {
		s.system()
		s.open("Event", 2000, func(i int) uint64 { return 0x40 + uint64(4*i) })
		for range 4000 {
			s.object(s.vtable(s.rand.IntN(4)), uint64(s.rand.IntN(256))*16, uint64(s.rand.ExpFloat64()*100)*8)
		}
	}, nil},
	{"sizes where one type has every second value", 8, func(s *ownerScene) {
		s.open("Thread", 1000, func(i int) uint64 { return 8 + uint64(8*i) })
		s.open("Process", 1000, func(i int) uint64 { return 4 + uint64(8*i) })
		for range 4000 {
			s.object(s.vtable(s.rand.IntN(4)), uint64(s.rand.IntN(500))*8)
		}
	}, nil},
	{"flags", 8, func(s *ownerScene) {
		s.system()
		s.open("Key", 1000, func(i int) uint64 { return 0x20 + uint64(4*i) })
		for range 5000 {
			s.object(s.vtable(1), 4<<s.rand.IntN(10), 0)
		}
	}, nil},
	{"a few handles that stand together by accident", 8, func(s *ownerScene) {
		s.system()
		for i, h := range s.open("Key", 300, func(i int) uint64 { return 0x100 + uint64(8*i) }) {
			s.noise(15 + s.rand.IntN(10))
			if i < 7 {
				s.object(s.vtable(1), h)
			} else {
				s.object(s.heapAt+uint64(i*64), h)
			}
		}
	}, nil},
}

// TestOwners runs every scene with several seeds. Run with -v for the table.
func TestOwners(t *testing.T) {
	const seeds = 4
	right, found, there := 0, 0, 0
	for _, test := range ownerCases {
		for seed := range uint64(seeds) {
			s := newScene(seed, test.ptr)
			test.build(s)
			got := ownerTexts(s.find(t, Options{}))
			want := slices.Clone(test.want)
			if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
				t.Errorf("%s, seed %d (-want +got):\n%s", test.name, seed, diff)
			}
			there += len(want)
			found += len(got)
			for _, o := range got {
				if slices.Contains(want, o) {
					right++
				}
			}
		}
		t.Logf("%-55s %d", test.name, len(test.want))
	}
	t.Logf("owners: %d there, %d found, %d of them right: precision %.3f, recall %.3f",
		there, found, right, float64(right)/float64(found), float64(right)/float64(there))
}
