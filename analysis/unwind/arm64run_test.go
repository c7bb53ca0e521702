package unwind

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

const arm64Dir = "../../testdata/unwind/ARM64"

func arm64Program(t testing.TB) (mem *arm64Memory, functions map[string]uint64) {
	t.Helper()
	return loadProgram(t, arm64Dir)
}

// loadProgram loads unwind.dll, and gives it a stack of 1 MiB.
func loadProgram(t testing.TB, dir string) (mem *arm64Memory, functions map[string]uint64) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "unwind.dll"))
	if err != nil {
		t.Fatal(err)
	}
	img, err := peimage.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	mem = &arm64Memory{base: img.ImageBase, image: make([]byte, img.SizeOfImage), stack: 0x7_0000_0000, words: make([]byte, 1<<20)}
	copy(mem.image, data[:0x400])
	for _, s := range img.Sections {
		code, err := img.Data(s)
		if err != nil {
			t.Fatal(err)
		}
		copy(mem.image[s.VirtualAddress:], code)
	}
	exports, err := img.Exports()
	if err != nil {
		t.Fatal(err)
	}
	functions = map[string]uint64{}
	for rva := range img.SizeOfImage {
		if e, ok, _ := exports.Lookup(rva); ok && e.RVA == rva {
			functions[e.Name] = img.ImageBase + uint64(rva)
		}
	}
	return mem, functions
}

// arm64Unwinder unwinds in the memory of the program.
func arm64Unwinder(mem *arm64Memory) *Unwinder {
	modules := symbol.NewModules([]minidump.Module{{
		BaseOfImage: minidump.VA(mem.base), SizeOfImage: uint32(len(mem.image)), ModuleName: `C:\unwind.dll`,
	}})
	return &Unwinder{
		arch: minidump.ProcessorARM64, memory: mem, code: mem, modules: modules, limit: maxFrames, step: stepARM64,
		calls: &CallDecoder{Code: mem, Arch: minidump.ProcessorARM64, Plausible: func(addr minidump.VA) bool {
			_, ok := modules.Find(addr)
			return ok
		}},
	}
}

// arm64Caller is a frame that waits for a call to return.
type arm64Caller struct {
	ret         uint64
	kept        [12]uint64 // x19 to x29, then sp
	interrupted bool       // waits for an exception to be handled
	unknown     uint32     // a bit for each register that cannot be known
}

func (c *arm64CPU) caller(ret uint64) (f arm64Caller) {
	f.ret = ret
	copy(f.kept[:], c.x[19:30])
	f.kept[11] = c.x[31]
	return f
}

// arm64Outside is where the functions under test return to.
const arm64Outside = 0x7ff6_1234_0010

// start prepares the call of a function. All registers have values of their own.
func (m *arm64Memory) start(pc, arg uint64) *arm64CPU {
	c := &arm64CPU{mem: m, pc: pc}
	for i := range c.x {
		c.x[i] = 0xb0b0_0000 + uint64(i)
	}
	clear(m.words)
	c.x[0] = arg
	c.x[29] = m.stack + uint64(len(m.words)) - 64
	c.x[30] = arm64Outside
	c.x[31] = m.stack + uint64(len(m.words)) - 4096
	for i := c.x[31]; i < m.stack+uint64(len(m.words)); i += 8 {
		m.put(i, 0xdead_0000+i&0xffff)
	}
	return c
}

