package unwind

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// TestSymbolFile unwinds a stack by the STACK CFI records of a Breakpad file, on
// every processor and without an image: from f, which has pushed something, through
// g to h, whose caller is nobody.
func TestSymbolFile(t *testing.T) {
	const base, low = 0x400000, 0x10000
	for _, tt := range []struct {
		name     string
		arch     minidump.ProcessorArchitecture
		size     int
		cpu      string
		f, g, h  string // rules
		sp, kept int    // registers: the stack pointer, and one that f has saved
		link     int    // the register of the return address, -1 if that is on the stack
		stack    []uint64
	}{
		{"x86", minidump.ProcessorX86, 4, "x86",
			".cfa: $esp 8 + .ra: .cfa 4 - ^ $ebx: .cfa 8 - ^", ".cfa: $esp 4 + .ra: .cfa 4 - ^", ".cfa: $esp .ra: 0", esp, ebx, -1,
			[]uint64{0x77, base + 0x1110, base + 0x1210}},
		{"amd64", minidump.ProcessorAMD64, 8, "x86_64",
			".cfa: $rsp 16 + .ra: .cfa 8 - ^ $rbx: .cfa 16 - ^", ".cfa: $rsp 8 + .ra: .cfa 8 - ^", ".cfa: $rsp 8 + .ra: .undef", esp, ebx, -1,
			[]uint64{0x77, base + 0x1110, base + 0x1210, 0}},
		{"arm64", minidump.ProcessorARM64, 8, "arm64",
			".cfa: sp 16 + .ra: .cfa 8 - ^ x19: .cfa 16 - ^", ".cfa: sp 8 + .ra: .cfa 8 - ^", ".cfa: sp 8 + .ra: .undef", minidump.RegSP64, 19, minidump.RegLR64,
			[]uint64{0x77, base + 0x1110, base + 0x1210, 0}},
		{"arm", minidump.ProcessorARM, 4, "arm",
			".cfa: sp 8 + .ra: .cfa 4 - ^ r4: .cfa 8 - ^", ".cfa: sp 4 + .ra: .cfa 4 - ^", ".cfa: sp 4 + .ra: .undef", minidump.RegArmSP, 4, minidump.RegArmLR,
			[]uint64{0x77, base + 0x1111, base + 0x1211, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stack []byte
			for _, w := range tt.stack {
				var b [8]byte
				binary.LittleEndian.PutUint64(b[:], w)
				stack = append(stack, b[:tt.size]...)
			}
			arch := uint16(tt.arch)
			f := testdump.Make(t, dumptest.Dump{
				PointerSize: tt.size, SystemInfo: &dumptest.SystemInfo{ProcessorArchitecture: &arch},
				Modules: []dumptest.Module{{Base: base, Size: 0x10000, Name: `C:\a.exe`, CodeView: dumptest.RSDS{GUID: [16]byte{1}, Path: "a.pdb"}}},
				Memory:  []dumptest.MemoryRange{{Start: low, Data: stack}},
			})
			modules, err := f.Modules()
			if err != nil {
				t.Fatal(err)
			}
			key := modules[0].CvRecord.Key()
			dir := t.TempDir()
			folder := filepath.Join(dir, "a.pdb", key)
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf("MODULE windows %s %s a.pdb\nSTACK CFI INIT 1000 100 %s\nSTACK CFI INIT 1100 100 %s\nSTACK CFI INIT 1200 100 %s\n",
				tt.cpu, key, tt.f, tt.g, tt.h)
			if err := os.WriteFile(filepath.Join(folder, "a.sym"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			u := unwinder86(t, f, symbol.Options{SymbolPath: dir})
			regs := Registers{PC: base + 0x1010}
			regs.set(tt.sp, low)
			regs.set(tt.kept, 0x55)
			var got []string
			stop, err := u.Walk(t.Context(), regs, func(fr Frame, r *Registers) bool {
				got = append(got, fmt.Sprintf("%s %s %s %x", fr.PC, fr.SP, fr.Trust, r.R[tt.kept]))
				return true
			})
			s := uint64(tt.size)
			want := []string{
				"0x401010 0x10000 context 55",
				fmt.Sprintf("0x401110 %s cfi 77", minidump.VA(low+2*s)),
				fmt.Sprintf("0x401210 %s cfi 77", minidump.VA(low+3*s)),
			}
			if diff := cmp.Diff(want, got); diff != "" || stop != StopStart || err != nil {
				t.Errorf("%s, %v (-want +got):\n%s", stop, err, diff)
			}
		})
	}
}

// TestFrameDataSizes unwinds by frame data that has no program.
func TestFrameDataSizes(t *testing.T) {
	m, f := load86(t, "frames-fp")
	ret := m.pc // of thread_start, whose first call is of everything
	for m.frames == nil {
		if err := m.step(); err != nil {
			t.Fatal(err)
		}
	}
	ret = m.frames[0].ret
	u := unwinder86(t, f, symbol.Options{})
	u.memory = m
	x := u.x86()
	x.stack = window{r: m}
	const sp = stackLow + 0x100
	put := func(at, v uint32) { binary.LittleEndian.PutUint32(m.stack[at-stackLow:], v) }
	for _, tt := range []struct {
		name   string
		data   symbol.FrameData
		args   int32  // of the callee
		at     uint32 // of the return address, from sp
		saved  uint32 // of ebp, likewise
		found  bool
		wantBP uint64
	}{
		{"nothing", symbol.FrameData{}, 0, 0, 0, true, 0x55},
		{"locals and registers", symbol.FrameData{Locals: 8, SavedRegs: 4}, 0, 12, 0, true, 0x55},
		{"arguments of the callee", symbol.FrameData{Locals: 8}, 8, 16, 0, true, 0x55},
		{"arguments that are not known", symbol.FrameData{Locals: 8}, -1, 28, 0, true, 0x55},
		{"a stack that was aligned", symbol.FrameData{Locals: 8}, 0, 16, 0, true, 0x55},
		{"farther away", symbol.FrameData{Locals: 8}, 0, 40, 0, false, 0},
		{"ebp is saved", symbol.FrameData{Locals: 8, SavedRegs: 12, UsesBP: true}, 8, 28, 8 + 12 - 8, true, 0x77},
		{"ebp is saved nobody knows where", symbol.FrameData{Locals: 8, SavedRegs: 12, UsesBP: true}, -1, 28, 12, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for at := uint32(sp); at < sp+0x100; at += 4 {
				put(at, 0)
			}
			put(sp+tt.saved, 0x77)
			put(sp+tt.at, ret)
			x.stack = window{r: m}
			regs := Registers{PC: minidump.VA(m.base + 0x1100)}
			regs.set(esp, sp)
			regs.set(ebp, 0x55)
			next, ok := x.frameData(t.Context(), Frame{PC: regs.PC, SP: sp}, &regs, &tt.data, calleeX86{args: tt.args, pops: -1})
			if ok != tt.found {
				t.Fatalf("found %v, want %v", ok, tt.found)
			}
			if ok && (next.regs.PC != minidump.VA(ret) || next.regs.R[esp] != uint64(sp+tt.at+4) || next.regs.R[ebp] != tt.wantBP || next.trust != TrustCFI) {
				t.Errorf("%+v", next)
			}
		})
	}
}
