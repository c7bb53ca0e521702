package owners

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
)

// fuzzSize is the largest input: what is larger only slows the search down.
const fuzzSize = 48 << 10

// seed is the dump without the empty end of the image.
func (s *ownerScene) seed() []byte {
	whole := s.image
	s.image = bytes.TrimRight(whole, "\x00")
	defer func() { s.image = whole }()
	return s.dump().Bytes()
}

// FuzzFindOwners: whatever the dump, the hunt ends without a panic, twice with
// the same result, and what it reports is within bounds.
func FuzzFindOwners(f *testing.F) {
	for _, ptr := range []int{4, 8} {
		for _, noInfos := range []bool{false, true} {
			s := newScene(1, ptr)
			s.noInfos = noInfos
			s.msvc(1, 0x800, ".?AVTask@@", 0)
			s.itanium(2, 0x900, "4Task", -8)
			s.leaks(s.vtable(1), 0, s.vtable(2))
			f.Add(s.seed())

			s = newScene(2, ptr)
			s.noInfos = noInfos
			handles := s.keys(40)
			s.array(3*ptr, ptr, 0, handles[:20])
			s.variables(0x100, ptr, handles[10:])
			f.Add(s.seed())

			s = newScene(3, ptr)
			s.noInfos = noInfos
			for i, h := range s.keys(40) {
				s.put(s.image, sceneVars+ptr*i, s.record(0x5167, uint32(i)|0x80000001, uint32(h), 0x80000001))
			}
			f.Add(s.seed())
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > fuzzSize {
			return
		}
		dump, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		r, err := Find(context.Background(), dump, Options{})
		again, errAgain := Find(context.Background(), dump, Options{})
		if (err == nil) != (errAgain == nil) {
			t.Fatalf("%v, then %v", err, errAgain)
		}
		if err != nil {
			if r != nil {
				t.Fatal("a report and an error")
			}
			return
		}
		if !reflect.DeepEqual(r, again) {
			problem := cmp.Comparer(func(a, b error) bool {
				return errors.Is(a, b) || a.Error() == b.Error()
			})
			if diff := cmp.Diff(r, again, problem); diff != "" {
				t.Fatalf("a second run differs (-first +second):\n%s", diff)
			}
		}
		for _, o := range r.Owners {
			if o.Handles < minHandles || o.Handles > o.Of || o.Handles > o.Objects ||
				o.Objects+o.Empty > o.Instances || o.Confidence < 1-maxFalseOwners || len(o.Examples) == 0 {
				t.Fatalf("impossible: %+v", o)
			}
		}
	})
}

// FuzzIdentify: whatever two dumps hold, the comparison ends without a panic and
// twice with the same result; and a dump compared with itself has no handle that
// was replaced.
func FuzzIdentify(f *testing.F) {
	for _, test := range identityCases {
		l := newLives(1, test.ptr)
		test.build(l)
		f.Add(l.old.seed(), l.new.seed())
	}
	f.Fuzz(func(t *testing.T, older, newer []byte) {
		if len(older) > fuzzSize || len(newer) > fuzzSize {
			return
		}
		var sides [2]Side
		for i, data := range [...][]byte{older, newer} {
			dump, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				return
			}
			r, err := Find(context.Background(), dump, Options{})
			if err != nil {
				return
			}
			sides[i] = Side{File: dump, Report: r}
		}
		ids, err := Identify(context.Background(), sides[0], sides[1])
		again, errAgain := Identify(context.Background(), sides[0], sides[1])
		if (err == nil) != (errAgain == nil) || err != nil && ids != nil {
			t.Fatalf("%v, %v, then %v", ids, err, errAgain)
		}
		if err != nil {
			return
		}
		if !reflect.DeepEqual(ids, again) {
			t.Fatalf("a second run differs (-first +second):\n%s", cmp.Diff(ids, again, cmp.AllowUnexported(Identities{})))
		}
		if ids.Same < 0 || ids.Replaced < 0 || ids.Unknown() < 0 {
			t.Fatalf("impossible: %+v", ids)
		}
		if itself, err := Identify(context.Background(), sides[1], sides[1]); err != nil || itself.Replaced > 0 {
			t.Fatalf("%d of its own handles were replaced: %v", itself.Replaced, err)
		}
	})
}
