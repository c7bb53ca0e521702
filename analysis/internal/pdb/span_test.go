package pdb

import (
	"errors"
	"math/rand"
	"testing"
)

// first is what spans have to answer: the first record of the list that covers an address.
func first(items []item, a address) (int, bool) {
	for i, it := range items {
		if it.start.seg == a.seg && uint64(it.start.off) <= uint64(a.off) && uint64(a.off) < uint64(it.start.off)+uint64(it.length) {
			return i, true
		}
	}
	return 0, false
}

// TestSpansLikeBruteForce has functions that overlap, nest, touch and have no code at all, in any order.
func TestSpansLikeBruteForce(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewSource(1))
	for round := range 300 {
		items := make([]item, rnd.Intn(120))
		if round == 0 {
			items = make([]item, 10_000)
		}
		for i := range items {
			items[i].start = address{uint16(1 + rnd.Intn(2)), uint32(rnd.Intn(100))}
			items[i].length = uint32(rnd.Intn(1 + rnd.Intn(30)))
			items[i].off = uint32(i)
		}
		if round%10 == 1 && len(items) > 0 {
			items[0].start, items[0].length = address{1, 0xfffffff0}, 0x20 // past the end of what a section can have
		}
		var l list
		for _, it := range items {
			l.add(it)
		}
		s := l.spans()
		for i := range s {
			if i > 0 && s[i].start.key() < s[i-1].end() || s[i].length == 0 {
				t.Fatalf("round %d: %+v after %+v", round, s[i], s[i-1])
			}
		}
		for range 600 {
			a := address{uint16(rnd.Intn(4)), uint32(rnd.Intn(140))}
			if rnd.Intn(20) == 0 {
				a.off = 0xfffffff0 + uint32(rnd.Intn(16))
			}
			want, wantOK := first(items, a)
			got, ok := s.find(a)
			if ok != wantOK || ok && (int(got.off) != want || got.origin() != items[want].start) {
				t.Fatalf("round %d: find(%v) = %d, %v; want %d, %v", round, a, got.off, ok, want, wantOK)
			}
		}
	}
}

// TestSearch asks for entries in any order, each time from where the search before ended.
func TestSearch(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewSource(2))
	for n := range int64(40) {
		var h hint
		probes, last := 0, int64(0)
		for round := range 300 {
			want := rnd.Int63n(n + 1)
			if round >= 150 {
				want = min(last+rnd.Int63n(2), n) // in ascending order
			}
			if round == 150 {
				want, probes = 0, 0
			}
			got, err := h.search(n, func(i int64) (bool, error) {
				probes++
				return i < want, nil
			})
			if got != want || err != nil {
				t.Fatalf("%d entries: %d, %v; want %d", n, got, err, want)
			}
			last = want
		}
		if probes > 3*150 {
			t.Errorf("%d entries: %d looked at for 150 in ascending order", n, probes)
		}
		if _, err := h.search(n, func(int64) (bool, error) { return false, errDamage }); n > 0 && !errors.Is(err, errDamage) {
			t.Errorf("%d entries: %v", n, err)
		}
	}
}

var errDamage = errors.New("damage")

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
	s := &stream{m: m, name: "memory", size: int64(len(data))}
	for i := range blocks {
		s.blocks = append(s.blocks, uint32(i))
	}
	file := append(data, make([]byte, blocks*bs-len(data))...)
	m.numBlocks, m.r = uint32(blocks), bytesAt(file)
	return s
}

type bytesAt []byte

func (b bytesAt) ReadAt(p []byte, off int64) (int, error) { return copy(p, b[off:]), nil }
