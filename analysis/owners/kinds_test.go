package owners

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
)

// array writes handles into cells of so many bytes each, between two margins of
// other things.
func (s *ownerScene) array(stride, width, field int, handles []uint64) uint64 {
	b := make([]byte, stride*len(handles))
	for i, h := range handles {
		if width == 4 {
			binary.LittleEndian.PutUint32(b[stride*i+field:], uint32(h))
		} else {
			s.put(b, stride*i+field, h)
		}
	}
	at := s.blob(b)
	s.noise(30)
	return at
}

// keys opens n keys in no order, as a process does that opens and closes.
func (s *ownerScene) keys(n int) []uint64 {
	s.system()
	h := s.open("Key", n, func(i int) uint64 { return 0x100 + uint64(4*(i*13%(3*n))) })
	s.open("Event", n/2, func(i int) uint64 { return 0x100 + uint64(4*((n+i)*13%(3*n))) })
	s.noise(100)
	return h
}

// record makes a heap block of the given 4-byte words, and garbage up to a
// size that differs from block to block.
func (s *ownerScene) record(words ...uint32) uint64 {
	var b []byte
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	at := s.blob(b)
	s.noise(2 + s.rand.IntN(12))
	return at
}

// kindCases are scenes of each kind beside objects, with 4 and 8 bytes a word.
var kindCases = []struct {
	name  string
	ptr   int
	build func(s *ownerScene)
	want  []string
}{
	{"vector", 8, func(s *ownerScene) { s.array(8, 8, 0, s.keys(200)) },
		[]string{"200 of 202 Key, 8 bytes in array every 8 at 0x1f010000340"}},
	{"vector, x86", 4, func(s *ownerScene) { s.array(4, 4, 0, s.keys(200)) },
		[]string{"200 of 202 Key, 4 bytes in array every 4 at 0x50001a0"}},
	{"vector of few", 8, func(s *ownerScene) { s.array(8, 8, 0, s.keys(24)) },
		[]string{"24 of 26 Key, 8 bytes in array every 8 at 0x1f010000340"}},
	{"structs with a handle each", 8, func(s *ownerScene) { s.array(48, 8, 16, s.keys(200)) },
		[]string{"200 of 202 Key, 8 bytes in array every 48 at 0x1f010000350"}},
	{"every fourth cell empty", 8, func(s *ownerScene) {
		var cells []uint64
		for i, h := range s.keys(200) {
			if cells = append(cells, h); i%3 == 2 {
				cells = append(cells, 0)
			}
		}
		s.array(8, 8, 0, cells)
	}, []string{"200 of 202 Key, 8 bytes in array every 8 at 0x1f010000340"}},
	{"more than one window", 8, func(s *ownerScene) {
		s.system()
		h := s.open("Key", 40000, func(i int) uint64 { return 0x100 + uint64(4*i) })
		s.rand.Shuffle(len(h), func(i, j int) { h[i], h[j] = h[j], h[i] })
		s.noise(100)
		s.array(8, 8, 0, h)
	}, []string{"40000 of 40002 Key, 8 bytes in array every 8 at 0x1f010000340"}},
	{"a vector that has grown, one copy behind another", 8, func(s *ownerScene) {
		h := s.keys(300)
		s.heap = append(s.heap, make([]byte, 8)...)
		for _, n := range []int{75, 150, 300} {
			b := make([]byte, 8*n)
			for i, h := range h[:n] {
				s.put(b, 8*i, h)
			}
			s.heap = append(s.heap, b...)
		}
		s.noise(30)
	}, []string{"300 of 302 Key, 8 bytes in array every 8 at 0x1f010000a40"}},
	{"halves of words in a row", 8, func(s *ownerScene) { s.array(4, 4, 0, s.keys(200)) },
		[]string{"200 of 202 Key, 4 bytes in array every 4 at 0x1f010000340"}},
	{"halves of words in structs", 8, func(s *ownerScene) {
		at := len(s.heap)
		h := s.keys(200)
		s.array(24, 4, 12, h)
		for i := at; i < len(s.heap)-8; i++ { // the half beside it is full
			if i >= 0x340 && (i-0x340)%24 >= 8 && (i-0x340)%24 < 12 && i < 0x340+24*200 {
				s.heap[i] = byte(i * 7)
			}
		}
	}, []string{"200 of 202 Key, 4 bytes in array every 24 at 0x1f01000034c"}},

	{"many short arrays of one kind", 8, func(s *ownerScene) {
		s.system()
		h := s.open("Key", 600, func(i int) uint64 { return 0x200 + uint64(4*i) })
		for i := 0; i < len(h); i += 60 {
			var cells []uint32
			for _, h := range h[i : i+60] {
				cells = append(cells, s.rand.Uint32()|0x80000001, uint32(h), s.rand.Uint32()|0x80000001)
			}
			s.record(cells...)
		}
	}, []string{"600 of 602 Key, 4 bytes in array every 12 at 0x1f010000014"}},

	{"variables", 8, func(s *ownerScene) { s.variables(0x200, 8, s.keys(200)) },
		[]string{"200 of 202 Key, 8 bytes in global every 8 at MyCustomDll+0x4200"}},
	{"variables, x86", 4, func(s *ownerScene) { s.variables(0x200, 8, s.keys(200)) },
		[]string{"200 of 202 Key, 4 bytes in global every 8 at MyCustomDll+0x4200"}},
	{"variables rather than a copy in the heap", 8, func(s *ownerScene) {
		h := s.keys(200)
		s.variables(0x200, 16, h)
		s.array(8, 8, 0, h)
	}, []string{"200 of 202 Key, 8 bytes in global every 16 at MyCustomDll+0x4200"}},

	{"a number before", 8, func(s *ownerScene) {
		for i, h := range s.keys(100) {
			s.record(0x5167, uint32(i), uint32(h), 0)
		}
	}, []string{`100 of 102 Key at +8 of record 0x5167 ""`}},
	{"a number before, x86", 4, func(s *ownerScene) {
		for i, h := range s.keys(100) {
			s.record(0x5167, uint32(i), uint32(h), 0)
		}
	}, []string{`100 of 102 Key 4 bytes at +8 of record 0x5167 ""`}},
	{"a text behind", 8, func(s *ownerScene) {
		for i, h := range s.keys(100) {
			s.record(uint32(i), 7, uint32(h), 0, uint32(i*i), 0x20626f6a, 0x626d756e)
		}
	}, []string{`100 of 102 Key at -12 of record 0x20626f6a "job "`}},
	{"half a word behind a number", 8, func(s *ownerScene) {
		for i, h := range s.keys(100) {
			s.record(0x5167, uint32(i)|0x80000001, uint32(h), uint32(i)<<8|0x80000001)
		}
	}, []string{`100 of 102 Key 4 bytes at +8 of record 0x5167 ""`}},
	{"half a word behind a vtable", 8, func(s *ownerScene) {
		for i, h := range s.keys(100) {
			s.object(s.vtable(1), h<<32|uint64(i)|0x80000001)
			s.noise(2 + s.rand.IntN(12))
		}
	}, []string{"100 of 102 Key at +12 of vtable MyCustomDll+0x2140"}},
	{"a word that is everywhere", 8, func(s *ownerScene) {
		for i, h := range s.keys(100) {
			s.record(0x5167, uint32(i), uint32(h), 0)
			for range 4 {
				s.record(0x5167, uint32(i), uint32(s.rand.IntN(1<<20))|1, 0)
			}
		}
	}, nil},
	{"objects before arrays", 8, func(s *ownerScene) {
		for _, h := range s.keys(100) {
			s.object(s.vtable(1), h, 0, 0) // as far from one another as cells
		}
	}, []string{"100 of 102 Key at +8 of vtable MyCustomDll+0x2140"}},
	{"nobody", 8, func(s *ownerScene) { s.keys(200) }, nil},
}

