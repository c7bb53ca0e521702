package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/store"
	"github.com/dumpscan/dumpscan/analysis/symbol/symserver"
)

// online are the options of a store that asks servers.
var online = store.Options{Fetcher: &symserver.Client{}}

const key = "0123456789ABCDEF0123456789ABCDEF1"

// check accepts files that begin with "good".
func check(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(data, []byte("good")) {
		return fmt.Errorf("another identity: %.10q", data)
	}
	return nil
}

// wordsCab returns a cabinet of 120,001 bytes of text.
func wordsCab(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "symbols", "cab", "words.cab"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// serve plays a symbol server and notes what it is asked for.
func serve(t *testing.T, handlers map[string]http.HandlerFunc) (url string, asked func() []string) {
	t.Helper()
	var mu sync.Mutex
	var log []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		log = append(log, r.URL.Path)
		mu.Unlock()
		if h := handlers[r.URL.Path]; h != nil {
			h(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return log
	}
}

func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return names
}

func newStore(t *testing.T, path string, o store.Options) *store.Store {
	t.Helper()
	elements, err := store.ParsePath(path, filepath.Join(t.TempDir(), "default"))
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(elements, o)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// find is Find with a context that does not end.
func find(t *testing.T, s *store.Store, req store.Request, check func(string) error) (string, []store.Try) {
	t.Helper()
	path, tries, err := s.Find(context.Background(), req, check)
	if err != nil {
		t.Errorf("%+v: %v", req, err)
	}
	return path, tries
}

// TestServer is every way a server can answer: either the file is in the cache
// whole, or the cache is empty and one line tells why.
func TestServer(t *testing.T) {
	t.Parallel()
	const at = "/app.pdb/" + key + "/"
	cabinet := wordsCab(t)
	kept := []string{"app.pdb/" + key + "/app.pdb"}
	tests := []struct {
		name     string
		handlers map[string]http.HandlerFunc
		accept   func(string) error
		want     string // in the last error; "" for a hit
	}{
		{"hit", map[string]http.HandlerFunc{at + "app.pdb": body("good file")}, check, ""},
		{"miss", nil, check, "the server has no such file: not found"},
		{"compressed", map[string]http.HandlerFunc{
			at + "app.pd_": func(w http.ResponseWriter, _ *http.Request) { w.Write(cabinet) },
		}, func(path string) error {
			info, err := os.Stat(path)
			if err == nil && info.Size() != 120001 {
				err = fmt.Errorf("%d bytes", info.Size())
			}
			return err
		}, ""},
		{"compressed and cut off", map[string]http.HandlerFunc{
			at + "app.pd_": func(w http.ResponseWriter, _ *http.Request) { w.Write(cabinet[:9000]) },
		}, check, "cabinet block at 0x"},
		{"compressed but no cabinet", map[string]http.HandlerFunc{at + "app.pd_": body("good file")}, check, "not a cabinet"},
		{"pointer to the server", map[string]http.HandlerFunc{
			at + "file.ptr": func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "PATH:http://%s/elsewhere", r.Host) },
			"/elsewhere":    body("good file"),
		}, check, ""},
		{"pointer to nothing", map[string]http.HandlerFunc{
			at + "file.ptr": func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "PATH:http://%s/elsewhere", r.Host) },
		}, check, "/elsewhere: not found"},
		{"pointer to this machine", map[string]http.HandlerFunc{at + "file.ptr": body("PATH:/etc/passwd")}, check, "points to /etc/passwd, which is not followed from a server"},
		{"pointer to a share", map[string]http.HandlerFunc{at + "file.ptr": body(`PATH:\\evil\share\app.pdb`)}, check, "which is not followed from a server"},
		{"message", map[string]http.HandlerFunc{at + "file.ptr": body("MSG: stripped")}, check, "the store says: stripped"},
		{"broken pointer", map[string]http.HandlerFunc{at + "file.ptr": body("<html>")}, check, "neither PATH: nor MSG: in it"},
		{"wrong identity", map[string]http.HandlerFunc{at + "app.pdb": body("bad file")}, check, `another identity: "bad file"`},
		{"truncated", map[string]http.HandlerFunc{
			at + "app.pdb": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "1000")
				fmt.Fprint(w, "good start")
			},
		}, check, "after 10 bytes: unexpected EOF"},
		{"broken off", map[string]http.HandlerFunc{
			at + "app.pdb": func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, "good start")
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			},
		}, check, "after 10 bytes: unexpected EOF"},
		{"redirect", map[string]http.HandlerFunc{
			at + "app.pdb": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/blob", http.StatusFound) },
			"/blob":        body("good file"),
		}, check, ""},
		{"redirect loop", map[string]http.HandlerFunc{
			at + "app.pdb": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
		}, check, "more than 5 redirects"},
		{"redirect to a file", map[string]http.HandlerFunc{
			at + "app.pdb": func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
			},
		}, check, "redirect to file:///etc/passwd refused"},
		{"slow to answer", map[string]http.HandlerFunc{
			at + "app.pdb": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		}, check, "nothing received for 100ms"},
		{"slow in the middle", map[string]http.HandlerFunc{
			at + "app.pdb": func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, "good start")
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			},
		}, check, "nothing received for 100ms"},
		{"error", map[string]http.HandlerFunc{
			at + "app.pdb": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		}, check, "server answers 500"},
		{"two tiers", map[string]http.HandlerFunc{
			"/index2.txt":          body(""),
			"/ap" + at + "app.pdb": body("good file"),
		}, check, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client := &symserver.Client{}
			if strings.HasPrefix(tt.name, "slow") {
				client.Timeout = 100 * time.Millisecond
			}
			url, _ := serve(t, tt.handlers)
			cache := filepath.Join(t.TempDir(), "cache")
			s := newStore(t, "srv*"+cache+"*"+url, store.Options{Fetcher: client})
			path, tries := find(t, s, store.Request{Folder: `C:\build\app.pdb`, Key: key}, tt.accept)
			last := tries[len(tries)-1]
			if tt.want == "" {
				if path == "" || last.Err != nil {
					t.Fatalf("not found: %v", tries)
				}
				if diff := cmp.Diff(kept, files(t, cache)); diff != "" {
					t.Errorf("cache (-want +got):\n%s", diff)
				}
				return
			}
			if path != "" || last.Err == nil || !strings.Contains(last.Err.Error(), tt.want) {
				t.Errorf("path %q, error %v; want %q", path, last.Err, tt.want)
			}
			if strings.Contains(fmt.Sprint(last.Err), "\n") || !strings.HasPrefix(last.Where, url) {
				t.Errorf("not a clear line: %s: %v", last.Where, last.Err)
			}
			if left := files(t, cache); len(left) > 0 {
				t.Errorf("left in the cache: %q", left)
			}
		})
	}
}