// check walks the stack, and compares all frames with those that wait.
func (c *arm64CPU) check(t *testing.T, u *Unwinder, callers []arm64Caller) bool {
	t.Helper()
	regs := Registers{PC: minidump.VA(c.pc), R: c.x, Known: 1<<32 - 1}
	if u.arm64State != nil {
		u.arm64State.stack = window{r: u.memory} // the last look is out of date
	}
	ok, n := true, 0
	fail := func(format string, args ...any) bool {
		t.Errorf("at %#x, frame %d: %s", c.pc, n, fmt.Sprintf(format, args...))
		ok = false
		return false
	}
	stop, err := u.Walk(t.Context(), regs, func(f Frame, r *Registers) bool {
		if n == 0 {
			n++
			return true
		}
		want := callers[len(callers)-n]
		if uint64(f.PC) != want.ret || f.Trust != TrustCFI || f.Return == want.interrupted {
			return fail("%+v, want a return to %#x", f, want.ret)
		}
		if r.Known&want.unknown != 0 {
			return fail("known are %#x, of which %#x cannot be", r.Known, want.unknown)
		}
		for i, v := range want.kept {
			reg := 19 + i
			if i == 11 {
				reg = 31
			}
			if want.unknown>>reg&1 == 0 && (!r.knows(reg) || r.R[reg] != v) {
				return fail("x%d is %#x (known: %t), want %#x", reg, r.R[reg], r.knows(reg), v)
			}
		}
		n++
		return n <= len(callers)
	})
	if err != nil || n <= len(callers) && ok {
		return fail("the walk stops after %d of %d callers: %q, %v", n-1, len(callers), stop, err)
	}
	return ok
}

// run executes a function to its end, or to an address, checking before each
// instruction.
func (c *arm64CPU) run(t *testing.T, u *Unwinder, caller arm64Caller, end uint64, seen map[uint64]bool) {
	t.Helper()
	callers := []arm64Caller{caller}
	for steps := 0; len(callers) > 0 && !c.halted && c.pc != end; steps++ {
		seen[c.pc] = true
		if !c.check(t, u, callers) {
			return
		}
		pc, inst := c.pc, binary.LittleEndian.Uint32(c.mem.at(c.pc, 4))
		if err := c.step(); err != nil || steps > 100_000 {
			t.Errorf("%d steps, %v", steps, err)
			return
		}
		switch top := callers[len(callers)-1]; {
		case inst>>26 == 0x25, inst&0xfffffc1f == 0xd63f0000: // bl, blr
			callers = append(callers, c.caller(pc+4))
		case c.pc == top.ret:
			if now := c.caller(top.ret); now != top {
				t.Errorf("%#x returns with %+v, want %+v: the function is wrong", pc, now, top)
			}
			callers = callers[:len(callers)-1]
		}
	}
}

// TestARM64Interrupted stops at every instruction of the functions that the kernel
// enters with the state of an interrupted one on the stack.
func TestARM64Interrupted(t *testing.T) {
	mem, functions := arm64Program(t)
	u := arm64Unwinder(mem)
	const pc = 0x7ff6_1234_5678
	tests := []struct {
		name   string
		length uint64 // of what is run
		enter  func(c *arm64CPU) arm64Caller
	}{
		{"k_context", 8, func(c *arm64CPU) arm64Caller {
			was := arm64Caller{ret: pc, interrupted: true}
			sp := c.x[31]
			c.x[31] -= 1024
			copy(mem.at(c.x[31], 912), dumptest.ContextARM64(pc, sp, 0x2929, 0x3030))
			for i := range was.kept {
				was.kept[i] = uint64(0xc0c0 + i)
				mem.put(c.x[31]+8+8*uint64(19+i), was.kept[i])
			}
			was.kept[10], was.kept[11] = 0x2929, sp
			mem.put(c.x[31]+8+8*29, 0x2929)
			mem.put(c.x[31]+8+8*30, 0x3030)
			mem.put(c.x[31]+8+8*31, sp)
			return was
		}},
		{"k_machine_frame", 8, func(c *arm64CPU) arm64Caller {
			was := c.caller(pc)
			was.interrupted = true
			c.x[31] -= 16
			mem.put(c.x[31], was.kept[11])
			mem.put(c.x[31]+8, pc)
			return was
		}},
		{"k_ec_context", 4, func(c *arm64CPU) arm64Caller {
			was := arm64Caller{ret: pc, interrupted: true, unknown: 1<<23 | 1<<24 | 1<<28}
			was.kept[10], was.kept[11] = 0x2929, c.x[31]
			c.x[31] -= 2048
			copy(mem.at(c.x[31], 1232), dumptest.ContextAMD64(pc, was.kept[11], 0x2929))
			for reg, at := range map[int]uint64{19: 0xd8, 20: 0xe0, 21: 0xe8, 22: 0xf0, 25: 0xa8, 26: 0xb0, 27: 0x90} {
				was.kept[reg-19] = 0xecec + at
				mem.put(c.x[31]+at, was.kept[reg-19])
			}
			return was
		}},
		{"k_interrupted", 8, func(c *arm64CPU) arm64Caller {
			was := c.caller(arm64Outside)
			was.interrupted, was.unknown = true, 1<<30
			return was
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := mem.start(functions[tt.name], 1)
			end := c.pc + tt.length
			was := tt.enter(c)
			c.run(t, u, was, end, map[uint64]bool{})
			if c.pc != end {
				t.Errorf("ended at %#x, want %#x", c.pc, end)
			}
			// Without the stack there is no caller.
			u.memory = &arm64Memory{}
			c.pc -= 4
			regs := Registers{PC: minidump.VA(c.pc), R: c.x, Known: 1<<32 - 1}
			u.arm64State.stack = window{r: u.memory}
			if stop, _ := u.Walk(t.Context(), regs, func(f Frame, _ *Registers) bool { return f.PC == regs.PC }); stop != StopNoStack {
				t.Errorf("without a stack: %q", stop)
			}
			u.memory = mem
		})
	}
}

