package analysis

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestHandleCoding(t *testing.T) {
	for _, h := range []minidump.Handle{
		{},
		{Handle: 1<<64 - 1, Attributes: 1, GrantedAccess: 1<<32 - 1, HandleCount: 3, PointerCount: 1 << 31},
		{Handle: 4, TypeName: "Key", ObjectName: "\\REGISTRY\x00\ufffd"},
		{Handle: 8, TypeName: "Mutant", ObjectInfo: []minidump.ObjectInformation{
			{InfoType: 2, Data: []byte{1, 2, 3}}, {InfoType: 3}, {InfoType: 1 << 31, Data: make([]byte, 4096)},
		}},
	} {
		b := appendHandle(nil, &h)
		var got minidump.Handle
		if ok := decodeHandle(b, &got); !ok {
			t.Errorf("%+v is not decoded", h)
		}
		if diff := gocmp.Diff(h, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for n := range b {
			var part minidump.Handle
			if decodeHandle(b[:n], &part) && gocmp.Equal(part, h) {
				t.Errorf("%d of %d bytes give the same handle", n, len(b))
			}
		}
	}
}

// manyNames is a list of n handles, each with a name of its own that is in no
// order, and some with object information.
func manyNames(tb testing.TB, n int) *HandleList {
	tb.Helper()
	r, err := dumptest.Dump{HandleData: &dumptest.HandleData{
		Each: dumptest.GenerateHandles(n, func(i int) dumptest.Handle {
			h := dumptest.Handle{
				Value: uint64(i+1) * 4, Type: "Event", GrantedAccess: uint32(i % 7),
				Name: fmt.Sprintf(`\BaseNamedObjects\%08x`, uint32(i)*0x9e3779b1),
			}
			if i%5 == 0 {
				h.Info = []dumptest.ObjectInformation{dumptest.EventInformation{Set: i%2 == 0}}
			}
			return h
		}),
	}}.Reader()
	if err != nil {
		tb.Fatal(err)
	}
	f, err := minidump.NewFile(r, r.Size())
	if err != nil {
		tb.Fatal(err)
	}
	l, err := ReadHandles(f)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// TestListingSpills sorts more handles than are kept in memory.
func TestListingSpills(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	l := manyNames(t, 200_000)
	var all []minidump.Handle
	l.Walk(t.Context(), minidump.HandleAllParts, func(h *minidump.Handle) bool {
		all = append(all, *h)
		return true
	})
	for _, order := range []string{"name", "access"} {
		for _, limit := range []uint64{0, 100, 150_000} {
			want := slices.Clone(all)
			slices.SortStableFunc(want, func(a, b minidump.Handle) int { return handleOrders[order].compare(&a, &b) })
			want = want[:cmp.Or(int(limit), len(want))]
			listing, err := l.Listing(minidump.HandleAllParts, order, limit)
			if err != nil {
				t.Fatal(err)
			}
			i := 0
			err = listing.Walk(t.Context(), func(h *minidump.Handle) bool {
				if i < len(want) && !bytes.Equal(appendHandle(nil, &want[i]), appendHandle(nil, h)) {
					t.Fatalf("by %s, limit %d: handle %d is %+v, want %+v", order, limit, i, *h, want[i])
				}
				i++
				return true
			})
			if err != nil || i != len(want) {
				t.Errorf("by %s, limit %d: %d handles, want %d; %v", order, limit, i, len(want), err)
			}
		}
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	absent := os.Getenv("TMPDIR") + "/absent"
	t.Setenv("TMPDIR", absent)
	t.Setenv("TMP", absent)
	listing, _ := l.Listing(minidump.HandleAllParts, "name", 0)
	err := listing.Walk(t.Context(), func(*minidump.Handle) bool {
		t.Error("a handle though the sort failed")
		return false
	})
	var unsorted *SortError
	if !errors.As(err, &unsorted) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// BenchmarkListing sorts handles that all have a name of their own.
// Ten million take part unless -short is given.
func BenchmarkListing(b *testing.B) {
	sizes := []int{66_316, 1_000_000, 10_000_000}
	if testing.Short() {
		sizes = sizes[:2]
	}
	for _, n := range sizes {
		l := manyNames(b, n)
		for _, limit := range []uint64{20, 0} {
			b.Run(fmt.Sprintf("limit=%d/%d", limit, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					listing, err := l.Listing(minidump.HandleAllParts, "name", limit)
					if err != nil {
						b.Fatal(err)
					}
					if err := listing.Walk(context.Background(), func(*minidump.Handle) bool { return true }); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/handle")
			})
		}
	}
}
