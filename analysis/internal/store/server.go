package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// How far a server may go.
const (
	maxRedirects = 5
	maxDownload  = 8 << 30 // bytes; more than a PDB can have
)

// server is what the run has learnt of one server.
type server struct {
	mu      sync.Mutex
	dead    error // why it is not asked any more
	twoTier *bool // whether it has an index2.txt; nil if not asked yet
}

func newClient(o Options) *http.Client {
	c := http.Client{}
	if o.Client != nil {
		c = *o.Client
	}
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		if req.URL.Scheme != "https" && (req.URL.Scheme != "http" || via[0].URL.Scheme == "https") {
			return fmt.Errorf("redirect to %s refused", req.URL.Redacted())
		}
		return nil
	}
	return &c
}

func (s *Store) server(root string) *server {
	s.mu.Lock()
	defer s.mu.Unlock()
	srv := s.servers[root]
	if srv == nil {
		srv = &server{}
		s.servers[root] = srv
	}
	return srv
}

// errDead wraps failures after which a server is not asked again.
var errDead = errors.New("server failed")

// searchServer asks a server for the file, its compressed form, and a pointer,
// in one tier and, if the server has an index2.txt, in two.
func (s *Store) searchServer(ctx context.Context, e Element, req Request, check func(string) error) (string, []Try) {
	srv := s.server(e.URL)
	srv.mu.Lock()
	defer srv.mu.Unlock() // one request at a time for each server
	if srv.dead != nil {
		return "", []Try{{Where: e.URL, Err: fmt.Errorf("%w: %w", ErrNotAsked, srv.dead)}}
	}
	path, where, err := s.ask(ctx, srv, e, req, check)
	if err == nil {
		return path, nil
	}
	if errors.Is(err, errDead) && ctx.Err() == nil {
		srv.dead = err
	}
	return "", []Try{{Where: where, Err: err}}
}

func (s *Store) ask(ctx context.Context, srv *server, e Element, req Request, check func(string) error) (path, where string, err error) {
	tiers := [][]string{{req.Folder, req.Key}}
	for i := 0; i < len(tiers); i++ {
		at := func(file string) string { return join(e.URL, append(tiers[i], file)...) }
		files := []string{req.File, compressed(req.File)}
		if req.Plain {
			files = files[:1]
		}
		for _, file := range files {
			where = at(file)
			path, err = s.download(ctx, e, req, where, check)
			if !errors.Is(err, ErrNotFound) {
				return path, where, err
			}
		}
		if !req.Plain {
			where = at("file.ptr")
			path, err = s.askPointer(ctx, e, req, where, check)
			if !errors.Is(err, ErrNotFound) {
				return path, where, err
			}
		}
		if i == 0 && s.twoTier(ctx, srv, e) {
			tiers = append(tiers, []string{firstTier(req.Folder), req.Folder, req.Key})
		}
	}
	return "", join(e.URL, req.Folder, req.Key, req.File), fmt.Errorf("the server has no such file: %w", ErrNotFound)
}

// twoTier asks once whether the server keeps its files in two tiers.
func (s *Store) twoTier(ctx context.Context, srv *server, e Element) bool {
	if srv.twoTier == nil {
		err := s.get(ctx, join(e.URL, "index2.txt"), func(*http.Response) error { return nil })
		if ctx.Err() != nil {
			return false
		}
		is := err == nil
		srv.twoTier = &is
	}
	return *srv.twoTier
}

// askPointer follows a file.ptr of a server, but only to http and https: a
// server has no say over the files of this machine or its network.
func (s *Store) askPointer(ctx context.Context, e Element, req Request, where string, check func(string) error) (string, error) {
	var text []byte
	err := s.get(ctx, where, func(resp *http.Response) (err error) {
		text, err = io.ReadAll(io.LimitReader(resp.Body, maxPointer))
		return err
	})
	if err != nil {
		return "", err
	}
	target, err := parsePointer(string(text))
	if err != nil {
		return "", err
	}
	if !isURL(target) {
		return "", fmt.Errorf("points to %s, which is not followed from a server", shorten(target))
	}
	path, err := s.download(ctx, e, req, target, check)
	if err != nil {
		return "", fmt.Errorf("points to %s: %v", shorten(target), err)
	}
	return path, nil
}

