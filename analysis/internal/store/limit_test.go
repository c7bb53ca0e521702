package store_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/store"
	"github.com/dumpscan/dumpscan/analysis/symbol/symserver"
)

func TestMaxFile(t *testing.T) {
	t.Parallel()
	cab := wordsCab(t)
	for _, tt := range []struct {
		name    string
		file    string
		data    []byte
		max     int64
		wantErr string
	}{
		{"fits", "app.pdb", []byte("good file"), 9, ""},
		{"a byte more", "app.pdb", []byte("good file"), 8, "9 bytes announced, of a file 8 are taken"},
		{"announced by nobody", "app.pdb", []byte("good file"), 8, "more than 8 bytes"},
		{"unpacked", "app.pd_", cab, 120000, "more than 120000 bytes"},
		{"unpacked fits", "app.pd_", cab, 120001, "another identity"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, _ := serve(t, map[string]http.HandlerFunc{"/app.pdb/" + key + "/" + tt.file: func(w http.ResponseWriter, _ *http.Request) {
				if tt.name == "announced by nobody" {
					w.(http.Flusher).Flush()
				}
				w.Write(tt.data)
			}})
			s := newStore(t, url, store.Options{Fetcher: &symserver.Client{}, MaxFile: tt.max})
			path, tries := find(t, s, store.Request{Folder: "app.pdb", Key: key}, check)
			last := tries[len(tries)-1].Err
			if (path != "") != (tt.wantErr == "") || tt.wantErr != "" && !strings.Contains(fmt.Sprint(last), tt.wantErr) {
				t.Errorf("found %q, error %v, want %q", path, last, tt.wantErr)
			}
		})
	}
}

// TestMaxRun asks for files until they are too many: then servers are asked no more.
func TestMaxRun(t *testing.T) {
	t.Parallel()
	files := map[string]http.HandlerFunc{}
	for i := range 5 {
		name := fmt.Sprintf("app%d.pdb", i)
		files["/"+name+"/"+key+"/"+name] = body("good file")
	}
	url, asked := serve(t, files)
	cache := t.TempDir()
	s := newStore(t, "srv*"+cache+"*"+url, store.Options{Fetcher: &symserver.Client{}, MaxRun: 20})
	var found []bool
	var last error
	for i := range 5 {
		path, tries := find(t, s, store.Request{Folder: fmt.Sprintf("app%d.pdb", i), Key: key}, check)
		found, last = append(found, path != ""), tries[len(tries)-1].Err
	}
	if diff := cmp.Diff([]bool{true, true, false, false, false}, found); diff != "" {
		t.Error(diff)
	}
	if !errors.Is(last, store.ErrNotAsked) || !strings.Contains(last.Error(), "limit of this run, 20 bytes") {
		t.Errorf("error %v of the last", last)
	}
	if n := len(asked()); n > 4 { // the third, and perhaps its other forms
		t.Errorf("asked %d times", n)
	}
	for _, name := range hidden(t, cache) {
		if strings.HasSuffix(name, ".part") {
			t.Errorf("%s is left", name)
		}
	}
}

func hidden(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestSweep has what killed runs left in a cache, and what looks alike.
func TestSweep(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	old := time.Now().Add(-25 * time.Hour)
	for name, at := range map[string]time.Time{
		".dumpscan-1.part": old, ".dumpscan-2.part": time.Now(), "dumpscan-3.part": old, ".dumpscan-4": old,
	} {
		path := filepath.Join(cache, name)
		if err := os.WriteFile(path, []byte("part"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	folder := filepath.Join(cache, ".dumpscan-5.part")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(folder, old, old); err != nil {
		t.Fatal(err)
	}
	url, _ := serve(t, nil)
	s := newStore(t, "srv*"+cache+"*"+url, online)
	find(t, s, store.Request{Folder: "app.pdb", Key: key}, check)
	entries, err := os.ReadDir(cache)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if diff := cmp.Diff([]string{".dumpscan-2.part", ".dumpscan-4", ".dumpscan-5.part", "dumpscan-3.part"}, left); diff != "" {
		t.Error(diff)
	}
}
