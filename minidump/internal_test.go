package minidump

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"testing"
)

// TestCursor reads every kind of value, and past the end.
func TestCursor(t *testing.T) {
	data := []byte{
		0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
		0xfe, 0xff, 0xff, 0xff, 0x00, 0x01, 1, 0, 0, 0, 2, 0, 0, 0, 9, 9,
	}
	c := &cursor{buf: data, off: 100, stream: HandleDataStream}
	if a, b, d, e := c.u8(), c.u16(), c.u32(), c.u64(); a != 1 || b != 0x0302 || d != 0x07060504 || e != 0x0f0e0d0c0b0a0908 {
		t.Errorf("%#x %#x %#x %#x", a, b, d, e)
	}
	if i := c.i32(); i != -2 {
		t.Errorf("i32: %d", i)
	}
	if c.bool8() || !c.bool8() {
		t.Error("bool8")
	}
	if l := c.location(); l != (Location{DataSize: 1, RVA: 2}) {
		t.Errorf("location: %+v", l)
	}
	if n := c.left(); n != 2 || !c.ok() {
		t.Errorf("%d left, %v", n, c.err)
	}
	// What does not fit leaves an error; after it even what would fit is zero.
	values := map[string]func() any{
		"u8": func() any { return c.u8() }, "u16": func() any { return c.u16() }, "u32": func() any { return c.u32() },
		"u64": func() any { return c.u64() }, "i32": func() any { return c.i32() }, "va": func() any { return c.va() },
		"4": func() any { return c.ptr(4) }, "8": func() any { return c.ptr(8) }, "bool8": func() any { return c.bool8() },
		"take": func() any { return len(c.take(1)) },
	}
	for name, read := range values {
		c = &cursor{buf: data, pos: len(data) - 2, off: 100, stream: HandleDataStream}
		c.skip(3)
		if v := fmt.Sprint(read()); v != "0" && v != "0x0" && v != "false" {
			t.Errorf("%s after an error: %s", name, v)
		}
		want := "HandleDataStream: file offset 0x81: 3 more bytes needed, 2 left"
		if c.ok() || c.err.Error() != want {
			t.Errorf("%s: %v, want %s", name, c.err, want)
		}
	}
	c = &cursor{buf: data[:8]}
	if a, b := c.ptr(4), c.left(); a != 0x04030201 || b != 4 {
		t.Errorf("a pointer of 4 bytes: %#x, %d left", a, b)
	}
	c = &cursor{buf: data[:8]}
	if a, b := c.ptr(8), string(c.rest()); a != 0x0807060504030201 || b != "" || !c.ok() {
		t.Errorf("a pointer of 8 bytes: %#x, %q left", a, b)
	}
}

func utf16le(s string) []byte {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r), byte(r>>8))
	}
	return b
}

