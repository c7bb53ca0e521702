package minidump_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// wow64Process is a dump of a 64-bit debugger of a 32-bit process with one
// thread, whose registers lie at reserved.
func wow64Process(teb, reserved uint64, context []byte) dumptest.Dump {
	slots := make([]byte, 16)
	binary.LittleEndian.PutUint64(slots[8:], reserved)
	cpu := append([]byte{1, 0, 0x4c, 1}, context...)
	return dumptest.Dump{
		Threads: []dumptest.Thread{{ThreadID: 1, Teb: teb, Context: dumptest.ContextAMD64(1, 2, 3)}},
		Modules: []dumptest.Module{{Base: 0x400000, Size: 0x1000, Name: `C:\a.exe`}, {Base: 0x75000000, Size: 0x1000, Name: `C:\Windows\System32\WOW64.dll`}},
		Memory:  []dumptest.MemoryRange{{Start: teb + 0x1480, Data: slots}, {Start: reserved, Data: cpu}},
	}
}

func TestWOW64Context(t *testing.T) {
	const teb, reserved = 0x7efdb000, 0x8fd20
	x86 := dumptest.ContextX86(0x401000, 0x12ff00, 0x12ff80)
	for _, tt := range []struct {
		what   string
		change func(*dumptest.Dump)
		pc, sp minidump.VA
		err    error // wrapped
	}{
		{"the 32-bit registers", func(*dumptest.Dump) {}, 0x401000, 0x12ff00, nil},
		{"no WOW64", func(d *dumptest.Dump) { d.Modules = d.Modules[:1] }, 0, 0, minidump.ErrNoContext},
		{"a 32-bit debugger", func(d *dumptest.Dump) { d.PointerSize = 4 }, 0, 0, minidump.ErrNoContext},
		{"no system", func(d *dumptest.Dump) { d.NoSystemInfo = true }, 0, 0, minidump.ErrNoContext},
		{"no TEB", func(d *dumptest.Dump) { d.Memory = d.Memory[1:] }, 0, 0, minidump.ErrNotCaptured},
		{"an empty slot", func(d *dumptest.Dump) { d.Memory[0].Data = make([]byte, 16) }, 0, 0, minidump.ErrNoContext},
		{"no registers", func(d *dumptest.Dump) { d.Memory = d.Memory[:1] }, 0, 0, minidump.ErrNotCaptured},
		{"a part of the registers", func(d *dumptest.Dump) { d.Memory[1].Data = d.Memory[1].Data[:719] }, 0, 0, minidump.ErrNotCaptured},
		{"registers of no use", func(d *dumptest.Dump) { clear(d.Memory[1].Data[5:6]); d.Memory[1].Data[4] = 0x10 }, 0, 0, minidump.ErrNoContext},
	} {
		d := wow64Process(teb, reserved, x86)
		tt.change(&d)
		f := build(t, d)
		threads, err := f.Threads()
		if err != nil {
			t.Fatal(err)
		}
		m, err := f.Memory()
		if err != nil {
			t.Fatal(err)
		}
		x, err := m.WOW64Context(&threads[0])
		if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) || (x == nil) != (err != nil) {
			t.Errorf("%s: error %v, want %v", tt.what, err, tt.err)
		}
		if x != nil && (x.PC != tt.pc || x.SP() != tt.sp) {
			t.Errorf("%s: pc %v, sp %v; want %v, %v", tt.what, x.PC, x.SP(), tt.pc, tt.sp)
		}
	}
	// Bytes that are no CONTEXT are an error of the format.
	d := wow64Process(teb, reserved, dumptest.ContextAMD64(1, 2, 3))
	f := build(t, d)
	threads, _ := f.Threads()
	m, _ := f.Memory()
	var format *minidump.FormatError
	if x, err := m.WOW64Context(&threads[0]); x != nil || !errors.As(err, &format) {
		t.Errorf("%v, error %v, want a FormatError", x, err)
	}
}

// LLDB's tests of this dump have these values.
func TestWOW64ContextReal(t *testing.T) {
	f := mustOpen(t, realDump(t, "fizzbuzz_wow64.dmp.gz"))
	threads, err := f.Threads()
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Memory()
	if err != nil {
		t.Fatal(err)
	}
	x, err := m.WOW64Context(&threads[0])
	if err != nil {
		t.Fatal(err)
	}
	if x.PC != 0x77ce01fd || x.SP() != 0x37f5b8 {
		t.Errorf("eip %v, esp %v; want 0x77ce01fd, 0x37f5b8", x.PC, x.SP())
	}
}

// The 32-bit registers of a thread of a 32-bit process, dumped by a 64-bit
// debugger.
func ExampleMemory_WOW64Context() {
	data := wow64Process(0x7efdb000, 0x8fd20, dumptest.ContextX86(0x401000, 0x12ff00, 0x12ff80)).Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		fmt.Println(err)
		return
	}
	threads, err := f.Threads()
	if err != nil {
		fmt.Println(err)
		return
	}
	memory, err := f.Memory()
	if err != nil {
		fmt.Println(err)
		return
	}
	x, err := memory.WOW64Context(&threads[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(x.Arch, x.PC, x.SP())
	// Output: x86 0x401000 0x12ff00
}