func TestServerOrder(t *testing.T) {
	t.Parallel()
	url, asked := serve(t, nil)
	s := newStore(t, "srv*"+t.TempDir()+"*"+url+"/sym%20bols", online)
	for range 2 { // the second time from memory
		find(t, s, store.Request{Folder: "a b%41.pdb", Key: key}, check)
	}
	find(t, s, store.Request{Folder: "c.pdb", Key: key, File: "c.sym", Plain: true}, check)
	at := "/sym bols/a b%41.pdb/" + key + "/"
	want := []string{
		at + "a b%41.pdb", at + "a b%41.pd_", at + "file.ptr", "/sym bols/index2.txt",
		"/sym bols/c.pdb/" + key + "/c.sym",
	}
	if diff := cmp.Diff(want, asked()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestDeadServerIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	url, asked := serve(t, map[string]http.HandlerFunc{
		"/app.pdb/" + key + "/app.pdb": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"/b.pdb/" + key + "/b.pdb":     body("good file"),
	})
	s := newStore(t, "srv*"+t.TempDir()+"*"+url, online)
	find(t, s, store.Request{Folder: "app.pdb", Key: key}, check)
	path, tries := find(t, s, store.Request{Folder: "b.pdb", Key: key}, check)
	last := tries[len(tries)-1]
	if path != "" || !strings.Contains(fmt.Sprint(last.Err), "not asked again: server failed: 503") {
		t.Errorf("after a failure: %q, %v", path, last.Err)
	}
	if len(asked()) != 1 {
		t.Errorf("requests: %q", asked())
	}
}

// TestCancel breaks a download off. That is not an answer: the next search gets
// the file.
func TestCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var once sync.Once
	url, _ := serve(t, map[string]http.HandlerFunc{
		"/app.pdb/" + key + "/app.pdb": func(w http.ResponseWriter, r *http.Request) {
			once.Do(func() {
				fmt.Fprint(w, "good")
				w.(http.Flusher).Flush()
				cancel()
				<-r.Context().Done()
			})
			fmt.Fprint(w, "good file")
		},
	})
	cache := filepath.Join(t.TempDir(), "cache")
	s := newStore(t, "srv*"+cache+"*"+url, online)
	req := store.Request{Folder: "app.pdb", Key: key}
	path, tries, err := s.Find(ctx, req, check)
	if path != "" || tries != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %q, %v, %v", path, tries, err)
	}
	if left := files(t, cache); len(left) > 0 {
		t.Errorf("left in the cache: %q", left)
	}
	if path, tries := find(t, s, req, check); path == "" {
		t.Errorf("the search after a cancelled one: %v", tries)
	}
}

