package unwind

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// amd64Unwinder unwinds stacks of a machine.
func (m *machine) unwinder() *Unwinder {
	modules := symbol.NewModules([]minidump.Module{{BaseOfImage: minidump.VA(m.image.start), SizeOfImage: uint32(len(m.image.data)), ModuleName: "unwind.dll"}})
	u := &Unwinder{
		arch: minidump.ProcessorAMD64, memory: m, code: m, modules: modules, limit: maxFrames, step: stepAMD64,
		calls: &CallDecoder{Code: m, Arch: minidump.ProcessorAMD64, Plausible: func(a minidump.VA) bool { _, ok := modules.Find(a); return ok }},
	}
	return u
}

// A place is what the test knows of a frame.
type place struct {
	PC, SP    uint64
	Kept      [11]uint64 // rbx, rbp, rsi, rdi, r12 to r15, r30, r31, where they have to be known
	Interrupt bool
}

// keptRegisters are those that functions have to keep, the stack pointer apart.
var keptRegisters = [...]int{3, 5, 6, 7, 12, 13, 14, 15, 30, 31}

func (a active) place() place {
	p := place{PC: a.pc, SP: a.sp, Interrupt: a.interrupt}
	for i, n := range keptRegisters {
		p.Kept[i] = a.r[n]
	}
	return p
}

// check compares all frames of the stack with what the machine knows.
func (m *machine) check(u *Unwinder) error {
	u.amd64().stack.data = nil // it has changed
	start := Registers{PC: minidump.VA(m.pc), R: m.r, Known: 1<<32 - 1}
	want := []place{active{pc: m.pc, sp: m.r[minidump.RegSP], r: m.r, interrupt: true}.place()}
	for i := len(m.calls) - 1; i >= 0; i-- {
		want = append(want, m.calls[i].place())
	}
	var got []place
	var trusts []Trust
	stop, err := u.Walk(m.t.Context(), start, func(f Frame, r *Registers) bool {
		got = append(got, active{pc: uint64(f.PC), sp: uint64(f.SP), r: r.R, interrupt: !f.Return}.place())
		for _, n := range keptRegisters {
			if !r.knows(n) {
				err := fmt.Errorf("register %d is not known", n)
				m.t.Errorf("%#x, frame %d: %v", m.pc, len(got)-1, err)
			}
		}
		trusts = append(trusts, f.Trust)
		return true
	})
	if err != nil || stop != StopStart {
		return fmt.Errorf("stop %q, %v: %+v, want %+v", stop, err, got, want)
	}
	for i, trust := range trusts {
		if trust != TrustCFI && i > 0 {
			return fmt.Errorf("frame %d is from %s", i, trust)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return errors.New(diff)
	}
	return nil
}

// run stops at every instruction from a function of the image on, up to its end.
func (m *machine) run(each func() error) int {
	for n := 0; ; n++ {
		pc := m.pc
		if err := each(); err != nil {
			m.t.Errorf("at %#x, step %d: %v", pc, n, err)
			if n > 20 {
				return n
			}
		}
		switch err := m.step(); {
		case err == io.EOF:
			return n + 1
		case err != nil:
			m.t.Fatal(err)
		}
	}
}

// TestAMD64EveryInstruction stops at every instruction of the functions of
// testdata/unwind: PC, stack pointer and kept registers of every caller are what
// they were at the call.
func TestAMD64EveryInstruction(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		file, function string
		least          int // steps, so that the test does not run past what it is for
	}{
		{"unwind-x64.dll", "all", 1500},
		{"unwind-x64.dll", "callsnoreturn", 30},
		{"unwind-x64v3.dll", "v3all", 700},
	} {
		image, exports := loadImage(t, testdump.Read(t, "testdata/unwind/"+tt.file))
		m := newMachine(t, image, exports[tt.function])
		u := m.unwinder()
		if n := m.run(func() error { return m.check(u) }); n < tt.least {
			t.Errorf("%s: %d steps, want at least %d", tt.function, n, tt.least)
		} else {
			t.Logf("%s: %d steps", tt.function, n)
		}
	}
}

// TestAMD64Interrupted interrupts the functions at every instruction, as an
// exception does: the stack goes on at the instruction, which is no return
// address, whether the processor pushed an error code or not.
func TestAMD64Interrupted(t *testing.T) {
	t.Parallel()
	for _, dispatcher := range []string{"dispatcher", "dispatchercode"} {
		image, exports := loadImage(t, testdump.Read(t, "testdata/unwind/unwind-x64.dll"))
		m := newMachine(t, image, exports["all"])
		u := m.unwinder()
		stops := 0
		m.run(func() error {
			if len(m.calls) == 0 {
				return nil
			}
			x := m.interrupted(exports[dispatcher], dispatcher == "dispatchercode")
			for n := range 10 { // into the function that the handler calls
				if n%5 == 0 {
					if err := x.check(u); err != nil {
						return err
					}
					stops++
				}
				if err := x.step(); err != nil {
					return err
				}
			}
			return nil
		})
		if stops < 4000 {
			t.Errorf("%d stops", stops)
		}
	}
}

// interrupted returns a copy of the machine that has entered a handler, as a
// kernel does it.
func (m *machine) interrupted(handler uint64, code bool) *machine {
	x := *m
	x.calls = append(m.calls[:len(m.calls):len(m.calls)], active{pc: m.pc, sp: m.r[minidump.RegSP], r: m.r, interrupt: true})
	sp := x.r[minidump.RegSP]&^15 - 0x100 // what lies below is the function's no more
	for _, v := range []uint64{0x2b, m.r[minidump.RegSP], 0x202, 0x33, m.pc} {
		sp -= 8
		x.store(sp, 8, v)
	}
	if code {
		sp -= 8
		x.store(sp, 8, 0xc0de)
	}
	sp -= 0x40
	x.store(sp+0x20, 8, m.r[3])
	x.store(sp+0x28, 8, m.r[6])
	x.r[minidump.RegSP] = sp
	x.pc = handler
	return &x
}
