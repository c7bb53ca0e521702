package minidump_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// A contextForm is a layout of registers: how it is written, and what of
// [dumptest.Registers] it has room for.
type contextForm struct {
	name     string
	arch     uint16
	write    func(dumptest.Registers) []byte
	size     int
	want     minidump.ProcessorArchitecture
	flags    minidump.ContextFlags
	bits     int
	general  int // registers
	pcInR    int // 0: it is none of them
	vectors  int
	segments bool
}

var contextForms = []contextForm{
	{"x86", dumptest.ArchX86, dumptest.Registers.X86, 716, minidump.ProcessorX86, 0x1003f, 32, 8, 0, 8, true},
	{"x86 on Win64", 10, dumptest.Registers.X86, 716, minidump.ProcessorX86, 0x1003f, 32, 8, 0, 8, true},
	{"AMD64", dumptest.ArchAMD64, dumptest.Registers.AMD64, 1232, minidump.ProcessorAMD64, 0x10001f, 64, 16, 0, 16, true},
	{"ARM", dumptest.ArchARM, dumptest.Registers.ARM, 416, minidump.ProcessorARM, 0x20000f, 32, 15, 15, 0, false},
	{"ARM of Breakpad", dumptest.ArchARM, dumptest.Registers.BreakpadARM, 368, minidump.ProcessorARM, 0x40000007, 32, 15, 15, 0, false},
	{"ARM64", dumptest.ArchARM64, dumptest.Registers.ARM64, 912, minidump.ProcessorARM64, 0x40001f, 64, 32, 0, 32, false},
	{"ARM64 of Breakpad", dumptest.ArchBreakpadARM64, dumptest.Registers.BreakpadARM64, 796, minidump.ProcessorARM64, 0x80000007, 64, 32, 0, 32, false},
}

// fullRegisters have a value of their own each, odd where the processor allows.
func fullRegisters() dumptest.Registers {
	r := dumptest.Registers{PC: 0x7ff6_1234_5678, Status: 0x246, Segments: [6]uint16{0x33, 0x2b, 0x2c, 0x53, 0x2d, 0x2e}}
	for i := range r.R {
		r.R[i] = 0x1111_0000_2222_0000 + uint64(i)
		r.Vector[i] = [2]uint64{0xa000 + uint64(i), 0xb000 + uint64(i)}
	}
	for i := range r.Debug {
		r.Debug[i] = 0xd0 + uint64(i)
	}
	return r
}

// context is what a form keeps of registers.
func (f *contextForm) context(r dumptest.Registers) *minidump.Context {
	cut := func(v uint64) uint64 { return v << (64 - f.bits) >> (64 - f.bits) }
	c := &minidump.Context{Arch: f.want, Flags: f.flags, PC: minidump.VA(cut(r.PC)), Status: r.Status}
	for i, v := range r.R[:f.general] {
		c.R[i] = cut(v)
	}
	if f.pcInR > 0 {
		c.R[f.pcInR] = cut(r.PC)
	}
	copy(c.Vector[:], r.Vector[:f.vectors])
	if f.segments {
		c.Segments, c.Debug = r.Segments, r.Debug
	}
	return c
}

// contextOf writes a context into a dump and reads it back.
func contextOf(t testing.TB, arch uint16, data []byte) (*minidump.Context, error) {
	t.Helper()
	d := dumptest.Dump{
		SystemInfo: &dumptest.SystemInfo{ProcessorArchitecture: &arch},
		Threads:    []dumptest.Thread{{ThreadID: 7, Context: data}},
	}
	f := build(t, d)
	threads, err := f.Threads()
	if err != nil {
		t.Fatal(err)
	}
	return f.Context(threads[0].ThreadContext)
}

