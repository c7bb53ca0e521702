package owners

import (
	"bytes"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
)

// managedHunt is a hunt in one of the dumps of testdata/clr.
func managedHunt(t *testing.T, dump string) *hunt {
	t.Helper()
	data := testdump.Read(t, "testdata/clr/"+dump+".dmp.gz")
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	mem, err := f.Memory()
	if err != nil {
		t.Fatal(err)
	}
	space, err := newSpace(f, mem, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := &hunt{mem: mem, space: space}
	h.images = &images{hunt: h, known: map[uint64]*targetInfo{}}
	return h
}

// What the finder keeps from one pointer to the next changes no answer: the
// object of a pointer is the one that a new finder gives, and no object gives a
// pointer that stands in none.
func TestObjectFinder(t *testing.T) {
	t.Parallel()
	for _, dump := range []string{"core31-x64", "core21-x86", "net10-x64"} {
		h := managedHunt(t, dump)
		ptr := uint64(h.space.ptr)
		one := objectFinder{images: h.images}
		inside, arrays, outside := 0, 0, 0
		for _, r := range h.space.scan {
			if r.Size < 64<<10 {
				continue // not the heap: of the rest only pieces were kept
			}
			for at := uint64(r.Start); at+ptr <= uint64(r.End()); at += 5 * ptr {
				start, class := one.at(at)
				again := objectFinder{images: h.images}
				start2, class2 := again.at(at)
				h.images.scanned = 0
				if start != start2 || class != class2 {
					t.Fatalf("%s: 0x%x is in 0x%x %v, or in 0x%x %v", dump, at, start, class, start2, class2)
				}
				switch {
				case class == nil:
					outside++
				case class.Component > 0:
					arrays++
				case at <= start || at+ptr > start+uint64(class.Size):
					t.Errorf("%s: 0x%x is not in 0x%x %+v", dump, at, start, class)
				default:
					inside++
				}
			}
		}
		if inside < 500 || arrays < 100 || outside < 100 {
			t.Errorf("%s: %d in objects, %d in arrays, %d in none", dump, inside, arrays, outside)
		}
	}
}

// When the budget is used up, pointers stand in no object.
func TestObjectBudget(t *testing.T) {
	t.Parallel()
	h := managedHunt(t, "core31-x64")
	h.images.scanned = objectBudget
	find := objectFinder{images: h.images}
	for _, r := range h.space.scan {
		if start, class := find.at(uint64(r.Start) + 0x100); start != 0 || class != nil {
			t.Errorf("0x%x %+v", start, class)
		}
	}
}
