package pdb

import (
	"errors"
	"math/rand"
	"testing"
)

// recordSize is the size of the records of a list that is not there: its index
// reads nothing itself.
const recordSize = 512

// listOf makes an index of items in the order of a list. Walking past the
// record at broken fails.
func listOf(items []item, broken int) (*index, *int) {
	walked := 0
	s := &stream{name: "list", size: 8 + recordSize*int64(len(items))}
	x := newIndex(s, 8, s.size, func(w *window, stop int64, _ bool, visit func(item)) error {
		for w.left() > 0 && w.off < stop {
			i := int(w.off-8) / recordSize
			if i == broken {
				return errDamage
			}
			it := items[i]
			it.off = uint32(i)
			visit(it)
			w.skip(recordSize)
			walked++
		}
		return nil
	})
	return &x, &walked
}

var errDamage = errors.New("damage")

// first is what an index has to answer: the first of the list.
func first(items []item, a address) (int, bool) {
	for i, it := range items {
		if it.start.seg == a.seg && uint64(it.start.off) <= uint64(a.off) && uint64(a.off) < uint64(it.start.off)+uint64(it.length) {
			return i, true
		}
	}
	return 0, false
}

// TestIndexLikeBruteForce has functions that overlap, nest, touch and have no
// code at all, in any order, and asks for all addresses in any order, before and
// after the records are sorted.
func TestIndexLikeBruteForce(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewSource(1))
	for round := range 60 {
		items := make([]item, rnd.Intn(120))
		for i := range items {
			items[i].start = address{uint16(1 + rnd.Intn(2)), uint32(rnd.Intn(100))}
			items[i].length = uint32(rnd.Intn(1 + rnd.Intn(30)))
		}
		if round%10 == 0 && len(items) > 0 {
			items[0].start, items[0].length = address{1, 0xfffffff0}, 0x10 // to the end of what a section can have
		}
		x, _ := listOf(items, -1)
		sorted := false
		for range 600 {
			a := address{uint16(rnd.Intn(4)), uint32(rnd.Intn(140))}
			if rnd.Intn(20) == 0 {
				a.off = 0xfffffff0 + uint32(rnd.Intn(16))
			}
			want, wantOK := first(items, a)
			got, ok, err := x.find(a)
			if err != nil || ok != wantOK || ok && int(got.off) != want {
				t.Fatalf("round %d, sorted %v: find(%v) = %d, %v, %v; want %d, %v", round, x.sorted != nil, a, got.off, ok, err, want, wantOK)
			}
			sorted = sorted || x.sorted != nil
		}
		if len(items) > 60 && !sorted {
			t.Errorf("round %d: %d records were never sorted", round, len(items))
		}
	}
}

// TestIndexWalksLittle asks for the same few addresses: the list is not walked
// through for each.
func TestIndexWalksLittle(t *testing.T) {
	t.Parallel()
	items := make([]item, 2000)
	for i := range items {
		items[i] = item{rng: rng{start: address{1, uint32(i * 16)}, length: 16}}
	}
	x, walked := listOf(items, -1)
	if _, ok, err := x.find(address{1, 5}); !ok || err != nil || *walked > pieceSize/recordSize {
		t.Errorf("the first record: %v, %v, after %d records", ok, err, *walked)
	}
	if _, ok, err := x.find(address{1, 1999 * 16}); !ok || err != nil || *walked > len(items)+pieceSize/recordSize {
		t.Errorf("the last record: %v, %v, after %d records", ok, err, *walked)
	}
	before := *walked
	if _, ok, err := x.find(address{2, 0}); ok || err != nil || *walked != before {
		t.Errorf("nowhere: %v, %v, after %d records more", ok, err, *walked-before)
	}
	for range 10_000 {
		x.find(address{1, 777 * 16})
	}
	if again := *walked - before; again > 3*len(items)+pieceSize/recordSize {
		t.Errorf("%d records walked through for 10,000 questions about one of %d", again, len(items))
	}
}

// TestIndexDamage has a list that is broken in the middle: what lies before is
// found, again and again, and everything else is the error.
func TestIndexDamage(t *testing.T) {
	t.Parallel()
	items := make([]item, 100)
	for i := range items {
		items[i] = item{rng: rng{start: address{1, uint32(i * 16)}, length: 16}}
	}
	x, _ := listOf(items, 50)
	if err := x.all(); !errors.Is(err, errDamage) {
		t.Errorf("all: %v", err)
	}
	whole := 50 / (pieceSize / recordSize) * (pieceSize / recordSize) // pieces before that of the damage
	for range 50 {
		for i := range items {
			_, ok, err := x.find(address{1, uint32(i * 16)})
			if i < whole && (!ok || err != nil) || i >= 50 && (ok || !errors.Is(err, errDamage)) {
				t.Fatalf("record %d: %v, %v", i, ok, err)
			}
		}
	}
}

// TestWindow reads a stream in pieces, and over their borders.
func TestWindow(t *testing.T) {
	t.Parallel()
	data := make([]byte, 3*lastPiece)
	for i := range data {
		data[i] = byte(i ^ i>>8 ^ i>>16)
	}
	s := memoryStream(data)
	w := s.window(5, int64(len(data))-3)
	rnd := rand.New(rand.NewSource(2))
	at := 5
	for w.left() > 0 {
		if w.left() != int64(len(data)-3-at) {
			t.Fatalf("%d left at %d", w.left(), at)
		}
		n := 1 + rnd.Intn(3000)
		if rnd.Intn(50) == 0 {
			n = 1 + rnd.Intn(300_000)
		}
		n = min(n, int(w.left()))
		b, err := w.peek(n)
		if err != nil || string(b) != string(data[at:at+n]) {
			t.Fatalf("peek(%d) at %d: %d bytes, %v", n, at, len(b), err)
		}
		if b, err = w.ahead(n); err != nil || len(b) < n || string(b) != string(data[at:at+len(b)]) || at+len(b) > len(data)-3 {
			t.Fatalf("ahead(%d) at %d: %d bytes, %v", n, at, len(b), err)
		}
		if _, err := w.peek(int(w.left()) + 1); err == nil {
			t.Fatal("more than is left")
		}
		skip := 1 + rnd.Intn(n)
		w.skip(int64(skip))
		at += skip
	}
	if w.skip(10); w.left() != 0 {
		t.Errorf("%d left behind the end", w.left())
	}
}

// memoryStream is a stream of the only blocks of a file, in order.
func memoryStream(data []byte) *stream {
	const bs = 512
	blocks := (len(data) + bs - 1) / bs
	m := &msf{blockSize: bs}
	var directory []byte
	for i := range blocks {
		directory = append(directory, byte(i), byte(i>>8), byte(i>>16), 0)
	}
	file := append(data, make([]byte, blocks*bs-len(data))...)
	for off := 0; off < len(directory); off += bs {
		m.dir = append(m.dir, uint32(len(file)/bs))
		file = append(file, directory[off:min(off+bs, len(directory))]...)
		file = append(file, make([]byte, (bs-len(file)%bs)%bs)...)
	}
	m.dirSize, m.numBlocks, m.r = int64(len(directory)), uint32(len(file)/bs), bytesAt(file)
	return &stream{m: m, name: "memory", size: int64(len(data))}
}

type bytesAt []byte

func (b bytesAt) ReadAt(p []byte, off int64) (int, error) { return copy(p, b[off:]), nil }
