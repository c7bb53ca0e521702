// Package symserver fetches files from symbol servers by HTTP. It is the only
// package below analysis that uses the network, and it is apart so that a
// program which asks no server does not contain net/http. Of the module it
// imports package symbol, for the meaning of its errors.
package symserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/dumpscan/dumpscan/analysis/symbol"
)

const (
	maxRedirects    = 5
	defaultTimeout  = 30 * time.Second
	defaultDeadline = 15 * time.Minute
)

// Client is a [symbol.Fetcher]. The zero value is ready for use. It is safe for
// concurrent use.
type Client struct {
	HTTP    *http.Client  // nil means one of its own; its CheckRedirect is replaced
	Timeout time.Duration // how long a server may send nothing; 0 means 30 s
	// Deadline is how long one download may take in all, whatever the server sends:
	// a byte now and then would never end. 0 means 15 minutes.
	Deadline time.Duration
}

// Fetch asks for a URL and returns the answer's body, which the caller closes,
// and its length in bytes, -1 if the server does not say. The error wraps
// [symbol.ErrNotFound] if the server does not have the file, and
// [symbol.ErrServer] if it does not answer, is overloaded, takes too long or wants a password.
// A redirect is followed to http and https only, and not from https to http.
func (c *Client) Fetch(ctx context.Context, where string) (io.ReadCloser, int64, error) {
	timeout, deadline := c.Timeout, c.Deadline
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	if deadline <= 0 {
		deadline = defaultDeadline
	}
	ctx, cancel := context.WithCancelCause(ctx)
	b := &body{
		ctx: ctx, cancel: cancel, timeout: timeout,
		stalled: fmt.Errorf("%w: nothing received for %s", symbol.ErrServer, timeout),
		late:    fmt.Errorf("%w: not complete after %s", symbol.ErrServer, deadline),
	}
	b.timer = time.AfterFunc(timeout, func() { cancel(b.stalled) })
	b.end = time.AfterFunc(deadline, func() { cancel(b.late) })
	resp, err := c.get(ctx, where)
	if err != nil {
		err = b.cause(err)
		b.stop()
		return nil, 0, err
	}
	b.ReadCloser = resp.Body
	return b, resp.ContentLength, nil
}

// get returns a successful answer.
func (c *Client) get(ctx context.Context, where string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "dumpscan")
	resp, err := c.client().Do(req)
	if err != nil {
		var failed *url.Error // repeats method and URL, which the caller names
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, fmt.Errorf("%w: %w", symbol.ErrServer, err)
	}
	if err := statusError(resp); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

func (c *Client) client() *http.Client {
	client := http.Client{}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		if req.URL.Scheme != "https" && (req.URL.Scheme != "http" || via[0].URL.Scheme == "https") {
			return fmt.Errorf("redirect to %s refused", req.URL.Redacted())
		}
		return nil
	}
	return &client
}

func statusError(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusNotFound, http.StatusGone, http.StatusForbidden:
		// Buckets that may not be listed answer 403 for what they do not have.
		return fmt.Errorf("%w: %s", symbol.ErrNotFound, resp.Status)
	case http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return fmt.Errorf("%w: %s", symbol.ErrServer, resp.Status)
	}
	return fmt.Errorf("server answers %s", resp.Status)
}

// body starts the timer anew with every byte.
type body struct {
	io.ReadCloser
	ctx           context.Context
	cancel        context.CancelCauseFunc
	stalled, late error
	timer, end    *time.Timer
	timeout       time.Duration
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.timer.Reset(b.timeout)
	}
	if err != nil && err != io.EOF {
		err = b.cause(err)
	}
	return n, err
}

func (b *body) Close() error {
	b.stop()
	return b.ReadCloser.Close()
}

func (b *body) stop() {
	b.timer.Stop()
	b.end.Stop()
	b.cancel(nil)
}

// cause is err, or that the server has taken too long if err comes of that.
func (b *body) cause(err error) error {
	if cause := context.Cause(b.ctx); cause == b.stalled || cause == b.late {
		return cause
	}
	return err
}
