package owners

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// lives is a process in two dumps. Handles are of one type and without names, so
// that nothing but their holders distinguishes them.
type lives struct {
	old, new *ownerScene
	opening  [2]map[uint64]int // by value: which opening it is
	openings int
}

func newLives(seed uint64, ptr int) *lives {
	l := &lives{old: newScene(seed, ptr), new: newScene(seed, ptr), opening: [2]map[uint64]int{{}, {}}}
	l.old.system()
	l.new.system()
	return l
}

// open opens a value in both dumps; with again it is closed and opened between.
func (l *lives) open(value uint64, again bool) {
	l.openOld(value)
	now := l.opening[0][value]
	if again {
		l.openings++
		now = l.openings
	}
	l.opening[1][value] = now
	l.new.open("Event", 1, func(int) uint64 { return value })
}

func (l *lives) openOld(value uint64) {
	l.openings++
	l.opening[0][value] = l.openings
	l.old.open("Event", 1, func(int) uint64 { return value })
}

func (l *lives) openNew(value uint64) {
	l.openings++
	l.opening[1][value] = l.openings
	l.new.open("Event", 1, func(int) uint64 { return value })
}

// object puts words at one place, in each dump its own. The words of a dump are
// numbers: texts go to what both have in common.
func (l *lives) object(old, new []uint64) {
	l.old.object(old...)
	l.new.object(new...)
}

// text is a string of both heaps.
func (l *lives) text(old, new string) uint64 {
	at := l.old.blob(append([]byte(old), make([]byte, 25-len(old))...))
	l.new.blob(append([]byte(new), make([]byte, 25-len(new))...))
	return at
}

// identify hunts in both dumps, and counts the values by truth and answer.
func (l *lives) identify(t testing.TB) map[string]int {
	t.Helper()
	old, new := l.old.file(t), l.new.file(t)
	ids, err := Identify(t.Context(), Side{File: old, Report: l.old.find(t, Options{})}, Side{File: new, Report: l.new.find(t, Options{})})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for value, opening := range l.opening[0] {
		if now, ok := l.opening[1][value]; ok {
			truth := "same"
			if now != opening {
				truth = "replaced"
			}
			got[truth+", said "+[...]string{"unknown", "same", "replaced"}[ids.Fate(value)]]++
		}
	}
	if known := got["same, said same"] + got["replaced, said same"]; known != ids.Same {
		t.Errorf("%d the same, and the values make it %d", ids.Same, known)
	}
	return got
}

// objects is how many objects the scenes have, most of which hold a handle whose
// value both dumps have; every third was replaced.
const objects = 120

func replacedThird(i int) bool { return i%3 == 1 }

func handleOf(i int) uint64 { return 0x100 + uint64(8*i) }

// each calls do for all objects, which are in both dumps.
func (l *lives) each(do func(i int, h uint64, again bool)) {
	for i := range objects {
		h := handleOf(i)
		l.open(h, replacedThird(i))
		do(i, h, replacedThird(i))
	}
}

// grow makes objects that only the newer dump has.
func (l *lives) grow(n int, do func(i int, h uint64)) {
	for i := range n {
		h := handleOf(1000 + i)
		l.openNew(h)
		do(i, h)
	}
}

// turnover lets some places have another handle in the newer dump.
func (l *lives) turnover(do func(i int, old, new uint64)) {
	for i := range 10 {
		l.openOld(handleOf(2000 + i))
		l.openNew(handleOf(3000 + i))
		do(i, handleOf(2000+i), handleOf(3000+i))
	}
}

func serial(i int) uint64 { return 0x5000 + uint64(7*i+i*i%5) }

// later is the serial of an object that was made between the dumps.
func later(i int) uint64 { return 0x9000 + uint64(3*i+i*i%3) }

func pick(again bool, old, new uint64) uint64 {
	if again {
		return new
	}
	return old
}

