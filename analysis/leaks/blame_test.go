package leaks_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// A resolver names all addresses alike.
type resolver struct {
	location symbol.Location
	resolve  func(context.Context) error // nil: nothing goes wrong
	closed   int
}

func (r *resolver) Resolve(ctx context.Context, addrs []minidump.VA) (symbol.Names, error) {
	if r.resolve != nil {
		return nil, r.resolve(ctx)
	}
	names := symbol.Names{}
	for _, a := range addrs {
		l := r.location
		l.Address = a
		names[a] = l
	}
	return names, nil
}

func (r *resolver) Close() error { r.closed++; return nil }

// The name of the nearest export misleads: neither the verdict nor the next
// step has it, but they say how to get the real one.
func TestOpenerPlace(t *testing.T) {
	own := symbol.Location{Module: "Own", Offset: 0x1000, Function: "PathCounts", Displacement: 0x4c}
	fetch := "the function at Own+0x1000 has no name: give -y the folder of the PDB of Own, or -i that of its image; see what is missing"
	for _, c := range []struct {
		trust symbol.Trust
		place string
		next  string
	}{
		{symbol.TrustPDB, "Own!PathCounts+0x4c", "see all that Own!PathCounts+0x4c opened and nobody closed"},
		{symbol.TrustSym, "Own!PathCounts+0x4c", "see all that Own!PathCounts+0x4c opened and nobody closed"},
		{symbol.TrustExport, "Own+0x1000", fetch},
		{symbol.TrustModule, "Own+0x1000", fetch},
	} {
		l := own
		if l.Trust = c.trust; c.trust == symbol.TrustModule {
			l.Function, l.Displacement = "", 0
		}
		names := &resolver{location: l}
		repeat := []string{"-y", "C:\\my symbols"}
		r := judge(t, []shot{traced("a.dmp", 300, 0, 0)}, leaks.Options{
			Resolver: func(*minidump.File) (leaks.ResolveCloser, error) { return names, nil }, Repeat: repeat, NotSystem: []string{"Own*"},
		})
		f := find(t, r, "outstanding-opens")
		if !strings.Contains(r.Verdict.Sentence, ": "+c.place+" opened 300") {
			t.Errorf("%q: verdict %s", c.trust, r.Verdict.Sentence)
		}
		want := []string{"dumpscan", "htrace", "a.dmp", "--group", "function", "--type", "Event", "-y", "C:\\my symbols", "--not-system", "Own*"}
		if c.next == fetch {
			want = []string{"dumpscan", "symbols", "a.dmp", "-y", "C:\\my symbols"}
		}
		if diff := cmp.Diff(want, f.Next.Args); diff != "" || f.Next.Text != c.next {
			t.Errorf("%q: next %q (-want +got)\n%s", c.trust, f.Next.Text, diff)
		}
		if c.trust == symbol.TrustExport && strings.Contains(strings.Join(f.Evidence, "\n"), "PathCounts") {
			t.Errorf("the export is evidence: %q", f.Evidence)
		}
		if names.closed != 1 {
			t.Errorf("%q: closed %d times", c.trust, names.closed)
		}
	}
}

// A resolver that knows a part is used, and what went wrong is noted.
func TestResolverWithError(t *testing.T) {
	damaged := errors.New("the list of modules is damaged")
	names := &resolver{location: symbol.Location{Module: "Own", Function: "f", Trust: symbol.TrustPDB}}
	r := judge(t, []shot{traced("a", 300, 0, 0)}, leaks.Options{
		Resolver: func(*minidump.File) (leaks.ResolveCloser, error) { return names, damaged },
	})
	p := r.Processes[0]
	if diff := cmp.Diff([]leaks.Problem{{File: "a", Err: damaged}}, p.Problems, cmp.Comparer(errors.Is)); diff != "" || names.closed != 1 {
		t.Errorf("closed %d times (-want +got)\n%s", names.closed, diff)
	}
	if o := find(t, r, "outstanding-opens").Group.Opener; o.Place() != "Own!f" {
		t.Errorf("opener %s", o.Place())
	}
	r = judge(t, []shot{traced("a", 300, 0, 0)}, leaks.Options{
		Resolver: func(*minidump.File) (leaks.ResolveCloser, error) { return nil, damaged },
	})
	if o := find(t, r, "outstanding-opens").Group.Opener; o.Place() != "Own+0x1000" || len(r.Processes[0].Problems) != 1 {
		t.Errorf("opener %s, problems %v", o.Place(), r.Processes[0].Problems)
	}
}

// A stack is shown to its culprit at least, and what is left out is counted.
func TestFramesShown(t *testing.T) {
	const system, own, app = 0x40001000, 0x20001000, 0x10001000
	for _, c := range []struct {
		name  string
		stack []uint64
		shown int
		more  string
	}{
		{"six", slices.Concat([]uint64{own}, slices.Repeat([]uint64{app}, 5)), 6, ""},
		{"seven", slices.Concat([]uint64{own}, slices.Repeat([]uint64{app}, 6)), 6, "… and 1 more frame"},
		{"a deep culprit", slices.Concat(slices.Repeat([]uint64{system}, 9), []uint64{own, app, app}), 10, "… and 2 more frames"},
	} {
		d := dumptest.Dump{
			Modules: []dumptest.Module{
				{Base: 0x10000000, Size: 0x10000, Name: `C:\app\app.exe`}, {Base: 0x20000000, Size: 0x10000, Name: `C:\app\Own.dll`},
				{Base: 0x40000000, Size: 0x10000, Name: `C:\Windows\System32\ntdll.dll`},
			},
			HandleData: &dumptest.HandleData{}, HandleOperations: &dumptest.HandleOperationList{},
		}
		for i := range uint64(300) {
			h := autoEvent
			h.Value = 4 + 4*i
			d.HandleData.Handles = append(d.HandleData.Handles, h)
			d.HandleOperations.Operations = append(d.HandleOperations.Operations,
				dumptest.HandleOperation{Handle: h.Value, Type: dumptest.OperationOpen, Stack: c.stack})
		}
		r := judge(t, []shot{{"a", d.Bytes()}}, leaks.Options{})
		shown, more := 0, ""
		for _, e := range find(t, r, "outstanding-opens").Evidence {
			if strings.HasPrefix(e, "frame ") {
				shown++
			} else if strings.Contains(e, "more frame") {
				more = e
			}
		}
		if shown != c.shown || more != c.more {
			t.Errorf("%s: %d frames, %q; want %d, %q", c.name, shown, more, c.shown, c.more)
		}
	}
}
