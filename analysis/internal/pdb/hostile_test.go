package pdb_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
	"github.com/dumpscan/dumpscan/analysis/internal/pdb"
	"github.com/dumpscan/dumpscan/analysis/internal/pdb/pdbtest"
)

// TestHostile breaks one thing at a time. Each ends in an error that says where, from NewFile or from Lookup.
func TestHostile(t *testing.T) {
	t.Parallel()
	le := binary.LittleEndian
	put := func(off int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { le.PutUint32(b[off:], v); return b }
	}
	// block gives the offset in the file of the i-th stream's first block number in the directory, and of that block.
	list := func(b []byte, i int) (entry, block int) {
		directory := int(le.Uint32(b[le.Uint32(b[52:])*4096:])) * 4096
		entry = directory + 4 + 4*int(le.Uint32(b[directory:]))
		for s := range i {
			entry += 4 * int((le.Uint32(b[directory+4+4*s:])+4095)/4096)
		}
		return entry, 4096 * int(le.Uint32(b[entry:]))
	}
	in := func(stream, off int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { _, at := list(b, stream); le.PutUint32(b[at+off:], v); return b }
	}
	tests := map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"block size":          {put(32, 1000), "superblock at 0x20: block size 1000"},
		"truncated":           {func(b []byte) []byte { return b[:len(b)-1] }, "superblock at 0x28: truncated"},
		"directory too large": {put(44, 1<<31), "superblock at 0x2c"},
		"directory too small": {put(44, 3), "superblock at 0x2c"},
		"block map outside":   {put(52, 1<<30), "block map at 0x0"},
		"directory outside":   {func(b []byte) []byte { return put(int(le.Uint32(b[52:]))*4096, 1<<30)(b) }, "directory at 0x0"},
		"directory is itself": {func(b []byte) []byte { return put(int(le.Uint32(b[52:]))*4096, 0)(b) }, "directory at 0x0"},
		"stream outside":      {func(b []byte) []byte { e, _ := list(b, pdbtest.StreamInfo); return put(e, 1<<30)(b) }, "PDB info at 0x0"},
		"stream too large":    {func(b []byte) []byte { e, _ := list(b, 0); return put(e-4*13, 1<<31)(b) }, "directory at 0x"},
		"too many streams":    {func(b []byte) []byte { e, _ := list(b, 0); return put(e-4*16-4, 1<<30)(b) }, "directory at 0x"},
		"DBI signature":       {in(pdbtest.StreamDBI, 0, 1), "DBI at 0x0"},
		"DBI part":            {in(pdbtest.StreamDBI, 24, 1<<31), "DBI at 0x18"},
		"contributions' kind": {in(pdbtest.StreamDBI, 64+76+92+80, 7), "section contributions of version"},
		"module shared": {func(b []byte) []byte {
			_, at := list(b, pdbtest.StreamDBI)
			le.PutUint16(b[at+64+76+34:], pdbtest.FirstModule)
			return b
		}, "of another module"},
		"module's symbols":      {in(pdbtest.StreamDBI, 64+36, 1<<31), "module 0 at 0x0"},
		"module's signature":    {in(pdbtest.FirstModule, 0, 2), "module 0 at 0x0: symbol records of version 2"},
		"record without length": {in(pdbtest.FirstModule, 4, 0), "record of 2 bytes"},
		"record too long":       {in(pdbtest.FirstModule, 4, 0x1110ffff), "module 0 at 0x4"},
		"id missing":            {in(pdbtest.StreamIPI, 12, 0x1000), "no record 0x1000"},
		"ids too many":          {in(pdbtest.StreamIPI, 16, 1<<30), "IPI at 0x10"},
		"id of another kind":    {in(pdbtest.StreamIPI, 56, 0x16ff0000|12), "for an inlined function"},
		"public of other kind":  {in(pdbtest.StreamRecords, 0, 0x11100000|28), "address map of public symbols"},
		"public outside":        {in(pdbtest.StreamPublics, 28, 1<<30), "symbol records at 0x40000000"},
		"public map too large":  {in(pdbtest.StreamPublics, 4, 1<<31), "publics at 0x4"},
		"names cut short":       {in(pdbtest.StreamNames, 8, 3), "/names at 0x"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			data := test.change(sample().Bytes())
			f, err := pdb.NewFile(bytes.NewReader(data), int64(len(data)))
			for rva := uint32(0x1000); err == nil && rva < 0x2100; rva += 4 {
				_, _, err = f.Lookup(rva)
			}
			var format *bounded.Error
			if !errors.As(err, &format) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestReadError: an error of the reader comes through.
func TestReadError(t *testing.T) {
	r := &flaky{ReaderAt: bytes.NewReader(sample().Bytes())}
	f, err := pdb.NewFile(r, int64(len(sample().Bytes())))
	if err != nil {
		t.Fatal(err)
	}
	r.broken = true
	if _, ok, err := f.Lookup(0x1208); !errors.Is(err, errFlaky) || ok {
		t.Errorf("got %v, %v", ok, err)
	}
}

var errFlaky = errors.New("flaky")

type flaky struct {
	io.ReaderAt
	broken bool
}

func (f *flaky) ReadAt(p []byte, off int64) (int, error) {
	if f.broken {
		return 0, errFlaky
	}
	return f.ReaderAt.ReadAt(p, off)
}

// TestInlinedBomb: tens of thousands of nested calls with a name of 60 KB each cost a lookup no more than the bound.
func TestInlinedBomb(t *testing.T) {
	t.Parallel()
	p := sample()
	p.Functions = nil
	p.Types = []pdbtest.Class{{Name: strings.Repeat("x", 60_000)}}
	site := pdbtest.Site{}
	for i := range 3000 {
		p.Functions = append(p.Functions, pdbtest.FuncID{Name: "f", Class: 0x1000, File: "x", Line: 1})
		site = pdbtest.Site{Inlinee: uint32(0x1000 + i), Annotations: []byte{3, 0, 4, 0x40}, Sites: []pdbtest.Site{site}}
	}
	p.Modules[0].Procs[1].Sites = []pdbtest.Site{site}
	data := p.Bytes()
	_, ok, err := open(t, data).Lookup(0x1048)
	if !ok || err == nil || !strings.Contains(err.Error(), "longer than the file") {
		t.Errorf("got %v, %v", ok, err)
	}
}

// TestInlinedDepth: of calls within one another those up to a depth are named, and the next one in stands for the rest.
func TestInlinedDepth(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ depth, frames int }{{1, 1}, {256, 256}, {257, 257}, {4000, 257}} {
		p := sample()
		p.Functions = nil
		site := pdbtest.Site{}
		for i := range tt.depth {
			p.Functions = append(p.Functions, pdbtest.FuncID{Name: fmt.Sprintf("f%d", tt.depth-1-i), File: "x", Line: 1})
			inner := []pdbtest.Site{site}
			if i == 0 {
				inner = nil
			}
			site = pdbtest.Site{Inlinee: uint32(0x1000 + i), Annotations: []byte{3, 0, 4, 0x40}, Sites: inner}
		}
		p.Modules[0].Procs[1].Sites = []pdbtest.Site{site}
		sym, ok, err := open(t, p.Bytes()).Lookup(0x1048)
		if !ok || err != nil || len(sym.Inlined) != tt.frames {
			t.Fatalf("depth %d: %d frames, %v, %v", tt.depth, len(sym.Inlined), ok, err)
		}
		innermost := pdb.More
		if tt.depth <= pdb.MaxInlined {
			innermost = fmt.Sprintf("f%d", tt.depth-1)
		}
		if got := sym.Inlined[0]; got.Function != innermost || got.Line != 1 || sym.Inlined[tt.frames-1].Function != "f0" {
			t.Errorf("depth %d: innermost %+v, outermost %+v", tt.depth, got, sym.Inlined[tt.frames-1])
		}
	}
}

// TestRepeatedBlocks: a stream that lists one block ten thousand times claims more than the file has.
func TestRepeatedBlocks(t *testing.T) {
	const blockSize, repeats = 512, 10_000
	le := binary.LittleEndian
	directory := []byte{2, 0, 0, 0, 0, 0, 0, 0}
	directory = le.AppendUint32(directory, blockSize*repeats)
	for range repeats {
		directory = le.AppendUint32(directory, 2)
	}
	file := make([]byte, 3*blockSize)
	var blocks []byte
	for off := 0; off < len(directory); off += blockSize {
		blocks = le.AppendUint32(blocks, uint32(len(file)/blockSize))
		file = append(file, make([]byte, blockSize)...)
		copy(file[len(file)-blockSize:], directory[off:])
	}
	copy(file, "Microsoft C/C++ MSF 7.00\r\n\x1aDS\x00\x00\x00")
	for i, v := range []int{blockSize, 1, len(file)/blockSize + 1, len(directory), 0, len(file) / blockSize} {
		le.PutUint32(file[32+4*i:], uint32(v))
	}
	file = append(append(file, blocks...), make([]byte, blockSize-len(blocks))...)
	_, err := pdb.NewFile(bytes.NewReader(file), int64(len(file)))
	if err == nil || !strings.Contains(err.Error(), "streams up to 1 take 10000 blocks") {
		t.Errorf("got %v", err)
	}
}