// TestCancelWaiting gives up while others wait for the server.
func TestCancelWaiting(t *testing.T) {
	t.Parallel()
	fetcher := blocker{asked: make(chan string, 1)}
	s := newStore(t, "srv*"+t.TempDir()+"*https://symbols.example", store.Options{Fetcher: fetcher})
	first, stop := context.WithCancel(context.Background())
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { s.Find(first, store.Request{Folder: "app.pdb", Key: key}, check) })
	<-fetcher.asked
	for _, name := range []string{"app.pdb", "other.pdb"} { // waits for the answer; waits for the server
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(10*time.Millisecond, cancel)
		path, tries, err := s.Find(ctx, store.Request{Folder: name, Key: key}, check)
		if path != "" || tries != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %q, %v, %v", name, path, tries, err)
		}
	}
	stop()
	wg.Wait()
}

// blocker is a server that never answers.
type blocker struct{ asked chan string }

func (b blocker) Fetch(ctx context.Context, url string) (io.ReadCloser, int64, error) {
	b.asked <- url
	<-ctx.Done()
	return nil, 0, ctx.Err()
}

// TestCancelUnpacking is interrupted before it gets to the cabinet.
func TestCancelUnpacking(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.pdb", key, "app.pdb"), nil)
	write(t, filepath.Join(dir, "app.pdb", key, "app.pd_"), wordsCab(t))
	ctx, cancel := context.WithCancel(context.Background())
	s := newStore(t, dir, store.Options{})
	path, _, err := s.Find(ctx, store.Request{Folder: "app.pdb", Key: key}, func(path string) error {
		if filepath.Base(path) != "app.pdb" {
			t.Errorf("%s was unpacked", path)
		}
		cancel()
		return errors.New("another identity")
	})
	if path != "" || !errors.Is(err, context.Canceled) {
		t.Errorf("%q, %v", path, err)
	}
	if got := files(t, dir); len(got) != 2 {
		t.Errorf("left: %q", got)
	}
}

// TestNoFetcher has a server on the path and nothing to ask it with.
func TestNoFetcher(t *testing.T) {
	t.Parallel()
	s := newStore(t, "srv*"+filepath.Join(t.TempDir(), "cache")+"*https://symbols.example", store.Options{})
	path, tries := find(t, s, store.Request{Folder: "app.pdb", Key: key}, check)
	last := tries[len(tries)-1]
	if path != "" || last.Where != "https://symbols.example" || !errors.Is(last.Err, store.ErrNotAsked) {
		t.Errorf("%q, %v", path, tries)
	}
}

// giant is a server with a file that is too large, or says it is.
type giant struct{ announced int64 }

func (g giant) Fetch(context.Context, string) (io.ReadCloser, int64, error) {
	return io.NopCloser(strings.NewReader("good file")), g.announced, nil
}

