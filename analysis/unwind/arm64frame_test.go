package unwind

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// arm64Plain is a module without unwind data.
const arm64Plain = 0x10_0000_0000

// arm64PlainCode is the code of the module, by offset.
var arm64PlainCode = map[uint64][]uint32{
	0x100: {0xd503201f, 0xd10083ff, 0xf81f0ff3, 0x910083ff, 0xd65f03c0},            // leaf: nop; sub sp, sp, #32; str x19, [sp, #-16]!; add sp, sp, #32; ret
	0x200: {0xd503237f, 0xa9be7bfd, 0x910003fd, arm64BL(0x20c, 0x100), 0xd503201f}, // f: pacibsp; stp x29, x30, [sp, #-32]!; mov x29, sp; bl leaf
	0x214: {0xa8c27bfd, 0xd50323ff, 0xd65f03c0},                                    // ldp x29, x30, [sp], #32; autibsp; ret
	0x300: {0xa9be7bfd, 0x910003fd, arm64BL(0x308, 0x200), 0xd503201f},             // g calls f
	0x400: {0xa9be7bfd, 0x910003fd, 0xd63f0100, 0xd503201f},                        // h calls x8
	0x500: {0xd2801168, 0xd4000001},                                                // mov x8, #139; svc #0: a signal handler returns here
	0x700: {arm64BL(0x700, 0x780)},
	0x600: {0xa9be7bfd, 0x910003fd, 0xd503201f, arm64BL(0x60c, 0x100), 0xd503201f},
}

func arm64BL(from, to int32) uint32 { return 0x94000000 | uint32(to-from)/4&(1<<26-1) }

// The places behind the calls.
const (
	inF = arm64Plain + 0x210
	inG = arm64Plain + 0x30c
	inH = arm64Plain + 0x40c
)

