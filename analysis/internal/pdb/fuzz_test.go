package pdb_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
	"github.com/dumpscan/dumpscan/analysis/internal/pdb"
	"github.com/dumpscan/dumpscan/analysis/internal/pdb/pdbtest"
)

// FuzzFile: whatever the bytes, nothing panics, a file or an error comes back, errors are of the documented kinds, an
// answer adds up, and two readers give the same.
func FuzzFile(f *testing.F) {
	small := sample()
	small.BlockSize = 512
	f.Add(small.Bytes(), uint32(0x104c))
	small.Frames = []pdbtest.Frame{{RVA: 0x1040, Size: 0x20, Program: "$eip $esp ^ =", Flags: 4}, {RVA: 0x1041, Size: 0x1f, Program: "x"}}
	small.OldFrames = []byte{0, 0x10, 0, 0, 0x40, 0, 0, 0, 1, 0, 0, 0, 2, 0, 5, 0x53}
	f.Add(small.Bytes(), uint32(0x104c))
	small.Scatter, small.OMAPToSource, small.OMAPFromSource = true, [][2]uint32{{0, 0x1000}}, [][2]uint32{{0x1000, 0}}
	f.Add(small.Bytes(), uint32(0x4c))
	data, err := os.ReadFile(filepath.Join("../../../testdata/symbols/pdb", "handles64.pdb"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, uint32(0x1500))
	f.Fuzz(checkFile)
}

// FuzzDamage is FuzzFile of a sound file with a few changed bytes, each change an offset of two bytes and a value. It
// gets behind the first check sooner, and its inputs are small.
func FuzzDamage(f *testing.F) {
	small := sample()
	small.BlockSize = 512
	whole := small.Bytes()
	f.Add([]byte{}, uint32(0x104c))
	f.Add([]byte{0, 0, 1}, uint32(0x1010))
	f.Fuzz(func(t *testing.T, changes []byte, rva uint32) {
		data := bytes.Clone(whole)
		for ; len(changes) >= 3; changes = changes[3:] {
			off := int(changes[0])<<8 | int(changes[1])
			data[off%len(data)] = changes[2]
		}
		checkFile(t, data, rva)
	})
}

func checkFile(t *testing.T, data []byte, rva uint32) {
	a, err := pdb.NewFile(bytes.NewReader(data), int64(len(data)))
	if (a == nil) != (err != nil) {
		t.Fatalf("file %v, error %v", a, err)
	}
	var format *bounded.Error
	if err != nil {
		if !errors.Is(err, pdb.ErrNotPDB) && !errors.Is(err, pdb.ErrManaged) && !errors.As(err, &format) {
			t.Errorf("error %v", err)
		}
		return
	}
	b, err := pdb.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []uint32{rva, rva ^ 1, rva + 0x100, 0x1010, 0x104c} {
		sym, ok, err := a.Lookup(at)
		again, okAgain, errAgain := b.Lookup(at)
		if !reflect.DeepEqual(sym, again) || ok != okAgain || (err == nil) != (errAgain == nil) {
			t.Errorf("two runs differ: %v and %v, %v and %v", sym, again, err, errAgain)
		}
		if err != nil && !errors.As(err, &format) {
			t.Errorf("error %v", err)
		}
		frame, found, err := a.FrameData(at)
		frameAgain, foundAgain, _ := b.FrameData(at)
		if frame != frameAgain || found != foundAgain {
			t.Errorf("two runs differ: %v and %v, %v and %v", frame, frameAgain, found, foundAgain)
		}
		if found && at-frame.RVA >= frame.Size && !a.Rearranged() || !found && frame != (pdb.FrameData{}) || err != nil && !errors.As(err, &format) {
			t.Errorf("frame of %#x: %+v, %v, %v", at, frame, found, err)
		}
		if ok && sym.RVA+sym.Displacement != at && !a.Rearranged() || !ok && !reflect.DeepEqual(sym, pdb.Symbol{}) {
			t.Errorf("%#x, found %v: %+v", at, ok, sym)
		}
	}
}
