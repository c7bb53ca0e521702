package pdb_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/pdb"
	"github.com/dumpscan/dumpscan/analysis/internal/pdb/pdbtest"
)

// TestFrameDataLikeLLVM compares the frame data of a PDB with what
// "llvm-pdbutil dump --fpo" says, in handles32.fpo.
func TestFrameDataLikeLLVM(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "testdata", "symbols", "pdb")
	golden, err := os.ReadFile(filepath.Join(folder, "handles32.fpo"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := pdb.Open(filepath.Join(folder, "handles32.pdb"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := 0
	for line := range strings.Lines(string(golden)) {
		var want pdb.FrameData
		var stack uint32
		var seh, cxx bool
		n, _ := fmt.Sscanf(strings.ReplaceAll(line, "|", " "), "%x %d %d %d %d %d %d %t %t %t", &want.RVA, &want.Size, &want.Locals, &want.Params,
			&stack, &want.Prolog, &want.SavedRegs, &seh, &cxx, &want.FunctionStart)
		if n < 10 {
			continue
		}
		rows++
		want.Program = strings.TrimSuffix(line[strings.LastIndex(line, "| ")+2:], "\n")
		got, ok, err := f.FrameData(want.RVA)
		if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
			t.Errorf("%#x: %v, %v (-want +got):\n%s", want.RVA, ok, err, diff)
		}
	}
	if rows < 40 {
		t.Errorf("%d rows", rows)
	}
}

func TestFrameData(t *testing.T) {
	const program = "$T0 .raSearch = $eip $T0 ^ ="
	frames := []pdbtest.Frame{
		{RVA: 0x1043, Size: 0x1d, Locals: 16, Params: 8, SavedRegs: 4, Program: program + " $ebp $T0 4 - ^ ="},
		{RVA: 0x1040, Size: 0x20, Params: 8, Prolog: 3, Program: program, Flags: 4},
		{RVA: 0x1041, Size: 0x1f, Params: 8, Prolog: 2, SavedRegs: 4, Program: program, Flags: 3},
	}
	old := []byte{
		0x40, 0x10, 0, 0, 0x80, 0, 0, 0, 3, 0, 0, 0, 2, 0, 5, 0x53, // 3 words of locals, 2 of arguments, prolog 5, 3 registers, ebp used
		0xc0, 0x10, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, // nothing, an exception handler
	}
	inner := pdb.FrameData{RVA: 0x1043, Size: 0x1d, Locals: 16, Params: 8, SavedRegs: 4, Program: program + " $ebp $T0 4 - ^ ="}
	start := pdb.FrameData{RVA: 0x1040, Size: 0x20, Params: 8, Prolog: 3, Program: program, FunctionStart: true}
	pushed := pdb.FrameData{RVA: 0x1041, Size: 0x1f, Params: 8, Prolog: 2, SavedRegs: 4, Program: program}
	fpo := pdb.FrameData{RVA: 0x1040, Size: 0x80, Locals: 12, Params: 8, Prolog: 5, SavedRegs: 12, UsesBP: true, FunctionStart: true}
	none := pdb.FrameData{}
	tests := []struct {
		name   string
		change func(*pdbtest.PDB)
		want   map[uint32]pdb.FrameData
	}{
		{"both", func(p *pdbtest.PDB) { p.Frames, p.OldFrames = frames, old }, map[uint32]pdb.FrameData{
			0x103f: none, 0x1040: start, 0x1041: pushed, 0x1042: pushed, 0x1043: inner, 0x105f: inner, 0x1060: fpo, 0x10bf: fpo,
			0x10c0: {RVA: 0x10c0, Size: 0x10, FunctionStart: true}, 0x10d0: none, 0: none, 0xffffffff: none,
		}},
		{"with programs", func(p *pdbtest.PDB) { p.Frames = frames }, map[uint32]pdb.FrameData{0x1041: pushed, 0x1060: none}},
		{"without", func(p *pdbtest.PDB) { p.OldFrames = old }, map[uint32]pdb.FrameData{0x1041: fpo}},
		{"neither", func(*pdbtest.PDB) {}, map[uint32]pdb.FrameData{0x1041: none}},
		{"rearranged", func(p *pdbtest.PDB) {
			p.Frames = frames
			p.OMAPToSource, p.OMAPFromSource = [][2]uint32{{0x1000, 0}, {0x2000, 0x1040}, {0x2010, 0}}, [][2]uint32{{0x1040, 0x2000}}
		}, map[uint32]pdb.FrameData{0x2001: pushed, 0x1041: none, 0x2010: none}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := sample()
			tt.change(&p)
			f := open(t, p.Bytes())
			for rva, want := range tt.want {
				got, ok, err := f.FrameData(rva)
				if diff := cmp.Diff(want, got); diff != "" || ok != (want != none) || err != nil {
					t.Errorf("%#x: %v, %v (-want +got):\n%s", rva, ok, err, diff)
				}
			}
		})
	}
}
