package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/store"
)

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestParsePath(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path string
		want []store.Element
		err  string
	}{
		{"", nil, ""},
		{` C:\symbols ;; /home/x `, []store.Element{{Dir: `C:\symbols`}, {Dir: "/home/x"}}, ""},
		{`srv*C:\cache*https://example.org/sym`, []store.Element{
			{Dir: `C:\cache`, Cache: `C:\cache`}, {URL: "https://example.org/sym", Cache: `C:\cache`}}, ""},
		{"SRV*http://a/", []store.Element{{Dir: "def", Cache: "def"}, {URL: "http://a/", Cache: "def"}}, ""},
		{"srv**http://a/", []store.Element{{Dir: "def", Cache: "def"}, {URL: "http://a/", Cache: "def"}}, ""},
		{"http://a/", []store.Element{{Dir: "def", Cache: "def"}, {URL: "http://a/", Cache: "def"}}, ""},
		{`srv*near*\\far\sym*http://a/`, []store.Element{
			{Dir: "near", Cache: "near"}, {Dir: `\\far\sym`, Cache: "near"}, {URL: "http://a/", Cache: "near"}}, ""},
		{"srv*store", []store.Element{{Dir: "store", Cache: "store"}}, ""},
		{"symsrv*symsrv.dll*c*http://a/", []store.Element{{Dir: "c", Cache: "c"}, {URL: "http://a/", Cache: "c"}}, ""},
		{"before;cache*c;behind;srv*http://a/", []store.Element{
			{Dir: "before"}, {Dir: "c", Cache: "c"}, {Dir: "behind", Cache: "c"}, {URL: "http://a/", Cache: "c"}}, ""},
		{"cache*", []store.Element{{Dir: "def", Cache: "def"}}, ""},
		{"srv*http://a/*c", nil, "the server must come last"},
		{"srv*ftp://a/", nil, "only http and https"},
		{"srv*http://a b:c/", nil, "invalid"},
		{"sqlsrv*x", nil, "neither a folder nor"},
	}
	for _, tt := range tests {
		got, err := store.ParsePath(tt.path, "def")
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.path, diff)
		}
		if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q: error %v, want %q", tt.path, err, tt.err)
		}
	}
}

func TestFolders(t *testing.T) {
	t.Parallel()
	elsewhere := filepath.Join(t.TempDir(), "elsewhere.pdb")
	write(t, elsewhere, []byte("good"))
	good := []byte("good")
	tests := []struct {
		name  string
		files map[string][]byte
		want  string // path in the folder, or "" and err
		err   string
	}{
		{"flat", map[string][]byte{"app.pdb": good}, "app.pdb", ""},
		{"flat, other case", map[string][]byte{"APP.PDB": good}, "APP.PDB", ""},
		{"store", map[string][]byte{"app.pdb/" + key + "/app.pdb": good}, "app.pdb/" + key + "/app.pdb", ""},
		{"store, other case", map[string][]byte{"App.pdb/" + strings.ToLower(key) + "/app.Pdb": good}, "App.pdb/" + strings.ToLower(key) + "/app.Pdb", ""},
		{"wrong one first", map[string][]byte{"app.pdb/" + key + "/app.pdb": good, "app.pdb/app.pdb": good}, "app.pdb/" + key + "/app.pdb", ""},
		{"two tiers", map[string][]byte{"index2.txt": nil, "ap/app.pdb/" + key + "/app.pdb": good}, "ap/app.pdb/" + key + "/app.pdb", ""},
		{"two tiers without index2.txt", map[string][]byte{"ap/app.pdb/" + key + "/app.pdb": good}, "", "not found"},
		{"nothing", nil, "", "not found"},
		{"flat, wrong identity", map[string][]byte{"app.pdb": []byte("bad")}, "", "another identity"},
		{"another key", map[string][]byte{"app.pdb/1234/app.pdb": good}, "", "not found"},
		{"no cabinet", map[string][]byte{"app.pdb/" + key + "/app.pd_": good}, "", "not a cabinet"},
		{"pointer to nothing", map[string][]byte{"app.pdb/" + key + "/file.ptr": []byte("PATH:/no/such/file")}, "", "points to /no/such/file: no such file"},
		{"pointer to a folder", map[string][]byte{"app.pdb/" + key + "/file.ptr": []byte("PATH:" + t.TempDir())}, "", ": is a folder, not a regular file"},
		{"pointer to a server", map[string][]byte{"app.pdb/" + key + "/file.ptr": []byte("PATH:http://x/app.pdb")}, "", "not on the symbol path"},
		{"message", map[string][]byte{"app.pdb/" + key + "/file.ptr": []byte("MSG: gone\r\n")}, "", "the store says: gone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, data := range tt.files {
				write(t, filepath.Join(dir, filepath.FromSlash(name)), data)
			}
			s := newStore(t, dir, store.Options{})
			path, tries := find(t, s, store.Request{Folder: "app.pdb", Key: key}, check)
			last := tries[len(tries)-1]
			if tt.want != "" && (path != filepath.Join(dir, filepath.FromSlash(tt.want)) || last.Err != nil) {
				t.Errorf("found %q, %v", path, tries)
			}
			if tt.want == "" && (path != "" || last.Err == nil || !strings.Contains(last.Err.Error(), tt.err)) {
				t.Errorf("found %q, error %v, want %q", path, last.Err, tt.err)
			}
		})
	}
	t.Run("pointer", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "app.pdb", key, "file.ptr"), []byte("PATH:"+elsewhere+"\r\n"))
		s := newStore(t, dir, store.Options{})
		if path, tries := find(t, s, store.Request{Folder: "app.pdb", Key: key}, check); path != elsewhere {
			t.Errorf("found %q, %v", path, tries)
		}
	})
}