// TestContextRoundTrip writes all registers in every layout, with and without
// XSAVE data behind them.
func TestContextRoundTrip(t *testing.T) {
	for _, form := range contextForms {
		t.Run(form.name, func(t *testing.T) {
			for _, trailer := range []int{0, 175, 431} { // AMD64 of 1407 bytes, x86 of 1147
				r := fullRegisters()
				for i := range trailer {
					r.Trailer = append(r.Trailer, byte(i))
				}
				data := form.write(r)
				if len(data) != form.size+trailer {
					t.Fatalf("%d bytes, want %d", len(data), form.size+trailer)
				}
				want := form.context(r)
				want.XState = r.Trailer
				got, err := contextOf(t, form.arch, data)
				if d := cmp.Diff(want, got); d != "" || err != nil {
					t.Fatalf("%d bytes: %v (-want +got):\n%s", len(data), err, d)
				}
				same, err := minidump.DecodeContext(minidump.ProcessorArchitecture(form.arch), data)
				if d := cmp.Diff(want, same); d != "" || err != nil {
					t.Errorf("DecodeContext: %v (-want +got):\n%s", err, d)
				}
			}
		})
	}
}

// TestContextPointers asks for what unwinding begins with.
func TestContextPointers(t *testing.T) {
	for _, form := range contextForms {
		r := dumptest.Registers{PC: 0x1000}
		sp, fp := minidump.RegSP, minidump.RegFP
		switch form.want {
		case minidump.ProcessorARM:
			sp, fp = minidump.RegArmSP, minidump.RegArmFP
		case minidump.ProcessorARM64:
			sp, fp = minidump.RegSP64, minidump.RegFP64
		}
		r.R[sp], r.R[fp] = 0x2000, 0x3000
		c, err := contextOf(t, form.arch, form.write(r))
		if err != nil || c.PC != 0x1000 || c.SP() != 0x2000 || c.FP() != 0x3000 {
			t.Errorf("%s: %+v, %v", form.name, c, err)
		}
	}
	// Thumb code has addresses of which the lowest bit is set.
	c, err := contextOf(t, dumptest.ArchARM, dumptest.Registers{PC: 0x1001}.ARM())
	if err != nil || c.PC != 0x1000 || c.R[15] != 0x1001 {
		t.Errorf("Thumb: %+v, %v", c, err)
	}
}

// TestContextParts: what the flags do not claim is zero.
func TestContextParts(t *testing.T) {
	for _, tt := range []struct {
		name  string
		form  contextForm
		flags uint32
		kept  func(*minidump.Context)
	}{
		{"x86, control", contextForms[0], 0x10001, func(c *minidump.Context) {
			c.R = [32]uint64{minidump.RegSP: c.R[minidump.RegSP], minidump.RegFP: c.R[minidump.RegFP]}
			c.Vector, c.Debug = [32][2]uint64{}, [6]uint64{}
		}},
		{"x86, without SSE", contextForms[0], 0x1001f, func(c *minidump.Context) { c.Vector = [32][2]uint64{} }},
		{"AMD64, control", contextForms[2], 0x100001, func(c *minidump.Context) {
			c.R = [32]uint64{minidump.RegSP: c.R[minidump.RegSP]}
			c.Vector, c.Debug = [32][2]uint64{}, [6]uint64{}
		}},
		{"AMD64, without debug registers", contextForms[2], 0x10000f, func(c *minidump.Context) { c.Debug = [6]uint64{} }},
		{"AMD64, from an exception", contextForms[2], 0xd810005f, func(*minidump.Context) {}},
		{"ARM, control", contextForms[3], 0x200001, func(c *minidump.Context) {
			c.R = [32]uint64{13: c.R[13], 14: c.R[14], 15: c.R[15]}
		}},
		{"ARM64, control", contextForms[5], 0x400001, func(c *minidump.Context) {
			c.R = [32]uint64{29: c.R[29], 30: c.R[30], 31: c.R[31]}
			c.Vector = [32][2]uint64{}
		}},
		{"ARM64, with the flag that Breakpad has for itself", contextForms[5], 0x8040001f, func(*minidump.Context) {}},
	} {
		r := fullRegisters()
		r.Flags = tt.flags
		want := tt.form.context(r)
		want.Flags = minidump.ContextFlags(tt.flags)
		tt.kept(want)
		got, err := contextOf(t, tt.form.arch, tt.form.write(r))
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tt.name, err, d)
		}
	}
}

