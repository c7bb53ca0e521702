package bounded_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

func TestCursor(t *testing.T) {
	t.Parallel()
	c := bounded.New("part", 0x100, []byte("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0fxyname\x00rest"))
	got := []any{c.U8(), c.U16(), c.U32(), c.U64(), string(c.Take(1))}
	c.Skip(1)
	got = append(got, c.Off(), c.Left(), c.CString(), c.Off(), c.CString(), c.Left(), c.CString(), c.Err())
	want := []any{uint8(1), uint16(0x0302), uint32(0x07060504), uint64(0x0f0e0d0c0b0a0908), "x",
		int64(0x111), 9, "name", int64(0x116), "rest", 0, "", error(nil)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestEnd reads one byte too many in every way: all reads after it are zero, and
// the error is that of the first.
func TestEnd(t *testing.T) {
	t.Parallel()
	reads := map[string]func(c *bounded.Cursor) any{
		"1 bytes": func(c *bounded.Cursor) any { c.Skip(8); return c.U8() },
		"2 bytes": func(c *bounded.Cursor) any { c.Skip(7); return uint8(c.U16()) },
		"4 bytes": func(c *bounded.Cursor) any { c.Skip(5); return uint8(c.U32()) },
		"8 bytes": func(c *bounded.Cursor) any { c.Skip(1); return uint8(c.U64()) },
		"9 bytes": func(c *bounded.Cursor) any { return uint8(len(c.Take(9))) },
		"-1 byte": func(c *bounded.Cursor) any { return uint8(len(c.Take(-1))) },
	}
	for want, read := range reads {
		c := bounded.New("part", 0x10, []byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
		if got := read(c); got != uint8(0) {
			t.Errorf("%s: %v", want, got)
		}
		off, err := c.Off(), c.Err()
		var e *bounded.Error
		if !errors.As(err, &e) || e.Part != "part" || e.Off != off || !strings.HasPrefix(e.Msg, want) {
			t.Errorf("%s: %v at 0x%x", want, err, off)
		}
		c.Fail(0, "another error")
		if c.U8() != 0 || c.CString() != "" || c.Take(0) != nil || c.Err() != err || c.Off() != off {
			t.Errorf("%s: read on after the error", want)
		}
	}
}

func TestFail(t *testing.T) {
	t.Parallel()
	c := bounded.New("part", 0x10, make([]byte, 4))
	c.Fail(0x12, "kind %#x", 7)
	if err := c.Err(); err == nil || err.Error() != "part at 0x12: kind 0x7" || c.U16() != 0 {
		t.Errorf("%v", err)
	}
}

// TestLoad takes what is there, however much is declared.
func TestLoad(t *testing.T) {
	t.Parallel()
	data := make([]byte, 50_000)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	broken := errors.New("broken")
	for _, tt := range []struct {
		name  string
		n     int
		fails int64 // offset from which reads fail; 0 for none
		want  int
	}{
		{"nothing", 0, 0, 0},
		{"a byte", 1, 0, 1},
		{"a chunk", 16 << 10, 0, 16 << 10},
		{"more than a chunk", 16<<10 + 1, 0, 16<<10 + 1},
		{"all", 49_990, 0, 49_990},
		{"one too many", 49_991, 0, 49_990},
		{"far too many", 1<<31 - 1, 0, 49_990},
		{"nothing can be read", 100, 10, 0},
		{"not all can be read", 40_000, 20_000, 32 << 10},
	} {
		var most int
		c := bounded.Load("part", 10, tt.n, func(p []byte, off int64) (int, error) {
			most = max(most, len(p))
			if tt.fails > 0 && off >= tt.fails {
				return 0, broken
			}
			return bytes.NewReader(data).ReadAt(p, off)
		})
		if c.Left() != tt.want || c.Off() != 10 || c.Err() != nil {
			t.Errorf("%s: %d bytes at %d, %v; want %d", tt.name, c.Left(), c.Off(), c.Err(), tt.want)
			continue
		}
		if most > 16<<10 {
			t.Errorf("%s: %d bytes at once", tt.name, most)
		}
		if got := c.Take(tt.want); !bytes.Equal(got, data[10:10+tt.want]) {
			t.Errorf("%s: wrong bytes", tt.name)
		}
		c.U8()
		if errors.Is(c.Err(), broken) != (tt.fails > 0) || c.Err() == nil {
			t.Errorf("%s: past the end: %v", tt.name, c.Err())
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	err := &bounded.Error{Part: "DBI", Off: 0x20, Msg: "4 bytes wanted, 0 left"}
	if got, want := err.Error(), "DBI at 0x20: 4 bytes wanted, 0 left"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	err.Err = io.ErrUnexpectedEOF
	if got, want := err.Error(), "DBI at 0x20: 4 bytes wanted, 0 left: unexpected EOF"; got != want || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%q, want %q", got, want)
	}
}
