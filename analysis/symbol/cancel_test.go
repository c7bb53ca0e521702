package symbol_test

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// server is a Fetcher that answers when it is let.
type server struct {
	asked chan string   // each URL, when it is asked for
	open  chan struct{} // closed: nothing is there any more
}

func newServer() server { return server{make(chan string, 100), make(chan struct{})} }

func (s server) Fetch(ctx context.Context, url string) (io.ReadCloser, int64, error) {
	s.asked <- url
	select {
	case <-s.open:
		return nil, 0, symbol.ErrNotFound
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
}

// TestCancel interrupts each step that may wait for a server. The interrupt is
// not taken for an answer: the same step, done again, asks again.
func TestCancel(t *testing.T) {
	t.Parallel()
	const at = 0x40429e
	steps := map[string]func(context.Context, *symbol.Session) error{
		"Resolve": func(ctx context.Context, s *symbol.Session) error {
			names, err := s.Resolve(ctx, []minidump.VA{0x10, at})
			if err != nil && names != nil {
				t.Errorf("names with an error: %v", names)
			}
			return err
		},
		"Inspect": func(ctx context.Context, s *symbol.Session) error {
			all, err := s.Inspect(ctx)
			if err != nil && all != nil {
				t.Errorf("a report with an error: %v", all)
			}
			return err
		},
		"Manifest": func(ctx context.Context, s *symbol.Session) error {
			_, err := s.Manifest(ctx)
			return err
		},
		"Code": func(ctx context.Context, s *symbol.Session) error {
			code := s.Code(ctx)
			if shift := code.Shift(at); shift != 0 {
				t.Errorf("shift %s of an image that nobody has", shift)
			}
			_, err := code.ReadAt(make([]byte, 1), at)
			if errors.Is(err, minidump.ErrNotCaptured) {
				return nil
			}
			return err
		},
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newServer()
			const path = "srv*https://symbols.example"
			s := newSession(t, testApp(), symbol.Options{SymbolPath: path, ImagePath: path, Fetcher: srv})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- step(ctx, s) }()
			<-srv.asked
			cancel()
			select {
			case err := <-done:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("interrupted: %v", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("still waiting for the server")
			}
			if err := step(ctx, s); !errors.Is(err, context.Canceled) {
				t.Errorf("after the end of the context: %v", err)
			}
			close(srv.open)
			if err := step(t.Context(), s); err != nil {
				t.Errorf("again: %v", err)
			}
			if len(srv.asked) == 0 {
				t.Error("the interrupt was remembered as an answer")
			}
		})
	}
}

// TestCancelWaiting has one goroutine at the server and others that wait for
// it: each gives up with its own context.
func TestCancelWaiting(t *testing.T) {
	t.Parallel()
	srv := newServer()
	s := newSession(t, testApp(), symbol.Options{SymbolPath: "https://symbols.example", Fetcher: srv})
	first, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.Inspect(first) })
	<-srv.asked
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.Inspect(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting: %v", err)
	}
	stop()
	wg.Wait()
}

// TestModulesCancel is the resolver that asks nobody, and still keeps to its
// context.
func TestModulesCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	names, err := symbol.NewModules(nil).Resolve(ctx, []minidump.VA{1})
	if names != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", names, err)
	}
}

