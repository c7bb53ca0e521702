package minidump_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

var errBadSector = errors.New("bad sector")

// faulty is a file whose bytes from bad to end cannot be read: a read that
// touches one fails, after the bytes before it or, with whole set, without any.
type faulty struct {
	data     []byte
	bad, end int64
	whole    bool
}

func (r faulty) ReadAt(p []byte, off int64) (int, error) {
	if off < r.end && off+int64(len(p)) > r.bad {
		if r.whole || off >= r.bad {
			return 0, errBadSector
		}
		return copy(p, r.data[off:r.bad]), errBadSector
	}
	return bytes.NewReader(r.data).ReadAt(p, off)
}

func openFaulty(t *testing.T, r faulty) *minidump.File {
	t.Helper()
	f, err := minidump.NewFile(r, int64(len(r.data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// longLists is a dump whose three long lists fill several windows each.
func longLists(t *testing.T) (data []byte, layout map[string]int64) {
	t.Helper()
	d := dumptest.Dump{HandleData: &dumptest.HandleData{}, HandleOperations: &dumptest.HandleOperationList{}, MemoryInfos: &dumptest.MemoryInfoList{}}
	for i := range 15_000 {
		d.HandleData.Handles = append(d.HandleData.Handles, dumptest.Handle{Value: uint64(4 * i), Type: "Key", Name: fmt.Sprint(i), GrantedAccess: 1})
		d.MemoryInfos.Regions = append(d.MemoryInfos.Regions, dumptest.MemoryInfo{BaseAddress: uint64(i) << 12})
	}
	for i := range 2500 {
		d.HandleOperations.Operations = append(d.HandleOperations.Operations, dumptest.HandleOperation{Handle: uint64(4 * i), Stack: []uint64{uint64(i + 1)}})
	}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	return d.Bytes(), layout
}

// step is what one step of an iteration gave.
type step struct {
	Key        uint64
	Unreadable bool
}

// steps walks a list of the file and returns what it gave and what Len says.
var lists = []struct {
	name   string
	anchor string
	header int64
	size   int64 // of a record
	steps  func(f *minidump.File) ([]step, int, error)
}{
	{"handles", "HandleData", 16, 40, func(f *minidump.File) (got []step, n int, err error) {
		l, err := f.HandleData()
		if err != nil {
			return nil, 0, err
		}
		for h, err := range l.Only(0) {
			got = append(got, step{h.Handle, errors.Is(err, minidump.ErrUnreadable) && errors.Is(err, errBadSector)})
		}
		n, err = l.Len()
		return got, n, err
	}},
	{"operations", "HandleOperationList", 16, 288, func(f *minidump.File) (got []step, n int, err error) {
		l, err := f.HandleOperations()
		if err != nil {
			return nil, 0, err
		}
		for o, err := range l.All() {
			got = append(got, step{o.Handle + uint64(o.ReturnAddresses[0]), errors.Is(err, minidump.ErrUnreadable) && errors.Is(err, errBadSector)})
		}
		n, err = l.Len()
		return got, n, err
	}},
	{"regions", "MemoryInfoList", 16, 48, func(f *minidump.File) (got []step, n int, err error) {
		l, err := f.MemoryInfos()
		if err != nil {
			return nil, 0, err
		}
		for m, err := range l.All() {
			got = append(got, step{uint64(m.BaseAddress), errors.Is(err, minidump.ErrUnreadable) && errors.Is(err, errBadSector)})
		}
		n, err = l.Len()
		return got, n, err
	}},
}

// TestBadSectors has bytes that cannot be read at all edges of records, pieces
// and windows. What lies on them is lost, and nothing else.
func TestBadSectors(t *testing.T) {
	t.Parallel()
	data, layout := longLists(t)
	const piece, window = 4 << 10, 256 << 10
	for _, l := range lists {
		intact, n, err := l.steps(openFaulty(t, faulty{data: data}))
		if err != nil || n != len(intact) || n < 2500 {
			t.Fatalf("%s: %d steps, Len() = %d, %v", l.name, len(intact), n, err)
		}
		first := layout[l.anchor] + l.header
		perWindow := window / l.size
		end := first + int64(n)*l.size
		for _, bad := range []struct{ from, to int64 }{
			{first, first + 1},
			{first + l.size - 1, first + l.size},
			{first + perWindow*l.size - 1, first + perWindow*l.size + 1}, // both sides of a window's edge
			{(first/piece + 3) * piece, (first/piece + 3) * piece},       // nothing
			{(first/piece + 3) * piece, (first/piece + 4) * piece},       // one piece
			{(first/piece+3)*piece - 1, (first/piece+4)*piece + 1},       // and a byte on both sides
			{end - 1, end},
			{first, end},
		} {
			for _, whole := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %#x to %#x, %v", l.name, bad.from-first, bad.to-first, whole), func(t *testing.T) {
					// A piece that fails without any of its bytes is lost from its start.
					// Pieces end with the window, too.
					from, to := bad.from, bad.to
					want := slices.Clone(intact)
					for i := range want {
						start := first + int64(i)*l.size
						stop := start + l.size
						in := first + int64(i)/perWindow*perWindow*l.size // of the window
						if to <= in || from >= in+perWindow*l.size {
							continue // the window is read at once
						}
						lost := false
						for at := start; at < stop && !lost; at++ {
							p := max(at/piece*piece, in)
							q := min(at/piece*piece+piece, in+perWindow*l.size, end)
							if from < q && to > p { // its piece fails
								lost = whole || at >= from
							}
						}
						if lost {
							want[i] = step{0, true}
						}
					}
					got, n, err := l.steps(openFaulty(t, faulty{data, bad.from, bad.to, whole}))
					if n != len(intact) || err != nil {
						t.Errorf("Len() = %d, %v", n, err)
					}
					if !slices.Equal(want, got) {
						t.Errorf("(-want +got):\n%s", cmp.Diff(want, got))
					}
				})
			}
		}
	}
}

// TestBadSectorsEndEarly leaves the loop on a record that cannot be read.
func TestBadSectorsEndEarly(t *testing.T) {
	data, layout := longLists(t)
	first := layout["HandleData"] + 16
	hd, err := openFaulty(t, faulty{data: data, bad: first, end: first + 100_000}).HandleData()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range hd.All() {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d steps after break at 2", n)
	}
}

// TestSliceAndAll must agree in count, also when the list is cut off and some of
// it cannot be read, and the error of Slice says both.
func TestSliceAndAll(t *testing.T) {
	data, layout := longLists(t)
	first := layout["HandleData"] + 16
	cut := data[:first+40*9000+39]
	f := openFaulty(t, faulty{data: cut, bad: first + 40, end: first + 41})
	hd, err := f.HandleData()
	if err != nil {
		t.Fatal(err)
	}
	n, short := hd.Len()
	if n != 9000 || short == nil {
		t.Errorf("Len() = %d, %v", n, short)
	}
	steps := 0
	for h, err := range hd.All() {
		if h == nil {
			t.Fatal("a nil handle")
		}
		if steps > 0 && steps < 8999 && err == nil && h.Handle != uint64(4*steps) {
			t.Errorf("step %d is handle %#x", steps, h.Handle)
		}
		steps++
	}
	slice, err := hd.Slice()
	if steps != n || len(slice) != n {
		t.Errorf("%d steps, %d in the slice, Len() = %d", steps, len(slice), n)
	}
	var format *minidump.FormatError
	if !errors.Is(err, minidump.ErrUnreadable) || !errors.Is(err, errBadSector) || !errors.As(err, &format) {
		t.Errorf("Slice: %v", err)
	}
	want := fmt.Sprintf("HandleDataStream: file offset %#x: reading handle descriptors: the record could not be read: bad sector; "+
		"HandleDataStream: file offset %#x: 15000 handle descriptors of 40 bytes declared, but the file ends after 9000", first+40, first+40*9000)
	if err.Error() != want {
		t.Errorf("Slice: %v\nwant   %s", err, want)
	}
}

// TestListsWithBadSectors keeps the threads that can be read.
func TestListsWithBadSectors(t *testing.T) {
	d := dumptest.Dump{}
	for i := range 500 {
		d.Threads = append(d.Threads, dumptest.Thread{ThreadID: uint32(i)})
	}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	bad := layout["ThreadList[300]"]
	threads, err := openFaulty(t, faulty{data: d.Bytes(), bad: bad, end: bad + 1}).Threads()
	if !errors.Is(err, errBadSector) || len(threads) < 400 || len(threads) > 499 {
		t.Errorf("%d threads, %v", len(threads), err)
	}
	for i, th := range threads[:299] {
		if th.ThreadID != uint32(i) {
			t.Errorf("thread %d is %d", i, th.ThreadID)
		}
	}
	if last := threads[len(threads)-1].ThreadID; last != 499 {
		t.Errorf("the last thread is %d", last)
	}
}

// TestBadSectorsInNames costs the names that lie there, and no others: neither
// those that are read ahead with them nor those of other lists.
func TestBadSectorsInNames(t *testing.T) {
	data, layout := longLists(t)
	bad := layout["HandleData[7000].ObjectName"] + 5
	for _, whole := range []bool{false, true} {
		hd, err := openFaulty(t, faulty{data, bad, bad + 1, whole}).HandleData()
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for h, err := range hd.All() {
			want := fmt.Sprint(i)
			if i == 7000 {
				want = ""
			}
			if h.Handle != uint64(4*i) || h.TypeName != "Key" || h.ObjectName != want || (err != nil) != (i == 7000) {
				t.Errorf("handle %d: %+v, %v", i, *h, err)
			}
			if err != nil && (!errors.Is(err, errBadSector) || errors.Is(err, minidump.ErrUnreadable)) {
				t.Errorf("handle %d: %v", i, err)
			}
			i++
		}
	}
}

// TestBadSectorBehindAName is met when names of modules are read ahead.
func TestBadSectorBehindAName(t *testing.T) {
	d := dumptest.Dump{Modules: []dumptest.Module{{Name: "a.dll"}, {Name: "b.dll"}}}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		off  int64 // from the start of the second name
		want []string
	}{
		{-1, []string{"a.dll", "b.dll"}}, // the terminator of the first, which is not read
		{0, []string{"a.dll", ""}},
		{4 + 9, []string{"a.dll", ""}},
		{4 + 10, []string{"a.dll", "b.dll"}},
	} {
		bad := layout["ModuleList[1].Name"] + tt.off
		modules, err := openFaulty(t, faulty{data: d.Bytes(), bad: bad, end: bad + 1}).Modules()
		var got []string
		for _, m := range modules {
			got = append(got, m.ModuleName)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%d: (-want +got):\n%s", tt.off, diff)
		}
		if lost := tt.want[1] == ""; errors.Is(err, errBadSector) != lost || (err != nil) != lost {
			t.Errorf("%d: %v", tt.off, err)
		}
	}
}

// TestShortReaders end before the size that NewFile was given.
func TestShortReaders(t *testing.T) {
	data, layout := longLists(t)
	first := layout["HandleData"] + 16
	f, err := minidump.NewFile(bytes.NewReader(data[:first+40*100]), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	hd, err := f.HandleData()
	if err != nil {
		t.Fatal(err)
	}
	readable := 0
	for _, err := range hd.Only(0) {
		if err == nil {
			readable++
		} else if !errors.Is(err, minidump.ErrUnreadable) || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
	}
	if n, err := hd.Len(); readable != 100 || n != 15_000 || err != nil {
		t.Errorf("%d handles can be read; Len() = %d, %v", readable, n, err)
	}
}
