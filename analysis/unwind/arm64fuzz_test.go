package unwind

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// FuzzARM64 walks stacks with unwind data, code and a stack that are all made up.
// It must end, twice in the same way, and go up the stack; and each frame but the
// first must come from something that was there.
func FuzzARM64(f *testing.F) {
	mem, functions := arm64Program(f)
	table := (&exceptionTables{code: mem}).of(&arm64Unwinder(mem).modules.List()[0], armEntrySize)
	for _, name := range []string{"t_next", "t_epilogs", "t_any", "t_signed", "k_context", "k_machine_frame", "t_packed_i2_f2_c2_496"} {
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
		const base, sp = 0x1_8000_0000, 0x7_0000_0000
		image := make([]byte, 0x80, 0x2000)
		binary.LittleEndian.PutUint32(image[0x40:], 0x1000)
		binary.LittleEndian.PutUint32(image[0x44:], data)
		binary.LittleEndian.PutUint32(image[0x48:], 0x1800)
		binary.LittleEndian.PutUint32(image[0x4c:], 1|2<<2|uint32(at)<<13)
		image = append(image, record[:min(len(record), 0x800)]...)
		image = append(image, make([]byte, 0x1000-len(image))...)
		image = append(image, code[:min(len(code), 0x800)]...)
		image = append(image, make([]byte, 0x2000-len(image))...)
		mem := &arm64Memory{base: base, image: image, stack: sp, words: append([]byte{}, stack[:min(len(stack), 1<<14)]...)}
		for i := 0; i+8 <= len(mem.words); i += 8 { // many words point to code, or to the stack
			w := binary.LittleEndian.Uint64(mem.words[i:])
			switch w & 7 {
			case 0, 1:
				w = base + 0x1000 + w>>8%0x1000&^3
			case 2, 3:
				w = sp + w>>8%0x1000&^7
			}
			binary.LittleEndian.PutUint64(mem.words[i:], w)
		}
		regs := Registers{PC: base + 0x1000 + minidump.VA(at)*4, Known: 1<<32 - 1}
		for i := range regs.R {
			regs.R[i] = uint64(seed) * uint64(i)
		}
		regs.R[29], regs.R[30], regs.R[31] = sp+uint64(seed)&0x1ff&^7, base+0x1000+uint64(seed)>>4&0xfff, sp
		walk := func() (frames []Frame, stop Stop) {
			u := arm64Unwinder(mem)
			u.modules = symbol.NewModules([]minidump.Module{{BaseOfImage: base, SizeOfImage: uint32(len(image))}})
			u.arm64().tables.known = map[minidump.VA]exceptionTable{base: {base: base, start: base + 0x40, count: 2, machine: machineARM64}}
			stop, err := u.Walk(t.Context(), regs, func(f Frame, r *Registers) bool {
				for i, v := range r.R {
					if v != 0 && !r.knows(i) {
						t.Errorf("%+v: x%d is %#x and not known", f, i, v)
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
		if stop == "" || len(frames) > 3*(len(mem.words)/8+4) {
			t.Errorf("%d frames of %d bytes, %q", len(frames), len(mem.words), stop)
		}
		for i, f := range frames[1:] {
			if f.SP < frames[i].SP || f.Trust == TrustContext || f.PC == 0 {
				t.Errorf("frame %d: %+v after %+v", i+1, f, frames[i])
			}
		}
	})
}
