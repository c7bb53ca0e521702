package owners

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// A fieldKind is what a word of an object is for.
type fieldKind int

const (
	fieldSerial  fieldKind = iota // counts up when an object is made
	fieldCreated                  // the time then
	fieldCookie                   // a random number then
	fieldName                     // a pointer to a name of its own, written then
	fieldEnum                     // one of seven, then
	fieldUsed                     // the time of the last use
	fieldRequest                  // the number of the last request
	fieldUses                     // counts uses
	fieldBytes                    // grows by some with each use
	fieldUser                     // written on the first use, until then what was there before
	fieldClient                   // one of 400 that may come back, one object at a time
	fieldPlace                    // the index of the place
	fieldID                       // the smallest or the last number that is free
	fieldCopy                     // the handle once more
	fieldPeer                     // a pointer to memory of the place
	fieldNothing                  // never written
	fieldKinds
)

// A simulated process has objects of one class, each with a handle, in the places
// of a pool.
type simulated struct {
	r      *rand.Rand
	ptr    int
	fields []fieldKind
	at     int // of the handle among the words; the first is that of the class

	takeLast, takeFirst bool // of memory, that was given back; else by chance
	valueLast           bool // of values; else the smallest
	idLast              bool
	zeroed, wiped       bool // memory when it is taken, the handle when it is given back
	pointed             bool // a table leads to what lives
	milliseconds        bool

	words         [simPlaces][]uint64
	names         [simPlaces]string
	live          [simPlaces]bool
	value         [simPlaces]uint64
	clients       map[uint64]bool
	free          []int
	values        []uint64
	ids           []uint64
	opening       map[uint64]int
	openings      int
	now           uint64
	serial, calls uint64
}

const (
	simPlaces = 220
	simStart  = 0x1da1b5e00000000 // 100 ns since 1601
)

func simulate(seed uint64) *simulated {
	r := rand.New(rand.NewPCG(seed, 17))
	yes := func() bool { return r.IntN(2) == 0 }
	s := &simulated{
		r: r, ptr: []int{8, 8, 4}[r.IntN(3)], takeLast: r.IntN(3) > 0, takeFirst: yes(), valueLast: yes(), idLast: yes(), zeroed: yes(), wiped: yes(),
		pointed: r.IntN(3) > 0, milliseconds: yes(), clients: map[uint64]bool{}, opening: map[uint64]int{},
		now: simStart, serial: uint64(r.IntN(1 << 20)), calls: uint64(r.IntN(1 << 22)),
	}
	if s.milliseconds {
		s.now = uint64(r.IntN(1 << 28))
	}
	for _, kind := range r.Perm(int(fieldKinds))[:1+r.IntN(6)] {
		s.fields = append(s.fields, fieldKind(kind))
	}
	s.at = 1 + r.IntN(len(s.fields)+1)
	s.fields = slices.Insert(s.fields, s.at-1, -1)
	for i := range simPlaces {
		s.words[i] = make([]uint64, len(s.fields)+1)
		s.free = append(s.free, simPlaces-1-i)
		s.values = append(s.values, uint64(0x100+12*(simPlaces-1-i)))
		s.ids = append(s.ids, uint64(simPlaces-i))
	}
	return s
}

func (s *simulated) tick() {
	if s.milliseconds {
		s.now += uint64(1 + s.r.IntN(5000))
	} else {
		s.now += uint64(1 + s.r.IntN(50_000_000))
	}
}

// take takes one of a list.
func take[T any](list *[]T, i int) T {
	v := (*list)[i]
	*list = slices.Delete(*list, i, i+1)
	return v
}

func smallest(list []uint64) int { return slices.Index(list, slices.Min(list)) }

func (s *simulated) open(vtable uint64) {
	if len(s.free) < 20 {
		return
	}
	s.tick()
	i := len(s.free) - 1
	if !s.takeLast {
		if i = 0; !s.takeFirst {
			i = s.r.IntN(len(s.free))
		}
	}
	at := take(&s.free, i)
	i = len(s.values) - 1
	if !s.valueLast {
		i = smallest(s.values)
	}
	v := take(&s.values, i)
	s.live[at], s.value[at] = true, v
	s.openings++
	s.opening[v] = s.openings
	w := s.words[at]
	if s.zeroed {
		clear(w)
	}
	w[0] = vtable
	s.serial++
	for i, f := range s.fields {
		x := &w[i+1]
		switch f {
		case -1, fieldCopy:
			*x = v
		case fieldSerial:
			*x = s.serial
		case fieldCreated, fieldUsed:
			*x = s.now
		case fieldCookie:
			*x = uint64(s.r.Uint32())
		case fieldName:
			s.names[at] = fmt.Sprintf("client-%d", s.r.IntN(1<<30))
			*x = s.nameAt(at)
		case fieldEnum:
			*x = uint64(s.r.IntN(7))
		case fieldRequest:
			s.calls++
			*x = s.calls
		case fieldUses, fieldBytes:
			*x = 0
		case fieldClient:
			for *x = 0; *x == 0 || s.clients[*x]; {
				*x = 0x1000 + 7*uint64(s.r.IntN(400))
			}
			s.clients[*x] = true
		case fieldPlace:
			*x = uint64(at)
		case fieldID:
			i := len(s.ids) - 1
			if !s.idLast {
				i = smallest(s.ids)
			}
			*x = take(&s.ids, i)
		case fieldPeer:
			*x = s.nameAt(at) + 32
		}
	}
}

