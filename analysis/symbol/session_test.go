package symbol_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// shared opens a dump that lies beside the repository, or skips the test.
func shared(t *testing.T, name string) *minidump.File {
	t.Helper()
	r, err := os.Open(filepath.Join("..", "..", "..", "shared", "dumps", name))
	if err != nil {
		t.Skipf("real dump not available: %v", err)
	}
	defer r.Close()
	var in io.Reader = r
	if filepath.Ext(name) == ".gz" {
		if in, err = gzip.NewReader(r); err != nil {
			t.Fatal(err)
		}
	}
	data, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestLeakyStacks names the stacks of a full-memory dump with no file but the
// dump.
func TestLeakyStacks(t *testing.T) {
	t.Parallel()
	f := shared(t, "leaky-c.dmp.gz")
	s, err := symbol.NewResolver(f, symbol.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ops, err := f.HandleOperations()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"MyCustomDll!OpenClassesKey+0x46 export",
		"MyCustomDll!CreateSettings+0x34 export",
		"w3wp+0x155e module",
		"w3wp+0x2205 module",
		"w3wp+0x13ae module",
		"w3wp+0x14e6 module",
		"kernel32!BaseThreadInitThunk+0x9 export",
		"ntdll!RtlUserThreadStart+0x88 export",
	}
	found := false
	for op, err := range ops.All() {
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, addr := range op.Frames() {
			loc := resolve(t, s, addr)
			got = append(got, fmt.Sprintf("%s %s", loc, loc.Trust))
		}
		found = found || cmp.Equal(got, want)
	}
	if !found {
		t.Errorf("no stack reads %q", want)
	}
}

// TestFullMemory names addresses with no file but the dump: modules that export
// functions, one that exports none, one whose memory is not there, one that is
// unloaded, and what belongs to none.
func TestFullMemory(t *testing.T) {
	t.Parallel()
	d := exporters(2, 20)
	size := d.Modules[0].Size
	bare := exporter(20)
	binary.LittleEndian.PutUint32(bare[0x58+112:], 0) // no export directory
	d.Modules = append(d.Modules,
		dumptest.Module{Base: 0x140000000, Size: size, Name: `C:\app\w3wp.exe`},
		dumptest.Module{Base: 0x150000000, Size: size, Name: `C:\app\absent.dll`})
	d.Memory64 = append(d.Memory64, dumptest.MemoryRange{Start: 0x140000000, Data: bare})
	d.UnloadedModules = &dumptest.UnloadedModuleList{Modules: []dumptest.UnloadedModule{
		{Base: 0x160000000, Size: 0x1000, Name: "gone.dll"}, {Base: base, Size: 0x1000, Name: "older.dll"},
	}}
	s := newSession(t, d, symbol.Options{})
	names, err := s.Resolve(t.Context(), []minidump.VA{
		base + 0x1046, base + 0x1000000 + 0x1000, base + 0x10, 0x14000155e, 0x150001000, 0x160000034, 0x99,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[minidump.VA]string{
		base + 0x1046: "m00!Function00002+0x6  export", base + 0x1000000 + 0x1000: "m01!Function00000  export",
		base + 0x10: "m00+0x10  module", 0x14000155e: "w3wp+0x155e  module", 0x150001000: "absent+0x1000  module",
		0x160000034: "<Unloaded_gone.dll>+0x34  module", 0x99: "0x99  ",
	}
	got := map[minidump.VA]string{}
	for addr := range names {
		got[addr] = show(names.At(addr))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	all, err := s.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{nil, nil, symbol.ErrNoExports, symbol.ErrNoImage} {
		found := slices.ContainsFunc(all[i].Tries, func(try symbol.Try) bool {
			return try.Where == "memory of the dump" && errors.Is(try.Err, want) && (want != nil || try.Err == nil)
		})
		if !found {
			t.Errorf("%s: %v, want %v", all[i].Module.Name(), all[i].Tries, want)
		}
	}
}

// TestResolveConcurrently runs under -race: sources load once however many ask.
func TestResolveConcurrently(t *testing.T) {
	t.Parallel()
	s := newSession(t, exporters(5, 200), symbol.Options{})
	var addrs []minidump.VA
	for _, m := range s.Modules().List() {
		for off := minidump.VA(0x1000); off < minidump.VA(m.SizeOfImage); off += 0x30 {
			addrs = append(addrs, m.BaseOfImage+off)
		}
	}
	answers := make([]symbol.Names, 4)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			var err error
			if answers[i], err = s.Resolve(t.Context(), addrs); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, other := range answers[1:] {
		if diff := cmp.Diff(answers[0], other); diff != "" {
			t.Fatal(diff)
		}
	}
}
