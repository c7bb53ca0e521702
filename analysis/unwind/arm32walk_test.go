package unwind

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// TestARM32Interrupted stops at every instruction of the functions that the kernel
// enters with the state of an interrupted one on the stack.
func TestARM32Interrupted(t *testing.T) {
	mem, functions := arm32Program(t)
	u := arm32Unwinder(mem)
	const pc = 0x61235678
	for name, enter := range map[string]func(c *arm32CPU) arm32Caller{
		"k_context": func(c *arm32CPU) arm32Caller {
			was := c.caller(pc)
			c.r[13] -= 512
			c.store(c.r[13], 0x20000f)
			for i := range uint32(16) {
				c.store(c.r[13]+4+4*i, 0xc0c0+i)
			}
			for i := range was.kept[:8] {
				was.kept[i] = 0xc0c4 + uint32(i)
			}
			c.store(c.r[13]+4+4*13, was.kept[8])
			c.store(c.r[13]+4+4*15, pc|1)
			return was
		},
		"k_machine_frame": func(c *arm32CPU) arm32Caller {
			was := c.caller(pc)
			c.r[13] -= 8
			c.store(c.r[13], was.kept[8])
			c.store(c.r[13]+4, pc|1)
			return was
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := arm32Start(mem, uint32(functions[name]), 1)
			end := c.r[15] + 6
			was := enter(c)
			was.interrupted = true
			c.run(t, u, was, end, map[uint32]bool{})
			if c.r[15] != end {
				t.Errorf("ended at %#x, want %#x", c.r[15], end)
			}
			// Without the stack there is no caller.
			regs := Registers{PC: minidump.VA(end - 4), Known: 1<<16 - 1}
			for i, v := range c.r {
				regs.R[i] = uint64(v)
			}
			u.memory = &arm64Memory{}
			u.arm32State.stack = window{r: u.memory}
			if stop, _ := u.Walk(t.Context(), regs, func(f Frame, _ *Registers) bool { return f.PC == regs.PC }); stop != StopNoStack {
				t.Errorf("without a stack: %q", stop)
			}
			u.memory = mem
		})
	}
}

// TestARM32Convention walks in code without unwind data.
func TestARM32Convention(t *testing.T) {
	const base, sp = 0x10000, 0x70000000
	// Each is behind a call: bl; blx r3 in the last two bytes.
	const inF, inG, inH = base + 0x104, base + 0x204, base + 0x304
	code := map[uint32]uint32{0x100: 0xf800f000, 0x200: 0xff7ef7ff, 0x300: 0x4798bf00, 0x400: 0xf800f000} // 0x200 calls 0x100
	chain := func(more ...uint32) map[uint32]uint32 {
		stack := map[uint32]uint32{sp + 0x40: sp + 0x80, sp + 0x44: inG | 1, sp + 0x80: 0, sp + 0x84: inH | 1}
		for i := 0; i < len(more); i += 2 {
			stack[more[i]] = more[i+1]
		}
		return stack
	}
	all := []string{"G at +0x48 by frame pointer", "H at +0x88 by frame pointer"}
	tests := []struct {
		name    string
		pc      uint32
		r11, r7 uint32
		stack   map[uint32]uint32
		want    []string
		stop    Stop
	}{
		{"r11", inF, sp + 0x40, 1, chain(), all, StopStart},
		{"r7", inF, 1, sp + 0x40, chain(), all, StopNoUnwind},
		{"the end in both words", inF, sp + 0x40, 1, chain(sp+0x84, 0), all[:1], StopStart},
		{"small dump: r11", inF, sp + 0x40, 1, chain(), all, StopStart},
		{"called where nothing is", 0x10, sp + 0x80, 1, chain(), []string{"F at +0x0 by frame pointer", "H at +0x88 by frame pointer"}, StopStart},
		{"no return address", inF, sp + 0x40, 1, chain(sp+0x44, inG-2), []string{"H at +0x88 by scan"}, StopNoUnwind},
		{"a record that leads down", inF, sp + 0x40, 1, chain(sp+0x40, sp+0x10), []string{"G at +0x48 by scan", "H at +0x88 by scan"}, StopNoUnwind},
		{"left over from another call", inF, 1, 1, chain(sp+0x20, base+0x404|1), []string{"G at +0x48 by scan", "H at +0x88 by scan"}, StopNoUnwind},
		{"no stack", inF, sp + 0x40, 1, nil, nil, StopNoStack},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mem := &arm64Memory{base: base, image: make([]byte, 0x1000), stack: sp, words: make([]byte, 0x1000)}
			for off, word := range code {
				binary.LittleEndian.PutUint32(mem.image[off:], word)
			}
			if tt.stack == nil {
				mem.words = nil
			}
			for at, v := range tt.stack {
				binary.LittleEndian.PutUint32(mem.at(uint64(at), 4), v)
			}
			regs := Registers{PC: minidump.VA(tt.pc), Known: 1<<16 - 1}
			regs.R[7], regs.R[11], regs.R[13], regs.R[14] = uint64(tt.r7), uint64(tt.r11), sp, inF|1
			u := arm32Unwinder(mem)
			if strings.HasPrefix(tt.name, "small dump: ") {
				mem.image = nil
			}
			var got []string
			stop, err := u.Walk(t.Context(), regs, func(f Frame, r *Registers) bool {
				name := map[minidump.VA]string{inF: "F", inG: "G", inH: "H"}[f.PC]
				got = append(got, fmt.Sprintf("%s at +%#x by %s", name, uint64(f.SP-sp), f.Trust))
				return len(got) < 10
			})
			if diff := cmp.Diff(tt.want, got[1:]); diff != "" && len(tt.want)+len(got) > 1 {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if stop == StopNoImage {
				stop = StopNoUnwind
			}
			if stop != tt.stop || err != nil {
				t.Errorf("%q, %v, want %q", stop, err, tt.stop)
			}
		})
	}
}