func TestContextErrors(t *testing.T) {
	full := fullRegisters()
	flags := func(flags uint32, write func(dumptest.Registers) []byte) []byte {
		r := full
		r.Flags = flags
		return write(r)
	}
	for _, tt := range []struct {
		name string
		arch uint16
		data []byte
		want string
	}{
		{"no bytes", dumptest.ArchAMD64, nil, "no registers"},
		{"zeros", dumptest.ArchAMD64, make([]byte, 1232), "registers that are none of AMD64: flags 0x0"},
		{"zeros, x86", dumptest.ArchX86, make([]byte, 716), "registers that are none of x86: flags 0x0"},
		{"zeros, ARM", dumptest.ArchARM, make([]byte, 416), "registers that are none of ARM: flags 0x0"},
		{"zeros, ARM64", dumptest.ArchARM64, make([]byte, 912), "registers that are none of ARM64: flags 0x0"},
		{"of another processor", dumptest.ArchARM64, full.X86(), "none of ARM64: flags 0x1003f"},
		{"of two processors", dumptest.ArchAMD64, flags(0x11001f, dumptest.Registers.AMD64), "none of AMD64: flags 0x11001f"},
		{"of two processors, one of them ARM", dumptest.ArchARM, flags(0x40000006|0x400000, dumptest.Registers.BreakpadARM), "none of ARM: flags 0x40400006"},
		{"without the instruction pointer", dumptest.ArchAMD64, flags(0x100002, dumptest.Registers.AMD64),
			"no registers: they were saved without the instruction pointer (flags 0x100002)"},
		{"without integers, from Breakpad", dumptest.ArchARM, flags(0x40000004, dumptest.Registers.BreakpadARM), "without the instruction pointer"},
		{"without integers, from the old Breakpad", dumptest.ArchBreakpadARM64, flags(0x80000004, dumptest.Registers.BreakpadARM64), "without the instruction pointer"},
		{"a processor that is not known", dumptest.ArchARM64 + 1, full.ARM64(), "no registers: those of ProcessorArchitecture(0xd) are not known"},
		{"Itanium", 6, make([]byte, 2672), "no registers: those of IA64 are not known"},
	} {
		got, err := contextOf(t, tt.arch, tt.data)
		if got != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %+v, %v, want %q", tt.name, got, err, tt.want)
		}
		if wantNone := strings.HasPrefix(tt.want, "no registers"); wantNone && !errors.Is(err, minidump.ErrNoContext) {
			t.Errorf("%s: %v does not wrap ErrNoContext", tt.name, err)
		}
	}
	// Every length below the whole is too short.
	for _, form := range contextForms {
		data := form.write(full)
		for n := 1; n < len(data); n++ {
			var format *minidump.FormatError
			c, err := minidump.DecodeContext(minidump.ProcessorArchitecture(form.arch), data[:n])
			if c != nil || !errors.As(err, &format) || format.Off > int64(n) {
				t.Fatalf("%s, %d of %d bytes: %+v, %v", form.name, n, len(data), c, err)
			}
		}
	}
	// Bytes that the file does not have, and a dump that does not say its processor.
	f := build(t, dumptest.Dump{Threads: []dumptest.Thread{{Context: full.AMD64()}}})
	for _, l := range []minidump.Location{{DataSize: 1232, RVA: 0xfffffff0}, {DataSize: 0xffffffff, RVA: uint32(f.Size()) - 1}, {DataSize: 1232}} {
		if c, err := f.Context(l); c != nil || err == nil || errors.Is(err, minidump.ErrNoContext) {
			t.Errorf("%+v: %+v, %v", l, c, err)
		}
	}
	f = build(t, dumptest.Dump{NoSystemInfo: true, Threads: []dumptest.Thread{{Context: full.AMD64()}}})
	threads, err := f.Threads()
	if err != nil {
		t.Fatal(err)
	}
	if c, err := f.Context(threads[0].ThreadContext); c != nil || !errors.Is(err, minidump.ErrNoStream) {
		t.Errorf("without SystemInfo: %+v, %v", c, err)
	}
	if c, err := f.Context(minidump.Location{RVA: 40}); c != nil || !errors.Is(err, minidump.ErrNoContext) {
		t.Errorf("of no bytes: %+v, %v", c, err)
	}
}

