package cab_test

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/cab"
)

// build makes a cabinet of one file, in blocks of 32 KiB, MSZIP or stored.
func build(t testing.TB, name string, content []byte, method uint16) []byte {
	t.Helper()
	const reserve = 4 // behind each block's header
	var blocks []byte
	n := uint16(0)
	for off := 0; off < len(content); off += 32 << 10 {
		part := content[off:min(off+32<<10, len(content))]
		data := part
		if method == 1 {
			var b bytes.Buffer
			b.WriteString("CK")
			z, err := flate.NewWriterDict(&b, 9, content[max(0, off-32<<10):off])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := z.Write(part); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			data = b.Bytes()
		}
		blocks = append(blocks, 0, 0, 0, 0) // no checksum
		blocks = binary.LittleEndian.AppendUint16(blocks, uint16(len(data)))
		blocks = binary.LittleEndian.AppendUint16(blocks, uint16(len(part)))
		blocks = append(blocks, make([]byte, reserve)...)
		blocks = append(blocks, data...)
		n++
	}
	le := binary.LittleEndian
	head := make([]byte, 36+4+8)
	copy(head, "MSCF")
	le.PutUint32(head[16:], uint32(len(head)))
	le.PutUint16(head[26:], 1)
	le.PutUint16(head[28:], 1)
	le.PutUint16(head[30:], 4)
	head[39] = reserve
	entry := make([]byte, 16, 64)
	le.PutUint32(entry, uint32(len(content)))
	entry = append(append(entry, name...), 0)
	le.PutUint32(head[40:], uint32(len(head)+len(entry)))
	le.PutUint16(head[44:], n)
	le.PutUint16(head[46:], method)
	le.PutUint32(head[8:], uint32(len(head)+len(entry)+len(blocks)))
	return bytes.Join([][]byte{head, entry, blocks}, nil)
}

func unpack(data []byte) (string, []byte, error) {
	f, err := cab.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return "", nil, err
	}
	var out bytes.Buffer
	n, err := f.WriteTo(&out)
	if n != int64(out.Len()) {
		return "", nil, fmt.Errorf("WriteTo says %d bytes and wrote %d", n, out.Len())
	}
	return f.Name, out.Bytes(), err
}

func content() []byte {
	return []byte(strings.Repeat("handles leak, ", 5000) + "the end")
}

func TestUnpack(t *testing.T) {
	for method, kind := range []string{"stored", "MSZIP"} {
		name, got, err := unpack(build(t, "a.pdb", content(), uint16(method)))
		if err != nil || name != "a.pdb" || !bytes.Equal(got, content()) {
			t.Errorf("%s: %q, %d bytes, %v; want %d bytes", kind, name, len(got), err, len(content()))
		}
	}
}

// TestForeign unpacks a cabinet that gcab 1.5 wrote, with checksums.
func TestForeign(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "symbols", "cab", "words.cab"))
	if err != nil {
		t.Fatal(err)
	}
	name, got, err := unpack(data)
	const want = "c114e10481eaf32c256cf2d1d6585dc22021e63e380bd8d651340e6eb4cb5686"
	if sum := fmt.Sprintf("%x", sha256.Sum256(got)); err != nil || name != "words.txt" || sum != want {
		t.Errorf("%q, %d bytes with sum %s, %v", name, len(got), sum, err)
	}
	data[len(data)-20] ^= 1
	if _, _, err := unpack(data); err == nil || !strings.Contains(err.Error(), "wrong checksum") {
		t.Errorf("changed block: %v, want a wrong checksum", err)
	}
}

func TestHostile(t *testing.T) {
	whole := build(t, "a.pdb", content(), 1)
	put16 := func(off int, v uint16) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint16(b[off:], v); return b }
	}
	put32 := func(off int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[off:], v); return b }
	}
	const block = 48 + 16 + 6 // the first block of data
	tests := []struct {
		name   string
		change func([]byte) []byte
		want   string
	}{
		{"empty", func([]byte) []byte { return nil }, "not a cabinet"},
		{"a PDB", func([]byte) []byte { return []byte("Microsoft C/C++ MSF 7.00") }, "not a cabinet"},
		{"cut in the header", func(b []byte) []byte { return b[:20] }, "bytes wanted"},
		{"cut in a block", func(b []byte) []byte { return b[:len(b)-5] }, "bytes wanted"},
		{"several parts", put16(30, 2), "one part of several"},
		{"no folder", put16(26, 0), "the cabinet is empty"},
		{"no file", put16(28, 0), "the cabinet is empty"},
		{"folder out of range", put16(48+8, 9), "file in folder 9 of 1"},
		{"files nowhere", put32(16, 0xfffffff0), "0 left"},
		{"blocks nowhere", put32(40, 0xfffffff0), "bytes wanted"},
		{"LZX", put16(46, 0x1503), "LZX compression is not supported"},
		{"Quantum", put16(46, 2), "Quantum compression is not supported"},
		{"unknown", put16(46, 9), "compression 0x9"},
		{"larger than its blocks", put32(48, 0xffffffff), "bytes of the file are missing"},
		{"fewer blocks", put16(44, 1), "bytes of the file are missing"},
		{"wrong size of a block", put16(block+6, 0xffff), "unpacks to 65535"},
		{"no bytes in a block", put16(block+6, 0), "unpacks to 0"},
		{"no signature in a block", put16(block+12, 0), "MSZIP block: no signature"},
		{"broken stream", put32(block+14, 0xffffffff), "MSZIP block: flate"},
	}
	for _, tt := range tests {
		_, _, err := unpack(tt.change(bytes.Clone(whole)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, _, err := unpack(put16(46, 3)(bytes.Clone(whole))); !errors.Is(err, cab.ErrCompression) {
		t.Errorf("LZX: %v does not wrap ErrCompression", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(build(f, "a.pdb", content()[:100], 1))
	f.Add(build(f, "a.pdb", content()[:100], 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		name, a, err := unpack(data)
		if len(a) > (len(data)/8+1)*32<<10 {
			t.Fatalf("%d bytes give %d", len(data), len(a))
		}
		name2, b, err2 := unpack(data)
		if name != name2 || !bytes.Equal(a, b) || fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("two runs differ: %v, %v", err, err2)
		}
	})
}

func BenchmarkWriteTo(b *testing.B) {
	data := build(b, "a.pdb", bytes.Repeat(content(), 20), 1)
	b.ReportAllocs()
	b.SetBytes(int64(20 * len(content())))
	for range b.N {
		if _, _, err := unpack(data); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleOpen() {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "symbols", "cab", "words.cab"))
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := cab.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		fmt.Println(err)
		return
	}
	var out bytes.Buffer
	n, err := f.WriteTo(&out)
	fmt.Println(f.Name, n, err)
	// Output: words.txt 120001 <nil>
}
