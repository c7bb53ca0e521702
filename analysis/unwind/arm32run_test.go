package unwind

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
)

const arm32Dir = "../../testdata/unwind/ARM"

func arm32Program(t testing.TB) (mem *arm64Memory, functions map[string]uint64) {
	t.Helper()
	mem, functions = loadProgram(t, arm32Dir)
	mem.stack = 0x7000_0000
	for name := range functions {
		functions[name] &^= 1 // Thumb
	}
	return mem, functions
}

func arm32Unwinder(mem *arm64Memory) *Unwinder {
	u := arm64Unwinder(mem)
	u.arch, u.step, u.calls.Arch = minidump.ProcessorARM, stepARM32, minidump.ProcessorARM
	return u
}

// arm32Caller is a frame that waits for a call to return.
type arm32Caller struct {
	ret         uint32
	kept        [9]uint32 // r4 to r11, then sp
	interrupted bool
}

func (c *arm32CPU) caller(ret uint32) (f arm32Caller) {
	f.ret = ret
	copy(f.kept[:], c.r[4:12])
	f.kept[8] = c.r[13]
	return f
}

const arm32Outside = 0x61230010

// start prepares the call of a function. All registers have values of their own.
func arm32Start(m *arm64Memory, pc, arg uint32) *arm32CPU {
	c := &arm32CPU{mem: m}
	for i := range c.r {
		c.r[i] = 0xb0b0_0000 + uint32(i)
	}
	clear(m.words)
	c.r[0], c.r[15], c.r[14] = arg, pc, arm32Outside|1
	c.r[13] = uint32(m.stack) + uint32(len(m.words)) - 4096
	return c
}

// check walks the stack, and compares all frames with those that wait.
func (c *arm32CPU) check(t *testing.T, u *Unwinder, callers []arm32Caller) bool {
	t.Helper()
	regs := Registers{PC: minidump.VA(c.r[15]), Known: 1<<16 - 1}
	for i, v := range c.r {
		regs.R[i] = uint64(v)
	}
	if u.arm32State != nil {
		u.arm32State.stack = window{r: u.memory} // the last look is out of date
	}
	ok, n := true, 0
	fail := func(format string, args ...any) bool {
		t.Errorf("at %#x, frame %d: %s", c.r[15], n, fmt.Sprintf(format, args...))
		ok = false
		return false
	}
	stop, err := u.Walk(t.Context(), regs, func(f Frame, r *Registers) bool {
		if n == 0 {
			n++
			return true
		}
		want := callers[len(callers)-n]
		if uint32(f.PC) != want.ret || f.Trust != TrustCFI || f.Return == want.interrupted {
			return fail("%+v, want a return to %#x", f, want.ret)
		}
		for i, v := range want.kept {
			reg := 4 + i
			if i == 8 {
				reg = 13
			}
			if !r.knows(reg) || uint32(r.R[reg]) != v {
				return fail("r%d is %#x (known: %t), want %#x", reg, r.R[reg], r.knows(reg), v)
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
func (c *arm32CPU) run(t *testing.T, u *Unwinder, caller arm32Caller, end uint32, seen map[uint32]bool) {
	t.Helper()
	callers := []arm32Caller{caller}
	for steps := 0; len(callers) > 0 && !c.halted && c.r[15] != end; steps++ {
		seen[c.r[15]] = true
		if !c.check(t, u, callers) {
			return
		}
		pc, lr := c.r[15], c.r[14]
		c.r[14] = 0
		inst := binary.LittleEndian.Uint32(c.mem.at(uint64(pc), 4))
		c.r[14] = lr
		if err := c.step(); err != nil || steps > 100_000 {
			t.Errorf("%d steps, %v", steps, err)
			return
		}
		switch top := callers[len(callers)-1]; {
		case inst&0xd000f800 == 0xd000f000: // bl
			callers = append(callers, c.caller(pc+4))
		case c.r[15] == top.ret:
			if now := c.caller(top.ret); now != top {
				t.Errorf("%#x returns with %+v, want %+v: the function is wrong", pc, now, top)
			}
			callers = callers[:len(callers)-1]
		}
	}
}

// TestARM32EveryInstruction stops at every instruction of every function, and wants
// the whole stack to be right.
func TestARM32EveryInstruction(t *testing.T) {
	mem, functions := arm32Program(t)
	u := arm32Unwinder(mem)
	seen := map[uint32]bool{}
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		if !strings.HasPrefix(name, "t_") || name == "t_exit" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			args := []uint32{0, 1, 2, 3}
			switch {
			case strings.HasPrefix(name, "t_packed"):
				args = args[:1]
			case name == "t_many":
				for arg := range uint32(45) { // t_leaf adds one
					args = append(args, arg-1)
				}
			}
			for _, arg := range args {
				c := arm32Start(mem, uint32(functions[name]), arg)
				c.run(t, u, c.caller(arm32Outside), 0, seen)
			}
		})
	}
	// Every instruction of every function was looked at.
	table := (&exceptionTables{code: mem}).of(&u.modules.List()[0], armEntrySize)
	img := armImage{mem, table}
	if table.count < 240 || table.machine != machineARMNT {
		t.Errorf("%d functions for %#x", table.count, table.machine)
	}
	for i := range table.count {
		var entry [armEntrySize]byte
		if err := img.read(entry[:], uint32(table.start-table.base)+uint32(i)*armEntrySize); err != nil {
			t.Fatal(err)
		}
		begin := uint32(mem.base) + binary.LittleEndian.Uint32(entry[:])&^1
		if uint64(begin) >= functions["k_machine_frame"] && uint64(begin) <= functions["k_context"] {
			continue
		}
		length := 2 * arm32Packed(binary.LittleEndian.Uint32(entry[4:])).bits(2, 11)
		if data := binary.LittleEndian.Uint32(entry[4:]); data&3 == 0 {
			r, err := img.arm32Record(data)
			if err != nil {
				t.Fatal(err)
			}
			length = r.length
		}
		for pc := begin; pc < begin+uint32(length); {
			if !seen[pc] {
				t.Errorf("%#x of the function at %#x was never executed", pc, begin)
			}
			if pc += 2; mem.at(uint64(pc)-1, 1)[0]>>3 >= 0x1d {
				pc += 2
			}
		}
	}
}