var identityCases = []struct {
	name  string
	ptr   int
	build func(l *lives)
	want  map[string]int
}{
	{"a serial number, a time and a name", 8, func(l *lives) {
		v := l.old.vtable(1)
		l.each(func(i int, h uint64, again bool) {
			name, now := fmt.Sprintf("client-%d", 31*i%997), fmt.Sprintf("client-%d", 31*i%997)
			if again {
				now = fmt.Sprintf("client-%d", 1000+i)
			}
			at := l.text(name, now)
			l.object([]uint64{v, h, serial(i), 0x1da1b5e00000000 + serial(i)*0x1234567, at},
				[]uint64{v, h, pick(again, serial(i), later(i)), 0x1da1b5e00000000 + pick(again, serial(i), later(i))*0x1234567, at})
		})
	}, map[string]int{"same, said same": 80, "replaced, said replaced": 40}},
	{"the same of x86", 4, func(l *lives) {
		v := l.old.vtable(1)
		l.each(func(i int, h uint64, again bool) {
			name, now := fmt.Sprintf("client-%d", 31*i%997), fmt.Sprintf("client-%d", 31*i%997)
			if again {
				now = fmt.Sprintf("client-%d", 1000+i)
			}
			at := l.text(name, now)
			l.object([]uint64{v, serial(i), h, at}, []uint64{v, pick(again, serial(i), later(i)), h, at})
		})
	}, map[string]int{"same, said same": 80, "replaced, said replaced": 40}},
	{"a serial number alone, which may also be that of the last use", 8, func(l *lives) {
		v := l.old.vtable(1)
		l.each(func(i int, h uint64, again bool) {
			l.object([]uint64{v, h, serial(i)}, []uint64{v, h, pick(again, serial(i), later(i))})
		})
	}, map[string]int{"same, said same": 80, "replaced, said unknown": 40}},
	{"a serial number alone, and others come and go", 8, func(l *lives) {
		v := l.old.vtable(1)
		l.each(func(i int, h uint64, again bool) {
			l.object([]uint64{v, h, serial(i)}, []uint64{v, h, pick(again, serial(i), later(i))})
		})
		l.turnover(func(i int, old, new uint64) {
			l.object([]uint64{v, old, serial(500 + i)}, []uint64{v, new, later(500 + i)})
		})
	}, map[string]int{"same, said same": 80, "replaced, said replaced": 40}},
	{"a time of creation that stays, and one of the last use", 8, func(l *lives) {
		v := l.old.vtable(1)
		for i := range objects {
			h := handleOf(i)
			l.open(h, false)
			l.object([]uint64{v, h, serial(i), serial(500 + i)}, []uint64{v, h, serial(i), pick(i%2 == 0, serial(500+i), later(500+i))})
		}
		l.turnover(func(i int, old, new uint64) {
			l.object([]uint64{v, old, serial(300 + i), serial(900 + i)}, []uint64{v, new, later(300 + i), later(900 + i)})
		})
	}, map[string]int{"same, said same": 120}},
	{"numbers of the last use, and what the objects are for", 8, func(l *lives) {
		v := l.old.vtable(1)
		for i := range objects {
			h := handleOf(i)
			l.open(h, false)
			l.object([]uint64{v, h, serial(i), uint64(i % 7)}, []uint64{v, h, pick(i%2 == 0, serial(i), later(i)), uint64(i % 7)})
		}
		l.turnover(func(i int, old, new uint64) {
			l.object([]uint64{v, old, serial(300 + i), 3}, []uint64{v, new, later(300 + i), 4})
		})
	}, map[string]int{"same, said same": 60, "same, said unknown": 60}},
	{"nothing but a counter", 8, func(l *lives) {
		v := l.old.vtable(1)
		l.each(func(i int, h uint64, again bool) {
			l.object([]uint64{v, h, uint64(i % 9)}, []uint64{v, h, pick(again, uint64(i%9+i%2), 0)})
		})
	}, map[string]int{"same, said unknown": 80, "replaced, said unknown": 40}},
	{"a user who is written down on use, and stays when the object is gone", 8, func(l *lives) {
		v := l.old.vtable(1)
		l.each(func(i int, h uint64, again bool) {
			l.object([]uint64{v, h, serial(3 * i)}, []uint64{v, h, serial(3 * i)})
		})
		l.turnover(func(i int, old, new uint64) {
			l.object([]uint64{v, old, serial(900 + i)}, []uint64{v, new, serial(900 + i)})
		})
	}, map[string]int{"same, said unknown": 80, "replaced, said unknown": 40}},
	{"the same beside a serial number", 8, func(l *lives) {
		v := l.old.vtable(1)
		l.each(func(i int, h uint64, again bool) {
			l.object([]uint64{v, h, serial(3 * i), serial(i)}, []uint64{v, h, serial(3 * i), pick(again, serial(i), later(i))})
		})
		l.turnover(func(i int, old, new uint64) {
			l.object([]uint64{v, old, serial(900 + i), serial(700 + i)}, []uint64{v, new, serial(900 + i), later(700 + i)})
		})
	}, map[string]int{"same, said same": 80, "replaced, said replaced": 40}},
	{"an index of the place", 8, func(l *lives) {
		v := l.old.vtable(1)
		l.each(func(i int, h uint64, again bool) {
			l.object([]uint64{v, h, uint64(0x10000 + 100*i)}, []uint64{v, h, uint64(0x10000 + 100*i)})
		})
	}, map[string]int{"same, said unknown": 80, "replaced, said unknown": 40}},
	{"an id that goes to the next taker", 8, func(l *lives) {
		v := l.old.vtable(1)
		l.each(func(i int, h uint64, again bool) {
			l.object([]uint64{v, h, uint64(1 + i*37%objects)}, []uint64{v, h, uint64(1 + i*37%objects)})
		})
	}, map[string]int{"same, said unknown": 80, "replaced, said unknown": 40}},
	{"copies of the handle, and another handle", 8, func(l *lives) {
		v := l.old.vtable(1)
		l.each(func(i int, h uint64, again bool) {
			l.open(h+0x4004, false)
			l.object([]uint64{v, h, h / 4, h | 1, h + 0x4004}, []uint64{v, h, h / 4, h | 1, h + 0x4004})
		})
	}, map[string]int{"same, said unknown": 200, "replaced, said unknown": 40}},
	{"the serial number of a neighbour that stays", 8, func(l *lives) {
		v := l.old.vtable(1)
		var starts []uint64
		l.each(func(i int, h uint64, again bool) {
			l.object([]uint64{v, h, 1}, []uint64{v, h, 1})
			starts = append(starts, l.old.object(0x1234, serial(i)))
			l.new.object(0x1234, serial(i))
		})
		l.object(starts, starts)
	}, map[string]int{"same, said unknown": 80, "replaced, said unknown": 40}},
	{"dead objects that look alive, and nobody points to", 8, func(l *lives) {
		v := l.old.vtable(1)
		var old, new []uint64
		for i := range objects {
			h := handleOf(i)
			l.open(h, i%12 == 0)
			at := l.old.object(v, serial(i), serial(3*i), h)
			l.new.object(v, serial(i), serial(3*i), h)
			if old = append(old, at); i%12 != 0 {
				new = append(new, at)
			} else {
				new = append(new, 0)
			}
		}
		l.object(old, new)
	}, map[string]int{"same, said same": 110, "replaced, said unknown": 10}},
	{"objects that open their handles again", 8, func(l *lives) {
		v := l.old.vtable(1)
		l.each(func(i int, h uint64, again bool) {
			l.object([]uint64{v, h, serial(i)}, []uint64{v, h, serial(i)})
		})
		l.turnover(func(i int, old, new uint64) {
			l.object([]uint64{v, old, serial(500 + i)}, []uint64{v, new, serial(500 + i)})
		})
	}, map[string]int{"same, said unknown": 80, "replaced, said unknown": 40}},
	{"values that other objects have now", 8, func(l *lives) {
		v := l.old.vtable(1)
		l.each(func(i int, h uint64, again bool) {
			now := h
			if again {
				now = handleOf((i/3*7%40)*3 + 1)
			}
			l.object([]uint64{v, h, 5}, []uint64{v, now, 5})
		})
	}, map[string]int{"same, said unknown": 80, "replaced, said replaced": 38, "replaced, said unknown": 2}},
	{"objects that were moved, and handed their handles on", 8, func(l *lives) {
		v := l.old.vtable(1)
		for i := range objects {
			h := handleOf(i)
			l.open(h, false)
			l.object([]uint64{v, h, 5}, []uint64{v, 0, 5})
		}
		for i := range objects {
			l.object([]uint64{v, 0, 5}, []uint64{v, handleOf(i * 7 % objects), 5})
		}
	}, map[string]int{"same, said unknown": 120}},
	{"records that were moved together", 8, func(l *lives) {
		var old, new []uint64
		for i := range objects {
			l.open(handleOf(i), false)
			old = append(old, handleOf(i), 0x7700+uint64(i%5))
			new = append(new, handleOf(i), 0x7700+uint64(i%5))
		}
		l.object(old, make([]uint64, 2*objects))
		l.object(make([]uint64, 2*objects), new)
	}, map[string]int{"same, said unknown": 120}},
	{"a plain array", 8, func(l *lives) {
		var array []uint64
		l.each(func(i int, h uint64, again bool) { array = append(array, h) })
		l.object(array, array)
	}, map[string]int{"same, said unknown": 80, "replaced, said unknown": 40}},
	{"remains of objects beside those that live", 8, func(l *lives) {
		v := l.old.vtable(1)
		l.each(func(i int, h uint64, again bool) {
			l.object([]uint64{v, h, serial(i)}, []uint64{v, h, serial(i)})
			if again { // the old one is left, and a new one is elsewhere
				l.object([]uint64{v, 0, 0}, []uint64{v, h, later(i)})
			}
		})
	}, map[string]int{"same, said unknown": 80, "replaced, said unknown": 40}},
	{"objects that have grown, with serial numbers", 8, func(l *lives) {
		v := l.old.vtable(1)
		for i := range objects {
			l.open(handleOf(i), false)
			l.object([]uint64{v, handleOf(i), serial(i)}, []uint64{v, handleOf(i), serial(i)})
		}
		l.grow(40, func(i int, h uint64) {
			l.object(nil, []uint64{v, h, later(i)})
		})
	}, map[string]int{"same, said same": 120}},
}

// Nothing false is said, whatever a process does; and what can be known is said.
func TestIdentify(t *testing.T) {
	for _, test := range identityCases {
		for seed := range uint64(3) {
			l := newLives(seed, test.ptr)
			test.build(l)
			if diff := cmp.Diff(test.want, l.identify(t)); diff != "" {
				t.Errorf("%s, seed %d (-want +got):\n%s", test.name, seed, diff)
			}
		}
	}
}

// Without full memory nothing is said.
func TestIdentifyMissing(t *testing.T) {
	s := newScene(1, 8)
	s.system()
	d := s.dump()
	d.Flags &^= dumptest.WithFullMemory
	d.Memory, d.Memory64 = []dumptest.MemoryRange{{Start: 0x1000, Data: make([]byte, 64)}}, nil
	small := openScene(t, d)
	_, err := Identify(t.Context(), Side{File: s.file(t), Report: &Report{}}, Side{File: small, Report: &Report{}})
	var missing *analysis.MissingError
	if !errors.As(err, &missing) {
		t.Errorf("%v", err)
	}
}
