package symbol_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
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

// TestResolveConcurrently runs under -race: sources load once however many ask.
func TestResolveConcurrently(t *testing.T) {
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
