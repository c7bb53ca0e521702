package cfi_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/cfi"
)

// wide is a machine that has all registers and all memory.
type wide struct{}

func (wide) Register(n int) (uint64, bool)             { return uint64(n) * 0x1010, n != 3 }
func (wide) Read(addr uint64, size int) (uint64, bool) { return addr ^ uint64(size), addr%5 != 0 }

// check asserts what holds of every result.
func check(t *testing.T, r cfi.Registers, err error) string {
	t.Helper()
	if err == nil && r.Known&(1<<cfi.PC) == 0 {
		t.Error("a caller without an address")
	}
	if r.Known&r.Lost != 0 {
		t.Errorf("registers %x are known and lost", r.Known&r.Lost)
	}
	return fmt.Sprint(r, err)
}

func FuzzTable(f *testing.F) {
	for _, s := range []cfi.Section{
		ehFrame86(f), section(f, "amd64.eh_frame", cfi.Section{Arch: cfi.AMD64, EH: true}),
		section(f, "arm64.eh_frame", cfi.Section{Arch: cfi.ARM64, EH: true}), section(f, "arm.debug_frame", cfi.Section{Arch: cfi.ARM}),
	} {
		data := make([]byte, s.Size)
		s.R.ReadAt(data, 0)
		f.Add(data, uint8(s.Arch), s.EH, s.RVA, s.Base)
	}
	f.Fuzz(func(t *testing.T, data []byte, arch uint8, eh bool, rva uint32, base uint64) {
		read := func() string {
			table := cfi.NewTable(cfi.Section{
				Arch: cfi.Arch(arch%4) + cfi.X86, R: bytes.NewReader(data), Size: int64(len(data)), EH: eh, RVA: rva, Base: base,
			})
			if table.Len() > len(data)/8 {
				t.Errorf("%d functions in %d bytes", table.Len(), len(data))
			}
			out := fmt.Sprintln(table.Len(), table.Err())
			for at := uint32(0); at < 0x3000; at += 0x71 {
				rules, err := table.Rules(at)
				if _, ok := table.Function(at); rules != nil && (err != nil || !ok) {
					t.Errorf("rules of 0x%x with %v, function %v", at, err, ok)
				}
				if rules != nil {
					r, err := rules.Caller(wide{})
					out += check(t, r, err)
				}
			}
			return out
		}
		if a, b := read(), read(); a != b {
			t.Errorf("two runs differ:\n%s\n%s", a, b)
		}
	})
}

func FuzzText(f *testing.F) {
	f.Add(".cfa: $esp 4 + .ra: .cfa 4 - ^", "$ebx: .cfa 16 - ^", uint8(0))
	f.Add("$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =", ".cfa: x29 16 + .ra: x30", uint8(3))
	f.Fuzz(func(t *testing.T, first, second string, arch uint8) {
		a := cfi.Arch(arch%4) + cfi.X86
		rules, err := cfi.NewRules(a, first)
		if err == nil {
			err = rules.Add(second)
		}
		if err == nil {
			r, err := rules.Caller(wide{})
			check(t, r, err)
		}
		values := map[string]uint64{".raSearch": 0x1234}
		if _, err := cfi.Program(a, wide{}, first, values); err == nil && len(values) != 1 {
			t.Error("the values were changed")
		}
	})
}

func FuzzExpression(f *testing.F) {
	f.Add([]byte{0x75, 0x7c, 0x06}, uint8(0), true)
	f.Add([]byte{0x31, 0x2f, 0xfc, 0xff}, uint8(1), false)
	f.Fuzz(func(t *testing.T, code []byte, arch uint8, has bool) {
		a := cfi.Arch(arch%4) + cfi.X86
		v, err := cfi.EvalDWARF(a, wide{}, code, 0x1000, has)
		w, again := cfi.EvalDWARF(a, wide{}, code, 0x1000, has)
		if v != w || fmt.Sprint(err) != fmt.Sprint(again) {
			t.Errorf("two runs differ: 0x%x, %v; 0x%x, %v", v, err, w, again)
		}
	})
}