// download fetches a file into the cache of e. A compressed one, told by its
// name, is unpacked.
func (s *Store) download(ctx context.Context, e Element, req Request, where string, check func(string) error) (string, error) {
	var temp string
	err := s.get(ctx, where, func(resp *http.Response) error {
		out, err := s.tempFile(e)
		if err != nil {
			return err
		}
		temp = out.Name()
		err = s.copy(out, resp, where)
		if closeErr := out.Close(); err == nil {
			err = closeErr
		}
		return err
	})
	if err != nil {
		if temp != "" {
			os.Remove(temp)
		}
		return "", err
	}
	if strings.HasSuffix(where, "_") {
		defer os.Remove(temp)
		return s.unpackTo(e, req, temp, check)
	}
	return s.keep(e, req, temp, check)
}

func (s *Store) copy(out *os.File, resp *http.Response, where string) error {
	var done int64
	total := resp.ContentLength
	report := func(end bool) {
		if s.options.Progress != nil {
			s.options.Progress(Progress{URL: where, Done: done, Total: total, End: end})
		}
	}
	defer func() { report(true) }()
	if total > maxDownload {
		return fmt.Errorf("%d bytes announced", total)
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 {
			if _, err := out.Write(buf[:n]); err != nil {
				return err
			}
			if done += int64(n); done > maxDownload {
				return fmt.Errorf("more than %d bytes", int64(maxDownload))
			}
			report(false)
		}
		if err == io.EOF {
			return out.Sync()
		}
		if err != nil {
			return fmt.Errorf("after %d bytes: %w", done, err)
		}
	}
}

// get sends a request and hands a successful answer to read. The error wraps
// ErrNotFound if the server does not have the file, and errDead if it is of no
// use to ask it again.
func (s *Store) get(ctx context.Context, where string, read func(*http.Response) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := fmt.Errorf("%w: nothing received for %s", errDead, s.options.Timeout)
	timer := time.AfterFunc(s.options.Timeout, func() { cancel(stalled) })
	defer timer.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "dumpscan")
	resp, err := s.client.Do(req)
	if err != nil {
		if context.Cause(ctx) == stalled {
			return stalled
		}
		var failed *url.Error // repeats method and URL, which the caller names
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return fmt.Errorf("%w: %w", errDead, err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone, http.StatusForbidden:
		// Buckets that may not be listed answer 403 for what they do not have.
		return fmt.Errorf("%w: %s", ErrNotFound, resp.Status)
	case http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return fmt.Errorf("%w: %s", errDead, resp.Status)
	default:
		return fmt.Errorf("server answers %s", resp.Status)
	}
	resp.Body = &watched{ReadCloser: resp.Body, timer: timer, timeout: s.options.Timeout}
	if err := read(resp); err != nil {
		if context.Cause(ctx) == stalled {
			return stalled
		}
		return err
	}
	return nil
}

// watched starts the timer anew with every byte.
type watched struct {
	io.ReadCloser
	timer   *time.Timer
	timeout time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if n > 0 {
		w.timer.Reset(w.timeout)
	}
	return n, err
}

// join appends path elements to a URL.
func join(root string, elements ...string) string {
	u, err := url.Parse(root)
	if err != nil {
		return root // ParsePath refuses such
	}
	return u.JoinPath(escape(elements)...).String()
}

// escape keeps a percent sign in a name from being taken for an escape.
func escape(elements []string) []string {
	out := make([]string, len(elements))
	for i, e := range elements {
		out[i] = url.PathEscape(e)
	}
	return out
}