// TestOrder asks for addresses of three modules, out of order and more than
// once: the server is asked in the order of the addresses.
func TestOrder(t *testing.T) {
	t.Parallel()
	d := testApp()
	d.Modules = append(d.Modules, d.Modules[0], d.Modules[0])
	d.Modules[0].Base, d.Modules[0].Name = 0x30000000, `c:\c.exe`
	d.Modules[1].Base, d.Modules[1].Name = 0x10000000, `c:\a.exe`
	d.Modules[2].Base, d.Modules[2].Name = 0x20000000, `c:\b.exe`
	srv := newServer()
	close(srv.open)
	s := newSession(t, d, symbol.Options{ImagePath: "https://symbols.example", Fetcher: srv})
	addrs := []minidump.VA{0x30000000, 0x10000010, 0x20000000, 0x10000010, 0x99}
	asked := slices.Clone(addrs)
	names, err := s.Resolve(t.Context(), addrs)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asked, addrs); diff != "" {
		t.Errorf("the caller's list was changed (-want +got):\n%s", diff)
	}
	var got []string
	for _, addr := range []minidump.VA{0x99, 0x10000010, 0x20000000, 0x30000000, 0x77} {
		l := names.At(addr)
		if l.Address != addr {
			t.Errorf("%s has address %s", addr, l.Address)
		}
		got = append(got, l.String())
	}
	if diff := cmp.Diff([]string{"0x99", "a+0x10", "b", "c", "0x77"}, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if _, ok := names[0x77]; ok || len(names) != 4 {
		t.Errorf("%d names of 4 addresses", len(names))
	}
	var files []string
	for len(srv.asked) > 0 {
		url := <-srv.asked
		if strings.HasSuffix(url, ".exe") {
			files = append(files, url[strings.LastIndex(url, "/")+1:])
		}
	}
	if diff := cmp.Diff([]string{"a.exe", "b.exe", "c.exe"}, files); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
}

// TestNoFetcher has a server on the path and nothing to ask it with.
func TestNoFetcher(t *testing.T) {
	t.Parallel()
	st := inspect(t, newSession(t, testApp(), symbol.Options{SymbolPath: "https://symbols.example"}))
	for _, try := range st.Tries {
		if try.Where == "https://symbols.example" && errors.Is(try.Err, symbol.ErrNotAsked) {
			return
		}
	}
	t.Errorf("nobody says that the server was not asked: %v", st.Tries)
}

// TestNoNetwork keeps the network out of what most importers want.
func TestNoNetwork(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
	for pkg, want := range map[string]bool{"..": false, ".": false, "./symserver": true} {
		out, err := exec.Command("go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		if got := slices.Contains(strings.Fields(string(out)), "net/http"); got != want {
			t.Errorf("%s imports net/http, directly or not: %v, want %v", pkg, got, want)
		}
	}
}

// patient is a context that ends when it was looked at so many times.
type patient struct {
	context.Context
	looks int
}

func (p *patient) Err() error {
	if p.looks--; p.looks < 0 {
		return context.Canceled
	}
	return nil
}

// TestCancelAnywhere interrupts the naming of an address in a .sym file, a PDB and an
// image whenever the context is looked at, also in the middle of a file. Nothing of that
// is remembered: asked again, the address has its name.
func TestCancelAnywhere(t *testing.T) {
	t.Parallel()
	sym, folder := inlinedSym(t, 5000)
	pdb, pdbFolder := made(t, debugBuild())
	for _, tt := range []struct {
		name, folder string
		dump         dumptest.Dump
		addr         minidump.VA
		want         string
		least        int // looks
	}{
		{"sym", folder, sym, base + 0x1000, "m!fn", 8},
		{"pdb", pdbFolder, pdb, base + 0x1100, "made!ns::Class::Run", 8},
		{"exports", "", exporters(1, 10), base + 0x1000, "m00!Function00000", 4},
	} {
		s := newSession(t, tt.dump, symbol.Options{SymbolPath: tt.folder, Loose: true})
		for looks := 0; ; looks++ {
			names, err := s.Resolve(&patient{t.Context(), looks}, []minidump.VA{tt.addr})
			if err == nil {
				if got := names.At(tt.addr).String(); got != tt.want {
					t.Errorf("%s: %s after %d looks, want %s", tt.name, got, looks, tt.want)
				}
				if looks < tt.least {
					t.Errorf("%s: the context was looked at %d times only", tt.name, looks)
				}
				break
			}
			if !errors.Is(err, context.Canceled) || names != nil || looks > 10000 {
				t.Fatalf("%s: %v, error %v after %d looks", tt.name, names, err, looks)
			}
		}
	}
}
