package unwind

import (
	"encoding/binary"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
)

// TestARMStart wants to know where functions begin, and of pieces of functions that
// it does not know it.
func TestARMStart(t *testing.T) {
	mem64, functions64 := arm64Program(t)
	mem32, functions32 := arm32Program(t)
	unwinder64, unwinder32 := arm64Unwinder(mem64), arm32Unwinder(mem32)
	tests := []struct {
		name      string
		u         *Unwinder
		functions map[string]uint64
		off       uint64
		behind    bool // PC is a return address
		want      bool
	}{
		{"t_next", unwinder64, functions64, 0, false, true},
		{"t_next", unwinder64, functions64, 0x20, true, true},
		{"t_stack_leaf", unwinder64, functions64, 4, false, true},
		{"t_packed_i2_f2_c2_496", unwinder64, functions64, 8, false, true},
		{"t_leaf", unwinder64, functions64, 4, false, false},
		{"t_fragments", unwinder64, functions64, 8, false, true},
		{"t_other", unwinder64, functions64, 8, false, false},    // packed, the middle of t_fragments
		{"t_other", unwinder64, functions64, 0x14, false, false}, // a piece with a prolog of its own
		{"t_long", unwinder64, functions64, 0x200c, true, true},
		{"t_long", unwinder64, functions64, 0x2010, true, false}, // its last piece
		{"t_many", unwinder32, functions32, 2, false, true},
		{"t_many", unwinder32, functions32, 0, true, false}, // what is before it has called
		{"t_low", unwinder32, functions32, 12, true, true},
		{"t_leaf", unwinder32, functions32, 2, false, false},
		{"t_other", unwinder32, functions32, 4, false, false}, // the rest of t_fragments
		{"t_packed_lr3_0_3", unwinder32, functions32, 4, false, true},
	}
	for _, tt := range tests {
		begin := minidump.VA(tt.functions[tt.name])
		if begin == 0 {
			t.Fatalf("no %s", tt.name)
		}
		f := Frame{PC: begin + minidump.VA(tt.off), Return: tt.behind}
		got := tt.u.start(f)
		if tt.want && got != begin || !tt.want && got == begin {
			t.Errorf("%s+%#x: %s", tt.name, tt.off, got)
		}
		if !tt.want && got != 0 && tt.name != "t_many" {
			t.Errorf("%s+%#x: %s, want none", tt.name, tt.off, got)
		}
	}
	// A thread that waits for a system call stands behind it.
	leaf := functions64["t_other"]
	binary.LittleEndian.PutUint32(mem64.at(leaf, 4), 0xd4000001|0x45<<5) // svc #0x45
	if got := unwinder64.start(Frame{PC: minidump.VA(leaf + 4)}); got != minidump.VA(leaf) {
		t.Errorf("behind svc: %s, want %#x", got, leaf)
	}
	framed := functions64["t_stack_leaf"]
	binary.LittleEndian.PutUint32(mem64.at(framed+4, 4), 0xd4000001)
	if got := unwinder64.start(Frame{PC: minidump.VA(framed + 8)}); got != minidump.VA(framed) {
		t.Errorf("behind svc of a function with a frame: %s, want %#x", got, framed)
	}
}
