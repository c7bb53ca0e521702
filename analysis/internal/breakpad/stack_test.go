package breakpad_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/breakpad"
)

// stackFile has the records of Breakpad's documentation, and some that are wrong.
const stackFile = `MODULE windows x86 5A9832E5287241C1838ED98914E9B7FF1 test_app.pdb
FUNC 804c4b0 30 0 f
804c4b0 30 1 1
STACK CFI INIT 804c4b0 40 .cfa: $esp 4 + $eip: .cfa 4 - ^
STACK CFI 804c4b1 .cfa: $esp 8 + $ebp: .cfa 8 - ^
STACK CFI 804c4b3 .cfa: $ebp 8 +
STACK CFI INIT 804d000 10 .cfa: $esp 4 + .ra: .cfa 4 - ^
FUNC 804d000 10 0 g
STACK CFI 804d001 .cfa: lost
STACK CFI INIT 804d010 zz .cfa: $esp 4 +
STACK CFI INIT 804d010 10
STACK CFI INIT ffffffffffffffff 10 .cfa: 1
STACK WIN 4 2170 14 1 0 0 0 0 0 1 $eip 4 + ^ = $esp $ebp 8 + = $ebp $ebp ^ =
STACK WIN 4 1000 20 5 0 8 0 0 0 1 $T0 .raSearch = first
STACK WIN 4 1001 1f 4 0 8 4 0 0 1 $T0 .raSearch = second
STACK WIN 4 1003 1d 0 0 8 4 10 0 1 $T0 $ebp = third
STACK WIN 0 1000 40 5 0 c 4 1c 0 0 1
STACK WIN 0 3000 10 2 0 0 0 8 0 0 0
STACK WIN 1 4000 10 2 0 0 0 8 0 0 0
STACK WIN 4 5000
STACK WIN 4 ffffffff 10 1 0 0 0 0 0 1 x
STACK WIN 0 6000 10 2 0
STACK WIN 4 7000 10 2 0 0 0 0 0 1
`

func TestStackCFI(t *testing.T) {
	f, err := breakpad.NewFile(strings.NewReader(stackFile), int64(len(stackFile)))
	if err != nil {
		t.Fatal(err)
	}
	init := ".cfa: $esp 4 + $eip: .cfa 4 - ^"
	pushed := ".cfa: $esp 8 + $ebp: .cfa 8 - ^"
	for rva, want := range map[uint64][]string{
		0x804c4af: nil, 0x804c4b0: {init}, 0x804c4b1: {init, pushed}, 0x804c4b2: {init, pushed}, 0x804c4b3: {init, pushed, ".cfa: $ebp 8 +"},
		0x804c4ef: {init, pushed, ".cfa: $ebp 8 +"}, 0x804c4f0: nil, 0x804d000: {".cfa: $esp 4 + .ra: .cfa 4 - ^"},
		0x804d001: {".cfa: $esp 4 + .ra: .cfa 4 - ^"}, 0x804d010: nil, 0: nil, 0xffffffffffffffff: nil,
	} {
		got, err := f.CFI(rva)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%x: %v (-want +got):\n%s", rva, err, diff)
		}
	}
	if f.Skipped != 5 {
		t.Errorf("%d records skipped, want 5", f.Skipped)
	}
	if sym, ok, err := f.Lookup(0x804c4b5); sym.Name != "f" || sym.Line != 1 || !ok || err != nil {
		t.Errorf("%+v, %v, %v", sym, ok, err)
	}
}

func TestStackWin(t *testing.T) {
	f, err := breakpad.NewFile(strings.NewReader(stackFile), int64(len(stackFile)))
	if err != nil {
		t.Fatal(err)
	}
	fpo := breakpad.Win{RVA: 0x1000, Size: 0x40, Prolog: 5, Params: 12, SavedRegs: 4, Locals: 28, UsesBP: true}
	second := breakpad.Win{RVA: 0x1001, Size: 0x1f, Prolog: 4, Params: 8, SavedRegs: 4, Program: "$T0 .raSearch = second"}
	for rva, want := range map[uint32]breakpad.Win{
		0xfff:  {},
		0x1000: {RVA: 0x1000, Size: 0x20, Prolog: 5, Params: 8, Program: "$T0 .raSearch = first"},
		0x1001: second, 0x1002: second,
		0x1003: {RVA: 0x1003, Size: 0x1d, Params: 8, SavedRegs: 4, Locals: 16, Program: "$T0 $ebp = third"},
		0x1020: fpo, 0x103f: fpo, 0x1040: {},
		0x2175: {RVA: 0x2170, Size: 0x14, Prolog: 1, Program: "$eip 4 + ^ = $esp $ebp 8 + = $ebp $ebp ^ ="},
		0x3000: {RVA: 0x3000, Size: 0x10, Prolog: 2, Locals: 8},
		0x4000: {}, 0x5000: {}, 0xffffffff: {}, 0x6000: {},
		0x7000: {}, // a program without text
	} {
		got, ok, err := f.Win(rva)
		if diff := cmp.Diff(want, got); diff != "" || err != nil || ok != (want != breakpad.Win{}) {
			t.Errorf("%x: %v, %v (-want +got):\n%s", rva, ok, err, diff)
		}
	}
}