func TestARM64Convention(t *testing.T) {
	const sp = 0x7_0000_0000
	const signature = 0x2a<<48 | 0x55<<40 // of a system whose addresses have 39 bits
	chain := map[uint64]uint64{           // of g, called by h, where the thread began
		sp + 0x40: sp + 0x80, sp + 0x48: inG, sp + 0x80: sp + 0xc0, sp + 0x88: inH, sp + 0xc0: 0, sp + 0xc8: 0,
	}
	with := func(more ...uint64) map[uint64]uint64 {
		stack := map[uint64]uint64{}
		for at, v := range chain {
			stack[at] = v
		}
		for i := 0; i < len(more); i += 2 {
			stack[more[i]] = more[i+1]
		}
		return stack
	}
	all := []string{"G at +0x50 by frame pointer", "H at +0x90 by frame pointer"}
	tests := []struct {
		name       string
		pc, fp, lr uint64
		stack      map[uint64]uint64
		want       []string
		stop       Stop
	}{
		{"in the middle of a function", inF, sp + 0x40, inF, chain, all, StopStart},
		{"the thread begins with an fp of zero", inF, sp + 0x40, inF, with(sp+0xc8, inG), append(all[:2:2], "G at +0xd0 by frame pointer"), StopStart},
		{"it has called nothing yet", inF - 4, sp + 0x40, inG, chain, all, StopStart},
		{"at its begin", arm64Plain + 0x200, sp + 0x80, inG | signature, chain,
			[]string{"G at +0x0 by frame pointer", "H at +0x90 by frame pointer"}, StopStart},
		{"it has stored fp, and not set it", arm64Plain + 0x208, sp + 0x80, inG, chain,
			[]string{"G at +0x20 by frame pointer", "H at +0x90 by frame pointer"}, StopStart},
		{"about to return", arm64Plain + 0x218, sp + 0x80, inG | 0x2a<<48, chain,
			[]string{"G at +0x0 by frame pointer", "H at +0x90 by frame pointer"}, StopStart},
		{"in a leaf", arm64Plain + 0x104, sp + 0x40, inF, chain, append([]string{"F at +0x0 by frame pointer"}, all...), StopStart},
		{"in a leaf with a frame", arm64Plain + 0x10c, sp + 0x40, inF, chain, append([]string{"F at +0x30 by frame pointer"}, all...), StopStart},
		{"in a leaf that gives it back", arm64Plain + 0x110, sp + 0x40, inF, chain, append([]string{"F at +0x0 by frame pointer"}, all...), StopStart},
		{"called where nothing is", 0, sp + 0x80, inH, chain, []string{"H at +0x0 by frame pointer", "H at +0x90 by frame pointer"}, StopStart},
		{"signed addresses", inF, sp + 0x40, inF, with(sp+0x48, inG|signature, sp+0x88, inH|0x2a<<48), all, StopStart},
		{"a record that leads down", inF, sp + 0x40, inF, with(sp+0x40, sp+0x20, sp+0x10, inH-4, sp+0x30, inG),
			[]string{"G at +0x38 by scan", "G at +0x50 by scan", "H at +0x90 by scan"}, StopStart},
		{"no return address in the record", inF, sp + 0x40, inF, with(sp+0x48, inG-4), []string{"H at +0x90 by scan"}, StopStart},
		{"fp is something else", inF, 0x1234, inF, chain, []string{"G at +0x50 by scan", "H at +0x90 by frame pointer"}, StopStart},
		{"left over from another call", inF, 0x1234, inF, with(sp+0x20, arm64Plain+0x704), []string{"G at +0x50 by scan", "H at +0x90 by frame pointer"}, StopStart},
		{"no frame record at all", inF, 0, inF, map[uint64]uint64{sp + 0x40: 1}, nil, StopNoUnwind},
		{"no stack", inF, sp + 0x4000, inF, nil, nil, StopNoStack},
		{"small dump: by the records alone", inF, sp + 0x40, inG, chain, all, StopStart},
		{"small dump: no record", inF, sp + 0x48, inG, chain, nil, StopNoImage},
		{"small dump: called where nothing is", 0x10, sp + 0x80, inH, chain, []string{"H at +0x0 by frame pointer", "H at +0x90 by frame pointer"}, StopStart},
		{"a signal", inF, sp + 0x40, inF, with(sp+0x40, sp+0x400, sp+0x48, arm64Plain+0x500,
			sp+0x50+312+29*8, sp+0x80, sp+0x50+312+31*8, sp+0x70, sp+0x50+312+32*8, inG-4),
			[]string{"signal at +0x50 by frame pointer", "G-4 at +0x70 by cfi", "H at +0x90 by frame pointer"}, StopStart},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mem := &arm64Memory{base: arm64Plain, image: make([]byte, 0x1000), stack: sp, words: make([]byte, 0x1000)}
			for off, code := range arm64PlainCode {
				for i, inst := range code {
					binary.LittleEndian.PutUint32(mem.image[off+4*uint64(i):], inst)
				}
			}
			if tt.stack == nil {
				mem.words = nil
			}
			for at, v := range tt.stack {
				mem.put(at, v)
			}
			regs := Registers{PC: minidump.VA(tt.pc), Known: 1<<32 - 1}
			regs.R[29], regs.R[30], regs.R[31] = tt.fp, tt.lr, sp
			var got []string
			u := arm64Unwinder(mem)
			if strings.HasPrefix(tt.name, "small dump: ") {
				mem.image = nil
			}
			stop, err := u.Walk(t.Context(), regs, func(f Frame, r *Registers) bool {
				name := map[minidump.VA]string{inF: "F", inG: "G", inG - 4: "G-4", inH: "H", arm64Plain + 0x500: "signal"}[f.PC]
				if name == "" {
					name = f.PC.String()
				}
				got = append(got, fmt.Sprintf("%s at +%#x by %s", name, uint64(f.SP-sp), f.Trust))
				return len(got) < 10
			})
			if diff := cmp.Diff(tt.want, got[1:]); diff != "" && len(tt.want)+len(got) > 1 {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if stop != tt.stop || err != nil {
				t.Errorf("%q, %v, want %q", stop, err, tt.stop)
			}
		})
	}
}

func TestStripPAC(t *testing.T) {
	arch := uint16(12)
	const base = 0x71_2345_0000 // of a system whose addresses have 39 bits
	tests := []struct {
		mask       uint64
		addr, want minidump.VA
	}{
		{0, base + 8, base + 8},
		{0, 0x12_3456<<40&^(1<<55) | base + 8, base + 8},   // in the module
		{0, 0x2a<<48 | 0x7f12_3456_7890, 0x7f12_3456_7890}, // in none
		{0, 0x5a_0071_9999_0000, 0x71_9999_0000},           // likewise
		{0, 0xfffff800_12345678, 0xfffff800_12345678},      // of the kernel
		{1<<39 - 1, 0x2a<<48 | 0x7f80_0000_0000 | 0x66_0000_1000, 0x66_0000_1000},
		{1, 0x2a<<48 | 0x7f12_3456_7890, 0x7f12_3456_7890}, // cannot be
	}
	for _, tt := range tests {
		d := dumptest.Dump{
			SystemInfo: &dumptest.SystemInfo{ProcessorArchitecture: &arch},
			Modules:    []dumptest.Module{{Base: base, Size: 0x1000, Name: "libc.so"}},
		}
		if tt.mask != 0 {
			d.CrashpadInfo = &dumptest.CrashpadInfo{AddressMask: tt.mask}
		}
		data := d.Bytes()
		f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		s, err := symbol.NewResolver(f, symbol.Options{})
		if err != nil {
			t.Fatal(err)
		}
		u, err := New(f, s, s.Code(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		if got := u.arm64().stripPAC(tt.addr); got != tt.want {
			t.Errorf("%s with the mask %#x: %s, want %s", tt.addr, tt.mask, got, tt.want)
		}
	}
}