func TestContextFlags(t *testing.T) {
	for flags, want := range map[minidump.ContextFlags]string{
		0x10005f:   "CONTEXT_AMD64: CONTROL|INTEGER|SEGMENTS|FLOATING_POINT|DEBUG_REGISTERS|XSTATE",
		0xd810000b: "CONTEXT_AMD64: CONTROL|INTEGER|FLOATING_POINT|EXCEPTION_ACTIVE|SERVICE_ACTIVE|EXCEPTION_REQUEST|EXCEPTION_REPORTING",
		0x1007f:    "CONTEXT_i386: CONTROL|INTEGER|SEGMENTS|FLOATING_POINT|DEBUG_REGISTERS|EXTENDED_REGISTERS|XSTATE",
		0x40001f:   "CONTEXT_ARM64: CONTROL|INTEGER|FLOATING_POINT|DEBUG_REGISTERS|X18",
		0x20000f:   "CONTEXT_ARM: CONTROL|INTEGER|FLOATING_POINT|DEBUG_REGISTERS",
		0x40000006: "MD_CONTEXT_ARM: INTEGER|FLOATING_POINT", 0x80000006: "MD_CONTEXT_ARM64_OLD: INTEGER|FLOATING_POINT",
		0x100000: "CONTEXT_AMD64: 0", 0x100101: "CONTEXT_AMD64: CONTROL|0x100", 3: "ContextFlags(0x3)",
	} {
		if got := flags.String(); got != want {
			t.Errorf("%#x is %s, want %s", uint32(flags), got, want)
		}
	}
}

// FuzzContext decodes any bytes as the registers of any processor.
func FuzzContext(f *testing.F) {
	for _, form := range contextForms {
		r := fullRegisters()
		r.Trailer = []byte{1, 2, 3}
		f.Add(form.arch, form.write(r))
		f.Add(form.arch, form.write(dumptest.Registers{}))
	}
	f.Fuzz(func(t *testing.T, arch uint16, data []byte) {
		before := bytes.Clone(data)
		c, err := minidump.DecodeContext(minidump.ProcessorArchitecture(arch), data)
		if !bytes.Equal(before, data) {
			t.Error("the bytes were changed")
		}
		if (c == nil) == (err == nil) {
			t.Fatalf("%+v, %v", c, err)
		}
		if err != nil {
			var format *minidump.FormatError
			if !errors.Is(err, minidump.ErrNoContext) && !errors.As(err, &format) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		if !bytes.HasSuffix(data, c.XState) {
			t.Error("XState is not the end of the bytes")
		}
		bits := 8 * c.Arch.PointerSize()
		for i, v := range c.R {
			if bits == 32 && v>>32 != 0 {
				t.Errorf("register %d of 32 bits is %#x", i, v)
			}
		}
		for _, r := range c.Registers() {
			if r.Bits < 64 && r.Value>>r.Bits != 0 {
				t.Errorf("%s of %d bits is %#x", r.Name, r.Bits, r.Value)
			}
		}
		// What follows the registers changes none of them.
		short, err := minidump.DecodeContext(minidump.ProcessorArchitecture(arch), data[:len(data)-len(c.XState)])
		c.XState = nil
		if fmt.Sprint(short) != fmt.Sprint(c) || err != nil {
			t.Errorf("without the trailer: %+v, %v, want %+v", short, err, c)
		}
	})
}