// TestUnpack unpacks the compressed form of a file, in a store of one tier or two and in a plain folder: into the cache,
// or without one into a folder that Close removes. The place that is named still exists then.
func TestUnpack(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]string{
		"store": "app.pdb/" + key + "/app.pd_", "two tiers": "ap/app.pdb/" + key + "/app.pd_", "folder": "app.pd_", "other case": "App.PD_",
	} {
		for _, cached := range []bool{false, true} {
			for _, id := range []string{key, ""} {
				if id == "" && strings.Contains(at, "/") {
					continue
				}
				dir, cache := t.TempDir(), filepath.Join(t.TempDir(), "cache")
				packed := filepath.Join(dir, filepath.FromSlash(at))
				write(t, packed, wordsCab(t))
				write(t, filepath.Join(dir, "index2.txt"), nil)
				symbolPath := dir
				if cached {
					symbolPath = "cache*" + cache + ";" + dir
				}
				elements, err := store.ParsePath(symbolPath, "")
				if err != nil {
					t.Fatal(err)
				}
				s := store.New(elements, store.Options{})
				path, tries := find(t, s, store.Request{Folder: "app.pdb", Key: id}, func(string) error { return nil })
				if info, err := os.Stat(path); err != nil || info.Size() != 120001 {
					t.Fatalf("%s: unpacked to %q: %v, %v", name, path, err, tries)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				want, kept := packed, filepath.Join(cache, "app.pdb", key, "app.pdb")
				if cached && id != "" {
					want = kept
				}
				if last := tries[len(tries)-1]; last.Where != want || last.Err != nil {
					t.Errorf("%s, cached %v: found in %q, %v; want %q", name, cached, last.Where, last.Err, want)
				}
				if _, err := os.Stat(path); (err == nil) != (want == kept) {
					t.Errorf("%s, cached %v: %q after Close: %v", name, cached, path, err)
				}
				if got := files(t, dir); len(got) != 2 {
					t.Errorf("%s: the store was changed: %q", name, got)
				}
			}
		}
	}
}

// TestUnpackRefused has a compressed file of another identity in a plain folder, before the right one in a store.
func TestUnpackRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := filepath.Join(dir, "app.pd_")
	write(t, plain, wordsCab(t))
	right := filepath.Join(dir, "app.pdb", key, "app.pdb")
	write(t, right, []byte("good"))
	path, tries := find(t, newStore(t, dir, store.Options{}), store.Request{Folder: "app.pdb", Key: key}, check)
	if path != right || len(tries) != 2 || tries[0].Where != plain || tries[0].Err == nil || tries[1].Where != right {
		t.Errorf("found %q, %v", path, tries)
	}
}

func ExampleStore_Find() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	os.WriteFile(filepath.Join(dir, "MyCustomDll.pdb"), []byte("good symbols"), 0o666)

	elements, err := store.ParsePath(dir, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	s := store.New(elements, store.Options{})
	defer s.Close()
	req := store.Request{Folder: `c:\build\mycustomdll.pdb`, Key: key}
	path, _, err := s.Find(context.Background(), req, check)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(filepath.Base(path))
	// Output: MyCustomDll.pdb
}

func ExampleRequest_StorePath() {
	fmt.Println(store.Request{Folder: `d:\bld\ntdll.pdb`, Key: key}.StorePath())
	// Output: ntdll.pdb/0123456789ABCDEF0123456789ABCDEF1/ntdll.pdb <nil>
}