// variables writes handles into the variables of the module.
func (s *ownerScene) variables(at, stride int, handles []uint64) {
	for i, h := range handles {
		s.put(s.image, sceneVars+at+stride*i, h)
	}
}

func TestKinds(t *testing.T) {
	for _, test := range kindCases {
		for seed := range uint64(3) {
			s := newScene(seed, test.ptr)
			test.build(s)
			got := ownerTexts(s.find(t, Options{}))
			if diff := cmp.Diff(append([]string{}, test.want...), got); diff != "" {
				t.Errorf("%s, seed %d (-want +got):\n%s", test.name, seed, diff)
			}
		}
	}
}

// What no owner holds is said of each type.
func TestUnheld(t *testing.T) {
	s := newScene(1, 8)
	s.array(8, 8, 0, s.keys(200))
	r := s.find(t, Options{Types: []string{"Key", "Event"}})
	want := []Unheld{{Type: "Key", Handles: 2, Of: 202}, {Type: "Event", Handles: 102, Of: 102}}
	if diff := cmp.Diff(want, r.Unheld); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The system's variables are not searched.
func TestSystemVariables(t *testing.T) {
	s := newScene(1, 8)
	s.variables(0x200, 8, s.keys(200))
	for system, want := range map[bool]int{false: 1, true: 0} {
		r := s.find(t, Options{System: func(m *minidump.Module) bool { return system }})
		if len(r.Owners) != want {
			t.Errorf("system %v: %v", system, ownerTexts(r))
		}
	}
}

// linkCases are objects that pointers lead to.
var linkCases = []struct {
	name  string
	build func(s *ownerScene, handles []uint64)
	want  string
	refs  []string
}{
	{"a list before the table", func(s *ownerScene, handles []uint64) {
		next := uint64(0)
		for _, h := range handles {
			next = s.object(next, s.base+sceneData+0x20, 7, h)
			s.noise(2 + s.rand.IntN(12))
		}
	}, "100 of 102 Key at +24-8 of data MyCustomDll+0x2020", []string{"link 99 of 100 at 0"}},
	{"an array of pointers in the variables", func(s *ownerScene, handles []uint64) {
		for i, h := range handles {
			s.put(s.image, sceneVars+0x300+8*i, s.object(uint64(i), 0x5167, 7, h))
			s.noise(2 + s.rand.IntN(12))
		}
	}, `100 of 102 Key at +24-8 of record 0x5167 ""`, []string{"global 100 of 100, MyCustomDll+0x4300 every 8"}},
	{"an array of pointers in the heap", func(s *ownerScene, handles []uint64) {
		var all []uint64
		for i, h := range handles {
			all = append(all, s.object(s.vtable(1), uint64(i), h))
			s.noise(2 + s.rand.IntN(12))
		}
		s.array(8, 8, 0, all)
	}, "100 of 102 Key at +16 of vtable MyCustomDll+0x2140", []string{"array 100 of 100 every 8"}},
	{"nothing", func(s *ownerScene, handles []uint64) {
		for i, h := range handles {
			s.object(s.vtable(1), uint64(i), h)
			s.noise(2 + s.rand.IntN(12))
		}
	}, "100 of 102 Key at +16 of vtable MyCustomDll+0x2140", nil},
	{"pointers of the heap to blocks, from the blocks", func(s *ownerScene, handles []uint64) {
		for _, h := range handles {
			at := s.heapAt + uint64(len(s.heap)) + 8
			s.object(0x5167, h, 0, at)
			s.noise(2 + s.rand.IntN(12))
		}
	}, `100 of 102 Key at +8 of record 0x5167 ""`, nil},
	{"a vector", func(s *ownerScene, handles []uint64) {
		at := s.array(8, 8, 0, handles)
		s.put(s.image, sceneVars+0x300, at)
	}, "100 of 102 Key, 8 bytes in array every 8 at 0x1f010000340", []string{"global 1 of 1, MyCustomDll+0x4300 every 0"}},
}

func TestLinks(t *testing.T) {
	for _, test := range linkCases {
		for seed := range uint64(4) {
			s := newScene(seed, 8)
			test.build(s, s.keys(100))
			r := s.find(t, Options{})
			if diff := cmp.Diff([]string{test.want}, ownerTexts(r)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.name, diff)
				continue
			}
			var refs []string
			for _, f := range r.Owners[0].Referrers {
				text := fmt.Sprintf("%s %d of %d", f.Kind, f.Objects, f.Of)
				switch f.Kind {
				case ReferrerGlobal:
					text += fmt.Sprintf(", %s+%#x every %d", f.Module, f.ModuleOffset, f.Stride)
				case ReferrerLink:
					text += fmt.Sprintf(" at %d", f.Offset)
				case ReferrerArray:
					text += fmt.Sprintf(" every %d", f.Stride)
				}
				refs = append(refs, text)
			}
			if diff := cmp.Diff(test.refs, refs); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.name, diff)
			}
		}
	}
}

func TestConstantText(t *testing.T) {
	for v, want := range map[uint32]string{0x20626f6a: "job ", 0x5167: "", 0x41414141: "AAAA", 0x31323334: "", 0x0a626f6a: "", 0xff626f6a: ""} {
		if got := constantText(v); got != want {
			t.Errorf("%#x: %q, want %q", v, got, want)
		}
	}
}
