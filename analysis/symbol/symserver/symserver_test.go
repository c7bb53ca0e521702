package symserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/symbol/symserver"
)

var _ symbol.Fetcher = (*symserver.Client)(nil)

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func TestFetch(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.UserAgent() != "dumpscan" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if r.URL.Path == "/chunked" {
			w.(http.Flusher).Flush()
		}
		fmt.Fprint(w, "good file")
	})
	for path, want := range map[string]int64{"/": 9, "/chunked": -1} {
		body, size, err := (&symserver.Client{}).Fetch(t.Context(), srv.URL+path)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(body)
		if string(data) != "good file" || err != nil || size != want {
			t.Errorf("%s: %q, %v, %d bytes announced, want %d", path, data, err, size, want)
		}
		if err := body.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{
		200: nil, 206: errOther, 404: symbol.ErrNotFound, 410: symbol.ErrNotFound, 403: symbol.ErrNotFound,
		401: symbol.ErrServer, 429: symbol.ErrServer, 503: symbol.ErrServer, 500: errOther, 400: errOther,
	} {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		body, _, err := (&symserver.Client{}).Fetch(t.Context(), srv.URL)
		if err == nil {
			body.Close()
		}
		got := err
		for _, sentinel := range []error{symbol.ErrNotFound, symbol.ErrServer} {
			if errors.Is(err, sentinel) {
				got = sentinel
			}
		}
		if want == errOther {
			if got == nil || got == symbol.ErrNotFound || got == symbol.ErrServer {
				t.Errorf("status %d: %v, want another error", status, err)
			}
		} else if got != want {
			t.Errorf("status %d: %v, want %v", status, err, want)
		}
		if err != nil && !strings.Contains(err.Error(), fmt.Sprint(status)) {
			t.Errorf("status %d is not in %q", status, err)
		}
	}
}

var errOther = errors.New("neither")

func TestNoServer(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	_, _, err := (&symserver.Client{}).Fetch(t.Context(), srv.URL+"/file")
	if !errors.Is(err, symbol.ErrServer) || strings.Contains(err.Error(), "/file") {
		t.Errorf("nobody listens: %v; the URL is the caller's to name", err)
	}
	if _, _, err := (&symserver.Client{}).Fetch(t.Context(), "http://a b/"); err == nil {
		t.Error("a URL that is none")
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	plain := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var n int
		if fmt.Sscanf(r.URL.Path, "/%d", &n); n > 0 {
			http.Redirect(w, r, fmt.Sprintf("/%d", n-1), http.StatusFound)
			return
		}
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(w, r, to, http.StatusFound)
		}
	})
	safe := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(w, r, to, http.StatusFound)
		}
	}))
	t.Cleanup(safe.Close)
	c := &symserver.Client{HTTP: safe.Client()}
	for _, tt := range []struct{ url, err string }{
		{plain.URL + "/5", ""},
		{plain.URL + "/6", "more than 5 redirects"},
		{plain.URL + "/?to=" + safe.URL, ""},
		{plain.URL + "/?to=file:///etc/passwd", "redirect to file:///etc/passwd refused"},
		{safe.URL + "/?to=" + safe.URL, ""},
		{safe.URL + "/?to=" + plain.URL, "redirect to " + plain.URL + " refused"},
	} {
		body, _, err := c.Fetch(t.Context(), tt.url)
		if err == nil {
			body.Close()
		}
		if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, want %q", tt.url, err, tt.err)
		}
	}
}

// TestStall has servers that send nothing for longer than is allowed.
func TestStall(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/middle" {
			fmt.Fprint(w, "start")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	})
	c := &symserver.Client{Timeout: 50 * time.Millisecond}
	for _, path := range []string{"/start", "/middle"} {
		body, _, err := c.Fetch(t.Context(), srv.URL+path)
		if err == nil {
			_, err = io.ReadAll(body)
			body.Close()
		}
		if !errors.Is(err, symbol.ErrServer) || !strings.Contains(err.Error(), "nothing received for 50ms") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestDrip has a server that sends a byte now and then, and never stops.
func TestDrip(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			fmt.Fprint(w, "x")
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	})
	body, _, err := (&symserver.Client{Deadline: 200 * time.Millisecond}).Fetch(t.Context(), srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if len(data) < 2 || !errors.Is(err, symbol.ErrServer) || !strings.Contains(err.Error(), "not complete after 200ms") {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

// TestSlowAndSteady takes longer than the timeout, but never without a byte.
func TestSlowAndSteady(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 5 {
			fmt.Fprint(w, "x")
			w.(http.Flusher).Flush()
			time.Sleep(150 * time.Millisecond)
		}
	})
	body, _, err := (&symserver.Client{Timeout: 500 * time.Millisecond}).Fetch(t.Context(), srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if data, err := io.ReadAll(body); string(data) != "xxxxx" || err != nil {
		t.Errorf("%q, %v", data, err)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/start", "/middle"} {
		ctx, cancel := context.WithCancel(t.Context())
		srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/middle" {
				fmt.Fprint(w, "start")
				w.(http.Flusher).Flush()
			}
			cancel()
			<-r.Context().Done()
		})
		body, _, err := (&symserver.Client{}).Fetch(ctx, srv.URL+path)
		if err == nil {
			_, err = io.ReadAll(body)
			body.Close()
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func ExampleClient() {
	srv := httptest.NewServer(http.FileServer(http.Dir("../../../testdata/symbols/sym")))
	defer srv.Close()
	c := &symserver.Client{Timeout: 10 * time.Second}
	body, size, err := c.Fetch(context.Background(), srv.URL+"/test_app.pdb/none/test_app.sym")
	if errors.Is(err, symbol.ErrNotFound) {
		fmt.Println("not there")
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer body.Close()
	fmt.Println(size, "bytes")
	// Output: not there
}