// TestARM64Loop has a machine frame that leads to itself.
func TestARM64Loop(t *testing.T) {
	mem, functions := arm64Program(t)
	c := mem.start(functions["k_machine_frame"], 0)
	mem.put(c.x[31], c.x[31])
	mem.put(c.x[31]+8, c.pc)
	n := 0
	stop, err := arm64Unwinder(mem).Walk(t.Context(), Registers{PC: minidump.VA(c.pc), R: c.x, Known: 1<<32 - 1}, func(f Frame, _ *Registers) bool {
		n++
		return n < 10
	})
	if stop != StopLoop || err != nil {
		t.Errorf("after %d frames: %q, %v", n, stop, err)
	}
}

// TestARM64EveryInstruction stops at every instruction of every function, and wants
// the whole stack to be right: return addresses, stack pointers and all registers
// that functions keep.
func TestARM64EveryInstruction(t *testing.T) {
	mem, functions := arm64Program(t)
	u := arm64Unwinder(mem)
	seen := map[uint64]bool{}
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		if !strings.HasPrefix(name, "t_") || name == "t_exit" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			args := []uint64{0, 1, 2, 3, 5}
			switch {
			case strings.HasPrefix(name, "t_packed"), name == "t_long":
				args = args[:1]
			case name == "t_many":
				for arg := range uint64(45) { // t_leaf adds one
					args = append(args, arg-1)
				}
			case strings.HasSuffix(name, "_early"):
				args = append(args, 99)
			}
			for _, arg := range args {
				c := mem.start(functions[name], arg)
				c.run(t, u, c.caller(arm64Outside), 0, seen)
			}
		})
	}
	// Every instruction of every function was looked at.
	table := (&exceptionTables{code: mem}).of(&u.modules.List()[0], armEntrySize)
	img := armImage{mem, table}
	if table.count < 150 {
		t.Errorf("%d functions", table.count)
	}
	for i := range table.count {
		var entry [armEntrySize]byte
		if err := img.read(entry[:], uint32(table.start-table.base)+uint32(i)*armEntrySize); err != nil {
			t.Fatal(err)
		}
		begin := uint64(entry[0]) | uint64(entry[1])<<8 | uint64(entry[2])<<16
		for pc := mem.base + begin; ; pc += 4 {
			rule := img.arm64Rule(minidump.VA(pc))
			if e, _, _ := img.entry(uint32(pc - mem.base)); rule.err != nil || !rule.frame || uint64(e.begin) != begin {
				break
			}
			if !seen[pc] && pc < functions["k_context"] {
				t.Errorf("%#x of the function at %#x was never executed", pc, mem.base+begin)
			}
		}
	}
}
