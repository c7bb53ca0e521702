package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/internal/ctxlock"
)

// server is what the run has learnt of one server.
type server struct {
	lock    ctxlock.Lock // one request at a time for each server
	dead    error        // why it is not asked any more
	twoTier *bool        // whether it has an index2.txt; nil if not asked yet
}

func (s *Store) server(root string) *server {
	s.mu.Lock()
	defer s.mu.Unlock()
	srv := s.servers[root]
	if srv == nil {
		srv = &server{lock: ctxlock.New()}
		s.servers[root] = srv
	}
	return srv
}

// searchServer asks a server for the file, its compressed form, and a pointer,
// in one tier and, if the server has an index2.txt, in two.
func (s *Store) searchServer(ctx context.Context, e Element, req Request, check func(string) error) (string, []Try) {
	srv := s.server(e.URL)
	if err := srv.lock.Lock(ctx); err != nil {
		return "", nil // Find returns the error
	}
	defer srv.lock.Unlock()
	if err := s.spent(); err != nil {
		return "", []Try{{Where: e.URL, Err: fmt.Errorf("%w: %w", ErrNotAsked, err)}}
	}
	s.sweep(e.Cache)
	if srv.dead != nil {
		return "", []Try{{Where: e.URL, Err: fmt.Errorf("%w again: %w", ErrNotAsked, srv.dead)}}
	}
	path, where, err := s.ask(ctx, srv, e, req, check)
	if err == nil {
		return path, []Try{{Where: path}}
	}
	if errors.Is(err, ErrServer) && ctx.Err() == nil {
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
		err := s.get(ctx, join(e.URL, "index2.txt"), func(io.Reader, int64) error { return nil })
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
	err := s.get(ctx, where, func(body io.Reader, _ int64) (err error) {
		text, err = io.ReadAll(io.LimitReader(body, maxPointer))
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

// download fetches a file into the cache of e. A compressed one, known by its
// name, is unpacked.
func (s *Store) download(ctx context.Context, e Element, req Request, where string, check func(string) error) (string, error) {
	var temp string
	err := s.get(ctx, where, func(body io.Reader, size int64) error {
		out, err := s.tempFile(e)
		if err != nil {
			return err
		}
		temp = out.Name()
		err = s.copy(out, body, size, where)
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
		return s.unpackTo(ctx, e, req, temp, check)
	}
	return s.keep(e, req, temp, check)
}

func (s *Store) copy(out *os.File, body io.Reader, total int64, where string) error {
	var done int64
	report := func(end bool) {
		if s.options.Progress != nil {
			s.options.Progress(where, done, total, end)
		}
	}
	defer func() { report(true) }()
	if total > s.options.MaxFile {
		return fmt.Errorf("%d bytes announced, of a file %d are taken", total, s.options.MaxFile)
	}
	limited := &limitedWriter{store: s, w: out}
	buf := make([]byte, 64<<10)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			if _, err := limited.Write(buf[:n]); err != nil {
				return err
			}
			done += int64(n)
			report(false)
		}
		if err == io.EOF {
			return out.Sync()
		}
		if errors.Is(err, ErrServer) {
			return err
		}
		if err != nil {
			return fmt.Errorf("after %d bytes: %w", done, err)
		}
	}
}

// get hands what the server has at a URL to read, and how many bytes that will
// be, or -1.
func (s *Store) get(ctx context.Context, where string, read func(body io.Reader, size int64) error) error {
	body, size, err := s.options.Fetcher.Fetch(ctx, where)
	if err != nil {
		return err
	}
	defer body.Close()
	return read(body, size)
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
