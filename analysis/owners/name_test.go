package owners

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// onDisk writes the image of the scene into a folder, as it is before loading,
// and takes it out of the dump, where it is loaded somewhere else.
func (s *ownerScene) onDisk(t *testing.T) (f *minidump.File, folder string) {
	t.Helper()
	le := binary.LittleEndian
	optional := 240
	if s.ptr == 4 {
		optional = 224
		le.PutUint32(s.image[0x98+28:], uint32(s.base))
	} else {
		le.PutUint64(s.image[0x98+24:], s.base)
	}
	for i, at := range []int{sceneCode, sceneData} {
		h := s.image[0x98+optional+40*i:]
		copy(h[16:24], h[8:16]) // the file holds all of the section ...
		le.PutUint32(h[20:], uint32(at))
	}
	folder = t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "MyCustomDll.dll"), s.image, 0o600); err != nil {
		t.Fatal(err)
	}
	s.base += 0x1000000
	s.leaks(s.vtable(1))
	d := s.dump()
	for i, m := range d.Memory64 {
		if m.Start == s.base {
			d.Memory64 = append(d.Memory64[:i:i], d.Memory64[i+1:]...)
			break
		}
	}
	d.Modules[0].TimeDateStamp = 0
	return testdump.Make(t, d), folder
}

// The class is read from image files if the dump lacks the images.
func TestOwnersOfImageFiles(t *testing.T) {
	for _, test := range []struct {
		name  string
		ptr   int
		build func(s *ownerScene)
		want  string
	}{
		{"Visual C++", 8, func(s *ownerScene) { s.msvc(1, 0x800, ".?AVTask@ns@@", 0) }, "60 of 62 Key at +8 of vtable MyCustomDll+0x2140 ns::Task"},
		{"Visual C++, x86", 4, func(s *ownerScene) { s.msvc(1, 0x800, ".?AUTask@@", 0) }, "60 of 62 Key at +4 of vtable MyCustomDll+0x2140 Task"},
		{"GCC", 8, func(s *ownerScene) { s.itanium(1, 0x800, "4Task", 0) }, "60 of 62 Key at +8 of vtable MyCustomDll+0x2140 Task"},
		{"GCC, x86", 4, func(s *ownerScene) { s.itanium(1, 0x800, "4Task", 0) }, "60 of 62 Key at +4 of vtable MyCustomDll+0x2140 Task"},
	} {
		s := newScene(1, test.ptr)
		test.build(s)
		f, folder := s.onDisk(t)
		for path, want := range map[string]string{
			folder: test.want,
			"":     "60 of 62 Key at +" + map[int]string{8: "8", 4: "4"}[test.ptr] + " of module MyCustomDll+0x2140",
		} {
			session, err := symbol.NewResolver(f, symbol.Options{ImagePath: path})
			if err != nil {
				t.Fatal(err)
			}
			r, err := Find(t.Context(), f, Options{Symbols: session})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{want}, ownerTexts(r)); diff != "" {
				t.Errorf("%s, images in %q (-want +got):\n%s", test.name, path, diff)
			}
			session.Close()
		}
	}
}

func TestNamed(t *testing.T) {
	at := symbol.Location{Module: "My", Offset: 0x3080, Function: "const ns::Task::`vftable'", Trust: symbol.TrustPDB}
	with := func(change func(l *symbol.Location)) symbol.Location {
		l := at
		change(&l)
		return l
	}
	for _, test := range []struct {
		name          string
		o             Owner
		l             symbol.Location
		symbol, class string
	}{
		{"vtable", Owner{Target: TargetVtable}, at, "My!const ns::Task::`vftable'", "ns::Task"},
		{"RTTI is surer", Owner{Target: TargetVtable, Class: "ns::Job"}, at, "My!const ns::Task::`vftable'", "ns::Job"},
		{"of a base class", Owner{Target: TargetVtable}, with(func(l *symbol.Location) { l.Function = "const a::B::`vftable'{for `a::C'}" }), "My!const a::B::`vftable'{for `a::C'}", "a::B"},
		{"beside it", Owner{Target: TargetVtable}, with(func(l *symbol.Location) { l.Displacement = 8 }), "", ""},
		{"of GCC", Owner{Target: TargetVtable}, with(func(l *symbol.Location) { l.Function, l.Displacement = "vtable for ns::Task", 16 }), "My!vtable for ns::Task", "ns::Task"},
		{"of GCC, elsewhere in it", Owner{Target: TargetVtable}, with(func(l *symbol.Location) { l.Function, l.Displacement = "vtable for ns::Task", 40 }), "", ""},
		{"an export", Owner{Target: TargetVtable}, with(func(l *symbol.Location) { l.Trust = symbol.TrustExport }), "", ""},
		{"no symbol", Owner{Target: TargetVtable}, with(func(l *symbol.Location) { l.Function = "" }), "", ""},
		{"a variable", Owner{Target: TargetData}, with(func(l *symbol.Location) { l.Function = "table" }), "My!table", ""},
		{"within code", Owner{Target: TargetCode}, with(func(l *symbol.Location) { l.Function, l.Displacement = "Run", 8 }), "My!Run+0x8", ""},
	} {
		test.o.named(test.l, 8)
		if test.o.Symbol != test.symbol || test.o.Class != test.class {
			t.Errorf("%s: symbol %q, class %q", test.name, test.o.Symbol, test.o.Class)
		}
	}
}

// cancelling ends its context when it is asked for names.
type cancelling struct{ cancel func() }

func (c cancelling) Resolve(ctx context.Context, _ []minidump.VA) (symbol.Names, error) {
	c.cancel()
	return nil, ctx.Err()
}

func TestNamesCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	owners := []Owner{{Module: "My", Address: 0x1000}}
	if err := name(ctx, owners, cancelling{cancel}, 8); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
