package dumpfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
)

// errTrailing is what follows a gzip file that is whole: what was unpacked is all
// right, but there may have been more.
var errTrailing = errors.New("bytes that are no gzip follow the compressed data; they are ignored")

const bufferSize = 64 << 10

// A gunzipper unpacks the members of a gzip file, one after the other. Zeros
// behind them are padding, as tapes and disks leave it.
type gunzipper struct {
	src    *bufio.Reader
	member *gzip.Reader
}

func gunzip(r io.Reader) (io.ReadCloser, error) {
	g := &gunzipper{src: bufio.NewReaderSize(r, bufferSize)}
	member, err := gzip.NewReader(g.src)
	if err != nil {
		return nil, whole(err)
	}
	g.member = member
	member.Multistream(false)
	return g, nil
}

func (g *gunzipper) Read(b []byte) (int, error) {
	n, err := g.member.Read(b)
	if err == io.EOF {
		err = g.next()
	}
	return n, err
}

// next begins the member behind the one that has ended. The error is io.EOF if
// there is none.
func (g *gunzipper) next() error {
	for {
		head, err := g.src.Peek(2)
		switch {
		case len(head) == 0:
			return err
		case head[0] == 0:
			g.src.Discard(1)
			continue
		case !bytes.Equal(head, []byte{0x1f, 0x8b}):
			return errTrailing
		}
		if err := g.member.Reset(g.src); err != nil {
			return whole(err)
		}
		g.member.Multistream(false)
		return nil
	}
}

func (g *gunzipper) Close() error { return g.member.Close() }

// whole makes an error of the end of the input where a header should be.
func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