func TestAnnouncedSize(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		announced int64
		err       string
	}{
		{8 << 30, ""}, // the server lied; the check decides
		{8<<30 + 1, "8589934593 bytes announced"},
		{-1, ""},
	} {
		cache := filepath.Join(t.TempDir(), "cache")
		s := newStore(t, "srv*"+cache+"*https://symbols.example", store.Options{Fetcher: giant{tt.announced}})
		path, tries := find(t, s, store.Request{Folder: "app.pdb", Key: key}, check)
		last := tries[len(tries)-1]
		if (path != "") != (tt.err == "") || tt.err != "" && !strings.Contains(fmt.Sprint(last.Err), tt.err) {
			t.Errorf("%d bytes announced: %q, %v", tt.announced, path, tries)
		}
	}
}

// TestHostileNames asks for names that a dump could hold.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	url, asked := serve(t, nil)
	root := t.TempDir()
	s := newStore(t, "srv*"+filepath.Join(root, "cache")+"*"+url, online)
	names := []string{
		"", "..", `..\..`, "a/..", ".", `C:`, `C:\`, "app.pdb:stream", "nul", "NUL.pdb", "com1.pdb", "COM¹", "lpt9 .x",
		"app.pdb\x00.txt", "a\n.pdb", "app.pdb.", "app.pdb ", " a", "a?b", "a*b", `a"b`, "a|b", strings.Repeat("a", 300), "\xff\xfe.pdb",
	}
	for _, name := range names {
		path, tries := find(t, s, store.Request{Folder: name, Key: key}, check)
		if path != "" || len(tries) != 1 || tries[0].Err == nil {
			t.Errorf("%q: %q, %v", name, path, tries)
		}
		if name == "" {
			continue // the same file as Folder
		}
		if _, tries := find(t, s, store.Request{Folder: "app.pdb", Key: key, File: name}, check); tries[0].Err == nil {
			t.Errorf("file %q: %v", name, tries)
		}
	}
	for _, key := range []string{"..", "../..", "a/b", "xyz", `1\2`, strings.Repeat("1", 200)} {
		if path, tries := find(t, s, store.Request{Folder: "app.pdb", Key: key}, check); path != "" || len(tries) != 1 {
			t.Errorf("key %q: %q, %v", key, path, tries)
		}
	}
	if len(asked()) > 0 || len(files(t, root)) > 0 {
		t.Errorf("asked for %q, wrote %q", asked(), files(t, root))
	}
}

// TestSlowAndSteady takes longer than the timeout, but never without a byte.
func TestSlowAndSteady(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, map[string]http.HandlerFunc{
		"/app.pdb/" + key + "/app.pdb": func(w http.ResponseWriter, _ *http.Request) {
			for _, part := range []string{"go", "od", " fi", "le"} {
				fmt.Fprint(w, part)
				w.(http.Flusher).Flush()
				time.Sleep(200 * time.Millisecond)
			}
		},
	})
	s := newStore(t, url, store.Options{Fetcher: &symserver.Client{Timeout: 600 * time.Millisecond}})
	path, tries := find(t, s, store.Request{Folder: "app.pdb", Key: key}, check)
	if path == "" {
		t.Errorf("not found: %v", tries)
	}
}

func TestOffline(t *testing.T) {
	t.Parallel()
	url, asked := serve(t, nil)
	s := newStore(t, url, store.Options{Fetcher: &symserver.Client{}, Offline: true})
	find(t, s, store.Request{Folder: "app.pdb", Key: key}, check)
	if len(asked()) > 0 {
		t.Errorf("asked offline: %q", asked())
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, map[string]http.HandlerFunc{"/app.pdb/" + key + "/app.pdb": body("good file")})
	type progress struct {
		URL         string
		Done, Total int64
		End         bool
	}
	var last progress
	s := newStore(t, url, store.Options{Fetcher: &symserver.Client{}, Progress: func(url string, done, total int64, end bool) {
		last = progress{url, done, total, end}
	}})
	find(t, s, store.Request{Folder: "app.pdb", Key: key}, check)
	want := progress{URL: url + "/app.pdb/" + key + "/app.pdb", Done: 9, Total: 9, End: true}
	if diff := cmp.Diff(want, last); diff != "" {
		t.Errorf("last progress (-want +got):\n%s", diff)
	}
}