// FuzzARM32 is [FuzzARM64] for 32-bit ARM.
func FuzzARM32(f *testing.F) {
	mem, functions := arm32Program(f)
	table := (&exceptionTables{code: mem}).of(&arm32Unwinder(mem).modules.List()[0], armEntrySize)
	for _, name := range []string{"t_low", "t_wide", "t_epilogs", "t_many", "k_context", "k_machine_frame", "t_packed_clr4peh_0_4"} {
		begin := functions[name] - mem.base
		e, _, err := armImage{mem, table}.entry(uint32(begin))
		data := e.data
		if err != nil {
			f.Fatal(err)
		}
		record := []byte{}
		if data&3 == 0 {
			record = mem.image[data : data+64]
			data = 0x80
		}
		stack := make([]byte, 512)
		for i := range stack {
			stack[i] = byte(i * 7)
		}
		for at := range uint16(20) {
			f.Add(data, record, mem.image[begin:begin+128], at, stack, int64(at))
		}
	}
	f.Fuzz(func(t *testing.T, data uint32, record, code []byte, at uint16, stack []byte, seed int64) {
		const base, sp = 0x1000_0000, 0x7000_0000
		image := make([]byte, 0x80, 0x2000)
		binary.LittleEndian.PutUint32(image[0x40:], 0x1001)
		binary.LittleEndian.PutUint32(image[0x44:], data)
		image = append(image, record[:min(len(record), 0x800)]...)
		image = append(image, make([]byte, 0x1000-len(image))...)
		image = append(image, code[:min(len(code), 0x800)]...)
		image = append(image, make([]byte, 0x2000-len(image))...)
		mem := &arm64Memory{base: base, image: image, stack: sp, words: append([]byte{}, stack[:min(len(stack), 1<<14)]...)}
		for i := 0; i+4 <= len(mem.words); i += 4 { // many words point to code, or to the stack
			w := binary.LittleEndian.Uint32(mem.words[i:])
			switch w & 7 {
			case 0, 1:
				w = base + 0x1000 + w>>8%0x1000
			case 2, 3:
				w = sp + w>>8%0x1000&^3
			}
			binary.LittleEndian.PutUint32(mem.words[i:], w)
		}
		regs := Registers{PC: base + 0x1000 + minidump.VA(at)*2, Known: 1<<16 - 1}
		for i := range 16 {
			regs.R[i] = uint64(uint32(seed) * uint32(i))
		}
		regs.R[11], regs.R[14], regs.R[13] = sp+uint64(seed)&0x1ff&^3, base+0x1000+uint64(seed)>>4&0xfff, sp
		walk := func() (frames []Frame, stop Stop) {
			u := arm32Unwinder(mem)
			u.modules = symbol.NewModules([]minidump.Module{{BaseOfImage: base, SizeOfImage: uint32(len(image))}})
			u.arm32().tables.known = map[minidump.VA]exceptionTable{base: {base: base, start: base + 0x40, count: 1, machine: machineARMNT}}
			stop, err := u.Walk(t.Context(), regs, func(f Frame, r *Registers) bool {
				for i, v := range r.R {
					if v != 0 && !r.knows(i) || v > 1<<32-1 {
						t.Errorf("%+v: r%d is %#x (known: %t)", f, i, v, r.knows(i))
					}
				}
				frames = append(frames, f)
				return true
			})
			if err != nil {
				t.Error(err)
			}
			return frames, stop
		}
		frames, stop := walk()
		again, stopAgain := walk()
		if diff := cmp.Diff(frames, again); diff != "" || stop != stopAgain {
			t.Errorf("another way the second time: %s, %s\n%s", stop, stopAgain, diff)
		}
		if stop == "" || len(frames) > 3*(len(mem.words)/4+4) {
			t.Errorf("%d frames of %d bytes, %q", len(frames), len(mem.words), stop)
		}
		for i, f := range frames[1:] {
			if f.SP < frames[i].SP || f.Trust == TrustContext || f.PC > 1<<32-1 {
				t.Errorf("frame %d: %+v after %+v", i+1, f, frames[i])
			}
		}
	})
}
