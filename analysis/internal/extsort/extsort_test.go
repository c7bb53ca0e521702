package extsort

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

type pair struct{ Key, Arrival uint32 }

var pairs = Values[pair]{
	Compare: func(a, b *pair) int { return cmp.Compare(a.Key, b.Key) },
	Size:    func(*pair) int { return 8 },
	Append: func(b []byte, p *pair) []byte {
		return binary.AppendUvarint(binary.AppendUvarint(b, uint64(p.Key)), uint64(p.Arrival))
	},
	Decode: func(b []byte, p *pair) bool {
		key, n := binary.Uvarint(b)
		arrival, m := binary.Uvarint(b[max(n, 0):])
		*p = pair{uint32(key), uint32(arrival)}
		return n > 0 && m > 0 && n+m == len(b)
	},
}

// keys are n keys, many of them equal.
func keys(n int) []pair {
	random := rand.New(rand.NewPCG(1, 2))
	list := make([]pair, n)
	for i := range list {
		list[i] = pair{random.Uint32N(uint32(n/4 + 1)), uint32(i)}
	}
	return list
}

func sorted(t *testing.T, list []pair, limit uint64, memory int) (got []pair, runs int) {
	t.Helper()
	s := New(pairs, limit, memory)
	defer s.Close()
	for i := range list {
		if err := s.Add(&list[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Each(t.Context(), func(p *pair) bool {
		got = append(got, *p)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return got, len(s.runs)
}

func TestSort(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	rising := keys(20_000)
	slices.SortStableFunc(rising, func(a, b pair) int { return pairs.Compare(&a, &b) })
	falling := slices.Clone(rising)
	slices.Reverse(falling)
	for name, list := range map[string][]pair{
		"none": nil, "one": keys(1), "random": keys(20_000), "rising": rising, "falling": falling,
	} {
		for _, limit := range []uint64{0, 1, 20, 3_000, 19_999, 20_000, 1 << 40} {
			for _, memory := range []int{Memory, 1 << 10, 64 << 10} {
				want := slices.Clone(list)
				slices.SortStableFunc(want, func(a, b pair) int { return pairs.Compare(&a, &b) })
				if limit > 0 && limit < uint64(len(want)) {
					want = want[:limit]
				}
				got, runs := sorted(t, list, limit, memory)
				if diff := gocmp.Diff(len(want), len(got)); diff != "" || !slices.Equal(got, want) {
					t.Errorf("%s, limit %d, memory %d: not the order of a sort in memory %s", name, limit, memory, diff)
				}
				// Values that do not fit go to the file, and where a few are wanted
				// none do.
				if spilled := runs > 0; spilled != (len(list) > 1 && memory < 8*len(list) && (limit == 0 || 16*limit > uint64(memory))) {
					t.Errorf("%s, limit %d, memory %d: %d runs", name, limit, memory, runs)
				}
			}
		}
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestSortStops(t *testing.T) {
	for _, memory := range []int{Memory, 1 << 10} {
		s := New(pairs, 0, memory)
		defer s.Close()
		for _, p := range keys(20_000) {
			s.Add(&p)
		}
		n := 0
		if err := s.Each(t.Context(), func(*pair) bool { n++; return n < 7 }); err != nil || n != 7 {
			t.Errorf("memory %d: %d visits, %v", memory, n, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		s = New(pairs, 0, memory)
		defer s.Close()
		for _, p := range keys(20_000) {
			s.Add(&p)
		}
		n = 0
		err := s.Each(ctx, func(*pair) bool {
			if n++; n == 10 {
				cancel()
			}
			return true
		})
		if !errors.Is(err, context.Canceled) || n > 5_000 {
			t.Errorf("memory %d: %v after %d visits", memory, err, n)
		}
	}
}

func TestNoTemporaryFile(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/absent")
	t.Setenv("TMP", os.Getenv("TMPDIR"))
	s := New(pairs, 0, 1<<10)
	defer s.Close()
	var err error
	for _, p := range keys(1_000) {
		if err = s.Add(&p); err != nil {
			break
		}
	}
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestDamage(t *testing.T) {
	s := New(pairs, 0, 1<<10)
	defer s.Close()
	for _, p := range keys(10_000) {
		if err := s.Add(&p); err != nil {
			t.Fatal(err)
		}
	}
	s.out.Flush()
	if err := s.file.Truncate(s.end / 2); err != nil {
		t.Fatal(err)
	}
	if err := s.Each(t.Context(), func(*pair) bool { return true }); err == nil {
		t.Error("a file that someone cut gives no error")
	}
}
