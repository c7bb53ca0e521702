package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// unzipped writes an input from the folder of hostile ones to a file, or skips the
// test.
func unzipped(t *testing.T, name, target string) {
	t.Helper()
	r, err := os.Open(filepath.Join("..", "..", "..", "shared", "dumps", "hostile", name+".gz"))
	if err != nil {
		t.Skipf("hostile inputs not available: %v", err)
	}
	defer r.Close()
	z, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(target, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestHostileSymbols runs inputs of some hundred kilobytes that once made gigabytes
// of memory and output, or took minutes. What is cut is said once.
func TestHostileSymbols(t *testing.T) {
	dir := t.TempDir()
	unzipped(t, "inline-depth.sym", filepath.Join(dir, "evil.sym"))
	pdb, err := os.ReadFile(filepath.Join("..", "..", "testdata", "symbols", "pdb", "handles64.pdb"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "evil.pdb"), pdb, 0o600); err != nil {
		t.Fatal(err)
	}
	const cut = "some names are cut"
	for _, tt := range []struct {
		dump     string
		commands []string
		note     string
		output   int // bytes, at most
	}{
		{"demangle-slow.dmp", []string{"threads", "symbols"}, "", 1 << 20},
		{"export-name-64k.dmp", []string{"htrace", "htrace --windbg", "htrace --json", "htrace --csv", "htrace --pprof -"}, cut, 16 << 20},
		{"inline-depth.dmp", []string{"htrace -y " + dir, "htrace --json -y " + dir}, cut, 2 << 20},
		{"shared-exports.dmp", []string{"symbols", "symbols --json"}, "", 4 << 20},
		{"many-modules-one-pdb.dmp", []string{"symbols -y " + dir}, "", 4 << 20},
	} {
		path := filepath.Join(dir, tt.dump)
		unzipped(t, tt.dump, path)
		for _, command := range tt.commands {
			var stdout, stderr bytes.Buffer
			words := strings.Fields(command)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			code := run(t.Context(), append([]string{words[0], path}, words[1:]...), strings.NewReader(""), &stdout, &stderr)
			runtime.ReadMemStats(&after)
			if code != 0 {
				t.Errorf("%s of %s: exit code %d, %.300s", command, tt.dump, code, stderr.String())
			}
			if stdout.Len() > tt.output || stdout.Len() == 0 {
				t.Errorf("%s of %s: %d bytes of output, want no more than %d", command, tt.dump, stdout.Len(), tt.output)
			}
			// All that was ever allocated, garbage included.
			if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 1000 {
				t.Errorf("%s of %s: %d MB allocated", command, tt.dump, mb)
			}
			if tt.note != "" && strings.Count(stderr.String(), tt.note) != 1 {
				t.Errorf("%s of %s: stderr %.500q, want %q once", command, tt.dump, stderr.String(), tt.note)
			}
		}
	}
}
