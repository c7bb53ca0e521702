package cfi_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/cfi"
)

// section reads one of the sections of testdata.
func section(t testing.TB, name string, s cfi.Section) cfi.Section {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	s.R, s.Size = bytes.NewReader(data), int64(len(data))
	return s
}

// ehFrame86 is the section .eh_frame of frames-gcc.dll, which has no name there.
func ehFrame86(t testing.TB) cfi.Section {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "unwind", "testdata", "x86", "frames-gcc.dll"))
	if err != nil {
		t.Fatal(err)
	}
	const off, size, rva = 0x1000, 0x3c4, 0x3000
	return cfi.Section{Arch: cfi.X86, R: bytes.NewReader(data[off : off+size]), Size: size, EH: true, RVA: rva, Base: 0x10000000}
}

// TestLikeLLVM compares the rules of every address with what llvm-dwarfdump says.
func TestLikeLLVM(t *testing.T) {
	tests := []struct {
		name    string
		section cfi.Section
		base    uint32 // address of RVA 0
	}{
		{"x86", ehFrame86(t), 0x10000000},
		{"amd64", section(t, "amd64.eh_frame", cfi.Section{Arch: cfi.AMD64, EH: true, RVA: 0x120, Base: 0x10000}), 0x10000},
		{"arm64", section(t, "arm64.eh_frame", cfi.Section{Arch: cfi.ARM64, EH: true, RVA: 0x120, Base: 0x10000}), 0x10000},
		{"arm", section(t, "arm.debug_frame", cfi.Section{Arch: cfi.ARM}), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			golden, err := os.ReadFile(filepath.Join("testdata", tt.name+".rows"))
			if err != nil {
				t.Fatal(err)
			}
			table := cfi.NewTable(tt.section)
			if err := table.Err(); err != nil {
				t.Error(err)
			}
			functions := 0
			var end, at uint32
			row := ""
			check := func(until uint32) {
				for ; row != "" && at < until; at++ {
					rules, err := table.Rules(at - tt.base)
					if rules == nil || err != nil {
						t.Fatalf("0x%x: %v, %v", at, rules, err)
					}
					if got := rules.String(); got != row {
						t.Errorf("0x%x: %s, want %s", at, got, row)
					}
				}
			}
			for line := range strings.Lines(string(golden)) {
				line = strings.TrimSpace(line)
				var start uint32
				if n, _ := fmt.Sscanf(line, "function %x %x", &start, new(uint32)); n > 0 {
					check(end)
					fmt.Sscanf(line, "function %x %x", &start, &end)
					row = ""
					functions++
					if got, ok := table.Function(end - 1 - tt.base); !ok || got != start-tt.base {
						t.Errorf("the function of 0x%x begins at 0x%x, want 0x%x", end-1, got, start)
					}
				} else if address, rest, ok := strings.Cut(line, ": "); ok {
					fmt.Sscanf(address, "0x%x", &start)
					check(start)
					at, row = start, rest
				}
			}
			check(end)
			if functions != table.Len() || functions < 5 {
				t.Errorf("%d functions, llvm-dwarfdump has %d", table.Len(), functions)
			}
			if rules, err := table.Rules(0); rules != nil || err != nil {
				t.Errorf("Rules(0) = %v, %v", rules, err)
			}
		})
	}
}