// TestStringCache wants strings that were seen twice to be found again, without an
// allocation, and others to be right.
func TestStringCache(t *testing.T) {
	c := newStringCache(1 << 20)
	if _, ok := c.byRVA(0x1234); ok {
		t.Error("an empty cache knows an RVA")
	}
	c.keep(0x1234, "Key")
	if s, ok := c.byRVA(0x1234); !ok || s != "Key" {
		t.Errorf("byRVA: %q, %v", s, ok)
	}
	if s, ok := c.byRVA(0x1235); ok {
		t.Errorf("byRVA of another: %q", s)
	}
	for _, text := range []string{"", "a", "Key", "Event", "日本", strings.Repeat("x", maxCached/2), strings.Repeat("y", maxCached/2+1)} {
		p := utf16le(text)
		for range 2 {
			if got := c.intern(p); got != text {
				t.Errorf("intern: %q, want %q", got, text)
			}
		}
		allocs := testing.AllocsPerRun(10, func() { c.intern(p) })
		if known := len(p) <= maxCached; known && allocs != 0 {
			t.Errorf("a string of %d bytes that was seen costs %v allocations", len(p), allocs)
		}
	}
	// A thousand names fit; so do those that look alike to the short way.
	var names [][]byte
	for i := range 1000 {
		names = append(names, utf16le(fmt.Sprintf("Key %04d x", i)))
	}
	for range 2 { // what came once is not kept yet
		for _, p := range names {
			c.intern(p)
		}
	}
	lost := 0
	for i, p := range names {
		lost += int(testing.AllocsPerRun(1, func() { c.intern(p) }))
		if got, want := c.intern(p), fmt.Sprintf("Key %04d x", i); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if lost > 100 {
		t.Errorf("%d of 1000 names were not found again", lost)
	}
	// Four neighbours share a place, and the one that came last goes first.
	c = newStringCache(1 << 20)
	set := func(p []byte) uint64 { return maphash.Bytes(c.seed, p) % uint64(len(c.texts)/4) }
	same := names[:1:1]
	for i := 0; len(same) < 5; i++ {
		if p := utf16le(fmt.Sprintf("Event %06d", i)); set(p) == set(same[0]) {
			same = append(same, p)
		}
	}
	found := func(p []byte) bool {
		c.short = [256]rawString{}
		return testing.AllocsPerRun(1, func() { c.short = [256]rawString{}; c.intern(p) }) == 0 // the first run is not counted, but it keeps p
	}
	for _, p := range same {
		c.intern(p)
		c.intern(p)
	}
	at := set(same[0]) * 4
	for i, want := range []string{string(same[4]), string(same[3]), string(same[2]), string(same[1])} {
		if got := c.texts[at:][i].raw; got != want {
			t.Errorf("neighbour %d is %q, want %q", i, got, want)
		}
	}
	if !found(same[1]) {
		t.Error("the oldest of four is not found")
	}
	// Lengths and characters that the short way tells apart.
	seen := map[uint8]bool{}
	for _, s := range []string{"Key", "Event", "File", "Thread", "Semaphore", "Section", "Mutant", "Process", "Token", "Timer"} {
		seen[shortSlot(utf16le(s))] = true
	}
	if len(seen) < 9 {
		t.Errorf("10 types share %d slots", len(seen))
	}
	for _, odd := range [][]byte{{}, {1}, {1, 2, 3}} {
		shortSlot(odd) // must not panic
	}
}

// countedReads counts the reads of a file and where they were.
type countedReads struct {
	*bytes.Reader
	reads []string
	fail  error
}

func (r *countedReads) ReadAt(p []byte, off int64) (int, error) {
	r.reads = append(r.reads, fmt.Sprintf("%d+%d", off, len(p)))
	if r.fail != nil {
		return 0, r.fail
	}
	return r.Reader.ReadAt(p, off)
}

// TestWindows wants few reads for bytes that lie one behind the other, and small
// ones for those that are scattered.
func TestWindows(t *testing.T) {
	data := make([]byte, 3<<20)
	for i := range data {
		data[i] = byte(i ^ i>>8 ^ i>>16)
	}
	type read struct {
		off int64
		n   int
	}
	for _, tt := range []struct {
		name  string
		reads []read
		want  []string
	}{
		{"the same again", []read{{1000, 4}, {1000, 4}, {1004, 508}}, []string{"1000+512"}},
		{"one behind the other", []read{{0, 512}, {512, 1024}, {1536, 2048}, {3584, 4}}, []string{"0+512", "512+1024", "1536+2048", "3584+4096"}},
		{"one that is longer than its window", []read{{0, 512}, {512, 5000}, {5512, 1}}, []string{"0+512", "512+5000", "5512+10000"}},
		{"over the end of a window", []read{{0, 4}, {510, 4}}, []string{"0+512", "510+1024"}},
		{"a little behind a window", []read{{0, 4}, {1023, 4}}, []string{"0+512", "1023+1024"}},
		{"more from the start of a window", []read{{0, 512}, {0, 600}, {600, 400}}, []string{"0+512", "0+1024"}},
		{"far behind a window", []read{{0, 4}, {1024, 4}}, []string{"0+512", "1024+512"}},
		{"before a window", []read{{2000, 4}, {1999, 4}}, []string{"2000+512", "1999+512"}},
		{"four places at once", []read{{0, 4}, {10000, 4}, {20000, 4}, {30000, 4}, {4, 4}, {10004, 4}, {20004, 4}, {30004, 4}},
			[]string{"0+512", "10000+512", "20000+512", "30000+512"}},
		{"the oldest goes first", []read{{0, 4}, {10000, 4}, {20000, 4}, {30000, 4}, {4, 4}, {40000, 4}, {8, 4}, {20000, 4}, {10000, 4}},
			[]string{"0+512", "10000+512", "20000+512", "30000+512", "40000+512", "10000+512"}},
		{"the end of the file", []read{{3<<20 - 4, 4}, {3<<20 - 1, 1}}, []string{"3145724+4"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &countedReads{Reader: bytes.NewReader(data)}
			w := newWindows(r, int64(len(data)))
			for _, read := range tt.reads {
				got, err := w.at(read.off, read.n)
				if err != nil || !bytes.Equal(got, data[read.off:][:read.n]) {
					t.Errorf("%d bytes at %d are wrong, %v", read.n, read.off, err)
				}
			}
			if got, want := strings.Join(r.reads, " "), strings.Join(tt.want, " "); got != want {
				t.Errorf("reads %s, want %s", got, want)
			}
		})
	}
	// Windows grow up to windowMax.
	r := &countedReads{Reader: bytes.NewReader(data)}
	w := newWindows(r, int64(len(data)))
	for off := int64(0); off < 2<<20; off += 64 {
		if _, err := w.at(off, 64); err != nil {
			t.Fatal(err)
		}
	}
	if last := r.reads[len(r.reads)-1]; len(r.reads) != 17 || !strings.HasSuffix(last, "+262144") {
		t.Errorf("%d reads for 2 MiB, the last %s", len(r.reads), last)
	}
}

// TestWindowsThatFail leave nothing behind that a later read would take for data.
func TestWindowsThatFail(t *testing.T) {
	cause := errors.New("bad sector")
	r := &countedReads{Reader: bytes.NewReader(make([]byte, 4096)), fail: cause}
	w := newWindows(r, 4096)
	if p, err := w.at(100, 4); p != nil || !errors.Is(err, cause) {
		t.Errorf("%v, %v", p, err)
	}
	if got := strings.Join(r.reads, " "); got != "100+512 100+4" {
		t.Errorf("reads %s: what was asked for must be tried alone", got)
	}
	if p, err := w.at(100, 600); p != nil || !errors.Is(err, cause) || len(r.reads) != 3 {
		t.Errorf("%v, %v, %s", p, err, r.reads)
	}
	r.fail = nil
	if p, err := w.at(100, 4); len(p) != 4 || err != nil {
		t.Errorf("%v, %v", p, err)
	}
}

func TestJoinErrors(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	if JoinErrors(nil, nil) != nil || JoinErrors(a, nil) != a || JoinErrors(nil, b) != b {
		t.Error("join of one")
	}
	if both := JoinErrors(a, b); !errors.Is(both, a) || !errors.Is(both, b) || both.Error() != "a; b" {
		t.Errorf("join of two: %v", both)
	}
}