func (s *simulated) close(at int) {
	s.live[at] = false
	for i, f := range s.fields {
		switch x := &s.words[at][i+1]; f {
		case -1:
			if s.wiped {
				*x = 0
			}
		case fieldID:
			s.ids = append(s.ids, *x)
		case fieldClient:
			delete(s.clients, *x)
		}
	}
	s.free = append(s.free, at)
	s.values = append(s.values, s.value[at])
	delete(s.opening, s.value[at])
}

func (s *simulated) use(at int) {
	s.tick()
	s.calls++
	for i, f := range s.fields {
		switch x := &s.words[at][i+1]; f {
		case fieldUsed:
			*x = s.now
		case fieldRequest:
			*x = s.calls
		case fieldUses:
			*x++
		case fieldBytes:
			*x += uint64(s.r.IntN(100_000))
		case fieldUser:
			*x = uint64(s.r.IntN(1 << 24))
		}
	}
}

const simNames, simTable = 0x8000, 0x10000 // in the heap

func (s *simulated) nameAt(at int) uint64 {
	return newScene(1, s.ptr).heapAt + simNames + 64*uint64(at)
}

// work lets objects live, with a mean number of them.
func (s *simulated) work(vtable uint64, steps, open int, churn float64) {
	var living []int
	for i, yes := range s.live {
		if yes {
			living = append(living, i)
		}
	}
	for range steps {
		switch {
		case len(living) < open:
			before := s.live
			s.open(vtable)
			for i := range s.live {
				if s.live[i] && !before[i] {
					living = append(living, i)
				}
			}
		case s.r.Float64() < churn:
			s.close(take(&living, s.r.IntN(len(living))))
		default:
			s.use(living[s.r.IntN(len(living))])
		}
	}
}

// dump writes the process down.
func (s *simulated) dump() (scene *ownerScene, opening map[uint64]int) {
	scene = newScene(1, s.ptr)
	scene.system()
	scene.heap = make([]byte, 0x12000)
	size := s.ptr * (len(s.fields) + 1)
	room := (size + 16 + 15) &^ 15
	for i := range simPlaces {
		at := 16 + room*i
		for j, w := range s.words[i] {
			scene.put(scene.heap, at+s.ptr*j, w)
		}
		// What the heap writes before an object follows from its place.
		binary.LittleEndian.PutUint64(scene.heap[at-8:], mix(uint64(i))|1)
		copy(scene.heap[simNames+64*i:], s.names[i]+"\x00")
		if s.live[i] {
			if s.pointed {
				scene.put(scene.heap, simTable+s.ptr*i, scene.heapAt+uint64(at))
			}
			scene.handles = append(scene.handles, dumptest.Handle{Value: s.value[i], Type: "Event"})
		}
	}
	opening = map[uint64]int{}
	for v, n := range s.opening {
		opening[v] = n
	}
	scene.time = uint32(s.now/1e7 - 11644473600)
	if s.milliseconds {
		scene.time = uint32(simStart/10_000_000 - 11644473600 + s.now/1000)
	}
	return scene, opening
}

// Processes that chance has made: nearly nothing false is said. What is, is said of
// clients that came back, and that nothing else distinguishes from the ones before. Run
// with -v for the numbers, with DUMPSCAN_SERIES=6000 for more processes, and with
// DUMPSCAN_SEED for others.
func TestIdentifyChance(t *testing.T) {
	number := func(name string, or uint64) uint64 {
		if n, err := strconv.ParseUint(os.Getenv(name), 10, 64); err == nil {
			return n
		}
		return or
	}
	series := uint64(200)
	if testing.Short() {
		series = 10
	}
	n, first := number("DUMPSCAN_SERIES", series), number("DUMPSCAN_SEED", 0)
	total := map[string]int{}
	for seed := first; seed < first+n; seed++ {
		s := simulate(seed)
		vtable := newScene(1, s.ptr).vtable(1)
		open := 60 + s.r.IntN(100)
		churn := []float64{0, 0.05, 0.3, 0.6}[s.r.IntN(4)]
		s.work(vtable, 600, open, churn)
		before, was := s.dump()
		s.work(vtable, s.r.IntN(500), open+s.r.IntN(30), churn)
		after, is := s.dump()
		old, new := before.file(t), after.file(t)
		ids, err := Identify(t.Context(), Side{File: old, Report: before.find(t, Options{})}, Side{File: new, Report: after.find(t, Options{})})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for v, opening := range was {
			if now, ok := is[v]; ok {
				truth := "same"
				if now != opening {
					truth = "replaced"
				}
				got[truth+", said "+[...]string{"unknown", "same", "replaced"}[ids.Fate(v)]]++
			}
		}
		for k, n := range got {
			total[k] += n
		}
		if got["same, said replaced"]+got["replaced, said same"] > 0 {
			t.Logf("seed %d: %v", seed, got)
		}
	}
	t.Logf("%d processes: %v", n, total)
	wrong, same := total["replaced, said same"], total["same, said same"]
	if 1000*wrong > same || 100*total["same, said replaced"] > total["replaced, said replaced"] {
		t.Error("too much is false")
	}
	if n < 100 {
		return // too few processes to count what is not known
	}
	if 3*same < total["same, said unknown"] || 6*total["replaced, said replaced"] < total["replaced, said unknown"] {
		t.Error("too little is known")
	}
}
