package unwind

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// A scene is a module, code made at run time, and a stack.
type scene struct {
	memory  sparse
	entries []runtimeFunction
	noTable bool // the module has no exception directory that can be read
	regions []codeRange
}

const (
	sceneBase  = 0x140000000
	scenePdata = sceneBase + 0x8000
	sceneXdata = sceneBase + 0x9000
	sceneStack = 0x20000
	sceneJIT   = 0x300000
)

func (s scene) unwinder() *Unwinder {
	modules := symbol.NewModules([]minidump.Module{{BaseOfImage: sceneBase, SizeOfImage: 0x10000, ModuleName: "a.dll"}})
	var table []byte
	for _, e := range s.entries {
		for _, v := range []uint32{e.begin, e.end, e.unwind} {
			table = binary.LittleEndian.AppendUint32(table, v)
		}
	}
	s.memory[scenePdata] = table
	s.memory[sceneBase] = []byte("MZ")
	u := &Unwinder{
		arch: minidump.ProcessorAMD64, memory: s.memory, code: s.memory, modules: modules, limit: maxFrames, step: stepAMD64, runtime: runtimeCode(s.regions...),
		calls: &CallDecoder{Code: s.memory, Arch: minidump.ProcessorAMD64},
	}
	a := u.amd64()
	known := exceptionTable{base: sceneBase, start: scenePdata, count: len(s.entries)}
	if s.noTable {
		known.count = 0
	}
	a.tables.known = map[minidump.VA]exceptionTable{sceneBase: known}
	return u
}

// runtimeCode is memory with code of no module.
func runtimeCode(code ...codeRange) *symbol.RuntimeCode {
	infos := &dumptest.MemoryInfoList{}
	for _, c := range code {
		infos.Regions = append(infos.Regions, dumptest.MemoryInfo{
			BaseAddress: uint64(c.start), AllocationBase: uint64(c.start), AllocationProtect: uint32(minidump.PageExecuteReadWrite),
			RegionSize: uint64(c.last-c.start) + 1,
			State:      uint32(minidump.MemCommit), Protect: uint32(minidump.PageExecuteReadWrite), Type: uint32(minidump.MemPrivate),
		})
	}
	data := (&dumptest.Dump{MemoryInfos: infos}).Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		panic(err)
	}
	return symbol.NewRuntimeCode(f, nil, nil)
}

// words are memory of eight bytes each.
func words(v ...uint64) []byte {
	var p []byte
	for _, w := range v {
		p = binary.LittleEndian.AppendUint64(p, w)
	}
	return p
}

// walk writes the frames.
func walk(t testing.TB, u *Unwinder, r Registers) string {
	t.Helper()
	var out []string
	stop, err := u.Walk(t.Context(), r, func(f Frame, r *Registers) bool {
		line := fmt.Sprintf("%#x sp %#x %s", uint64(f.PC), uint64(f.SP), f.Trust)
		if !f.Return {
			line += " interrupted"
		}
		for n := range 32 {
			if r.knows(n) && n != minidump.RegSP && f.Trust != TrustContext && r.R[n] != 0 {
				line += fmt.Sprintf(" r%d=%#x", n, r.R[n])
			}
		}
		out = append(out, line)
		return len(out) < 20
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(append(out, string(stop)), "\n")
}

// The functions of the scenes: a calls b, which is at 0x2000 and has the unwind
// data of the case. Where b is called from is returnA.
const (
	returnA = sceneBase + 0x1020
	inB     = sceneBase + 0x2040
	returnC = sceneBase + 0x3020 // in code without entry, behind a call
)

func TestAMD64Step(t *testing.T) {
	call := "90 90 90 e8 e0 0f 00 00" // ends at a return address; of a it calls b
	for _, tt := range []struct {
		name  string
		b     string // unwind data of b, at RVA 0x9100
		at    uint64 // PC; inB if 0
		stack []uint64
		known uint32 // registers; 0 is all
		regs  map[int]uint64
		code  string // at PC
		extra map[minidump.VA]string
		scene scene
		more  []runtimeFunction
		want  string
	}{
		{name: "start of the thread", b: "01 01 01 00 01 30", stack: []uint64{0xb0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\nstart of the thread"},
		{name: "a caller", b: "01 01 01 00 01 30", stack: []uint64{0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 cfi r3=0xb0\nstart of the thread"},
		{name: "stack not captured", b: "01 01 01 00 01 30", stack: []uint64{0xb0}, want: "0x140002040 sp 0x20000 context interrupted\nstack memory not captured"},
		{name: "no stack at all", b: "01 01 01 00 01 30", want: "0x140002040 sp 0x20000 context interrupted\nstack memory not captured"},
		{name: "stack pointer not known", b: "01 01 01 00 01 30", known: 1 << 3, stack: []uint64{0xb0, 0}, want: "0x140002040 sp 0x20000 context interrupted\nstack memory not captured"},
		{name: "a frame larger than the stack", b: "01 01 03 00 01 11 ff ff ff ff", stack: []uint64{1, 2, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\nstack memory not captured"},

		{name: "frame pointer", b: "01 05 02 25 05 03 01 50", regs: map[int]uint64{5: 0x20028}, stack: []uint64{1, 0xbb, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20018 cfi r5=0xbb\nstart of the thread"},
		{name: "frame pointer that is not known", b: "01 05 02 25 05 03 01 50", known: 1 << 4, stack: []uint64{1, 0xbb, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20018 scan\nstart of the thread"},
		{name: "frame pointer that is something else", b: "01 05 02 25 05 03 01 50", regs: map[int]uint64{5: 7}, stack: []uint64{1, 0xbb, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20018 scan\nstart of the thread"},
		{name: "frame pointer to what is not there", b: "01 05 02 25 05 03 01 50", regs: map[int]uint64{5: 0x90000}, stack: []uint64{1, 0xbb, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20018 scan\nstart of the thread"},

		{name: "machine frame", b: "01 00 02 00 00 72 00 0a", stack: []uint64{8: returnC - 1, 9: 0x33, 10: 0x202, 11: 0x20070, 12: 0x2b, 13: 0, 14: returnA, 15: 0xa0, 16: 0},
			extra: map[minidump.VA]string{returnC - 8: "90 90 90 e8 00 00 00 00"},
			want:  "0x140002040 sp 0x20000 context interrupted\n0x14000301f sp 0x20070 cfi interrupted\n0x140001020 sp 0x20078 cfi\nstart of the thread"},
		{name: "machine frame with an error code", b: "01 00 01 00 00 1a", stack: []uint64{0xe, sceneBase + 0x1000, 0x33, 0x202, 0x20038, 0x2b, 0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001000 sp 0x20038 cfi interrupted\n0x140001020 sp 0x20040 cfi\nstart of the thread"},
		{name: "a null pointer that was called", b: "01 00 01 00 00 0a", stack: []uint64{0, 0x33, 0x202, 0x20030, 0x2b, 0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x0 sp 0x20030 cfi interrupted\n0x140001020 sp 0x20038 cfi\nstart of the thread"},
		{name: "entry that points to another", b: "", scene: scene{entries: []runtimeFunction{{0x1000, 0x1100, 0x9000}, {0x2000, 0x2100, 0x9201}}},
			extra: map[minidump.VA]string{sceneBase + 0x9200: "00 20 00 00 00 21 00 00 00 93 00 00", sceneBase + 0x9300: "01 01 01 00 01 30"}, stack: []uint64{0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 cfi r3=0xb0\nstart of the thread"},
		{name: "entry that points to itself", b: "", scene: scene{entries: []runtimeFunction{{0x1000, 0x1100, 0x9000}, {0x2000, 0x2100, 0x8019}}}, stack: []uint64{0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 scan\nstart of the thread"},
		{name: "chained to itself", b: "21 00 00 00 00 20 00 00 00 21 00 00 00 91 00 00", stack: []uint64{0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 scan\nstart of the thread"},
		{name: "chained", b: "21 00 00 00 00 50 00 00 00 51 00 00 00 92 00 00", extra: map[minidump.VA]string{sceneBase + 0x9200: "01 01 01 00 01 30"}, stack: []uint64{0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 cfi r3=0xb0\nstart of the thread"},
		{name: "chained to what is not there", b: "21 00 00 00 00 50 00 00 00 51 00 00 00 99 00 00", stack: []uint64{0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 scan\nstart of the thread"},
		{name: "unwind data of a version to come", b: "05 01 01 00 01 30", stack: []uint64{0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 scan\nstart of the thread"},
		{name: "partly through the prolog", b: "01 42 03 00 42 02 41 60 3f 30", stack: []uint64{0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 cfi r3=0xb0\nstart of the thread"},
		{name: "at the end of an operation", b: "01 42 03 00 42 02 40 60 3f 30", stack: []uint64{6, 0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20018 cfi r3=0xb0 r6=0x6\nstart of the thread"},

		{name: "epilog", b: "01 04 02 00 04 02 01 30", code: "5b c3", stack: []uint64{0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 cfi r3=0xb0\nstart of the thread"},
		{name: "epilog of other registers", b: "01 04 02 00 04 02 01 30", code: "41 5c 5e c2 10 00", stack: []uint64{0xc, 6, returnA, 0, 0, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20028 cfi r6=0x6 r12=0xc\nstart of the thread"},
		{name: "rep ret", b: "01 04 01 00 04 02", code: "f3 c3", stack: []uint64{returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20008 cfi\nstart of the thread"},
		{name: "a jump within the function", b: "01 01 01 00 04 02", code: "eb 10", stack: []uint64{1, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 cfi\nstart of the thread"},
		{name: "a jump to the pops of the epilog", b: "01 04 02 00 04 02 01 30", code: "eb 10", extra: map[minidump.VA]string{inB + 0x12: "5b c3"}, stack: []uint64{0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 cfi r3=0xb0\nstart of the thread"},
		{name: "a jump to itself", b: "01 04 02 00 04 02 01 30", code: "eb fe", stack: []uint64{1, 0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20018 cfi r3=0xb0\nstart of the thread"},
		{name: "a jump to the function's start", b: "01 01 01 00 04 02", code: "eb be", stack: []uint64{returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20008 cfi\nstart of the thread"},
		{name: "a jump out of the function", b: "01 01 01 00 04 02", code: "e9 bb ef ff ff", stack: []uint64{returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20008 cfi\nstart of the thread"},
		{name: "a jump to another part of the function", b: "01 01 01 00 04 02", code: "e9 bb 2f 00 00", stack: []uint64{1, returnA, 0xa0, 0},
			more: []runtimeFunction{{0x5000, 0x5100, 0x9200}}, extra: map[minidump.VA]string{sceneBase + 0x9200: "21 00 00 00 00 20 00 00 00 21 00 00 00 91 00 00"},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 cfi\nstart of the thread"},
		{name: "a jump through a table", b: "01 01 01 00 04 02", code: "ff e0", stack: []uint64{1, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 cfi\nstart of the thread"},
		{name: "a tail call through a register", b: "01 01 01 00 04 02", code: "48 ff e0", stack: []uint64{returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20008 cfi\nstart of the thread"},
		{name: "a tail call through a pointer", b: "01 01 01 00 04 02", code: "ff 25 00 00 00 00", stack: []uint64{returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20008 cfi\nstart of the thread"},
		{name: "a pop that is in no epilog", b: "02 01 03 00 01 06 10 06 04 02", code: "5b c3", stack: []uint64{1, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 cfi\nstart of the thread"},
		{name: "an epilog by its codes: the code is not there", b: "02 05 05 00 04 06 c1 06 05 02 03 30 02 c0", stack: []uint64{0xb0, returnA, 0xa0, 0}, code: "none", at: inB,
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 cfi r12=0xb0\nstart of the thread"},

		{name: "codes beyond the prolog's end", b: "01 05 01 00 50 30", stack: []uint64{0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 cfi r3=0xb0\nstart of the thread"},
		{name: "what follows a call is no epilog that has begun", b: "01 00 00 00", stack: []uint64{returnA, 0xa0, 0}, extra: map[minidump.VA]string{returnA: "c3"},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20008 cfi\nstart of the thread"},
		{name: "registers that need not be kept", b: "01 01 01 00 01 00", regs: map[int]uint64{0: 5, 3: 7, 8: 9}, stack: []uint64{0xaa, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 cfi r3=0x7\nstart of the thread"},
		{name: "of what was interrupted they are not known", b: "01 00 01 00 00 0a", regs: map[int]uint64{0: 5, 3: 7}, stack: []uint64{sceneBase + 0x1000, 0x33, 0x202, 0x20028, 0x2b, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001000 sp 0x20028 cfi interrupted r3=0x7\nstart of the thread"},
		{name: "frame pointer below the stack pointer", b: "01 05 02 25 05 03 01 50", regs: map[int]uint64{5: 0x20018}, stack: []uint64{1, 0xbb, returnA, 0xa0, 0},
			extra: map[minidump.VA]string{0x1fff0: "00 00 00 00 00 00 00 00 20 10 00 40 01 00 00 00"},
			want:  "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20018 scan\nstart of the thread"},
		{name: "version 3: an epilog of a part that returns", b: "23 01 05 21 00 08 40 00 00 00 01 00 34 00 00 00 00 50 00 00 00 51 00 00 00 92 00 00",
			extra: map[minidump.VA]string{sceneBase + 0x9200: "01 01 01 00 01 30"}, stack: []uint64{6, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 cfi r6=0x6\nstart of the thread"},
		{name: "version 3: an epilog of a part that goes on in the main one", b: "23 01 05 21 00 09 40 00 00 00 01 00 34 00 00 00 00 50 00 00 00 51 00 00 00 92 00 00",
			extra: map[minidump.VA]string{sceneBase + 0x9200: "01 01 01 00 01 30"}, stack: []uint64{6, 0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20018 cfi r3=0xb0 r6=0x6\nstart of the thread"},
		{name: "a home that looks like a return address is not behind a null pointer", b: "01 01 01 00 01 30", stack: []uint64{0xb0, 0, returnA, 0},
			want: "0x140002040 sp 0x20000 context interrupted\nstart of the thread"},
		{name: "a null pointer that was called, below a CONTEXT", b: "01 07 02 00 07 01 9a 00", stack: append(make([]uint64, 0x9b), returnA, 0xa0, 0),
			want: "0x140002040 sp 0x20000 context interrupted\n0x0 sp 0x204d8 cfi interrupted\n0x140001020 sp 0x204e0 cfi\nstart of the thread"},

		{name: "epilog, its function is a part with nothing of its own", b: "21 00 00 00 00 50 00 00 00 51 00 00 00 92 00 00", code: "c3",
			extra: map[minidump.VA]string{sceneBase + 0x9200: "01 01 01 00 01 30"}, stack: []uint64{returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20008 cfi\nstart of the thread"},
		{name: "no epilog, there is nothing to undo", b: "01 00 00 00", code: "5b c3", stack: []uint64{returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20008 cfi\nstart of the thread"},
		{name: "no epilog pops the stack pointer", b: "01 04 02 00 04 02 01 30", code: "5c c3", stack: []uint64{1, 0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20018 cfi r3=0xb0\nstart of the thread"},
		{name: "a jump of a part to its own start", b: "21 04 01 00 04 02 00 00 00 50 00 00 00 51 00 00 00 92 00 00", code: "eb be",
			extra: map[minidump.VA]string{sceneBase + 0x9200: "01 01 01 00 01 30"}, stack: []uint64{1, 0xb0, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20018 cfi r3=0xb0\nstart of the thread"},
		{name: "a jump of a part to the function's start", b: "21 04 01 00 04 02 00 00 00 50 00 00 00 51 00 00 00 92 00 00", code: "e9 bb 2f 00 00",
			more: []runtimeFunction{{0x5000, 0x5100, 0x9200}}, extra: map[minidump.VA]string{sceneBase + 0x9200: "01 01 01 00 01 30"}, stack: []uint64{returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20008 cfi\nstart of the thread"},
		{name: "an epilog by its codes, with a pop of two bytes", b: "02 05 05 00 05 06 c2 06 05 02 03 c0 01 30", stack: []uint64{0xb0, returnA, 0xa0, 0}, code: "none",
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 cfi r3=0xb0\nstart of the thread"},

		{name: "rbp that is odd", at: returnC, scene: scene{noTable: true}, regs: map[int]uint64{5: 0x20014}, stack: []uint64{1, 2, 0x20020 << 32, uint64(returnA&0xffffffff) << 32, returnA >> 32, returnA, 0xa0, 0},
			want: "0x140003020 sp 0x20000 context interrupted\n0x140001020 sp 0x20030 scan\nno way to the caller known"},

		{name: "leaf", at: returnC, stack: []uint64{returnA, 0xa0, 0}, want: "0x140003020 sp 0x20000 context interrupted\n0x140001020 sp 0x20008 cfi\nstart of the thread"},
		{name: "leaf whose caller's code is not there", at: returnC, stack: []uint64{sceneBase + 0x5000}, more: []runtimeFunction{{0x5000, 0x5100, 0x9000}},
			want: "0x140003020 sp 0x20000 context interrupted\n0x140005000 sp 0x20008 cfi\nstack memory not captured"},
		{name: "leaf, but no call led to it", at: returnC, stack: []uint64{inB, returnA, 0xa0, 0}, code: "90", extra: map[minidump.VA]string{inB - 8: "90 90 90 90 90 90 90 90"},
			want: "0x140003020 sp 0x20000 context interrupted\n0x140001020 sp 0x20010 scan\nstart of the thread"},
		{name: "a caller is no leaf", b: "01 01 01 00 01 30", stack: []uint64{0xb0, returnC, 5, returnA, 0xa0, 0}, extra: map[minidump.VA]string{returnC - 8: call},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140003020 sp 0x20010 cfi r3=0xb0\n0x140001020 sp 0x20020 scan\nstart of the thread"},
		{name: "but what was interrupted may be", b: "01 01 01 00 01 30", stack: []uint64{0xb0, returnC, returnA, 0xa0, 0}, extra: map[minidump.VA]string{returnC - 8: "90 90 90 90 90 90 0f 05"},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140003020 sp 0x20010 cfi interrupted r3=0xb0\n0x140001020 sp 0x20018 cfi r3=0xb0\nstart of the thread"},
		{name: "in no module", at: 0x99, stack: []uint64{returnA, 0xa0, 0}, want: "0x99 sp 0x20000 context interrupted\n0x140001020 sp 0x20008 cfi\nstart of the thread"},

		{name: "frame pointer by convention", at: returnC, scene: scene{noTable: true}, regs: map[int]uint64{5: 0x20010}, stack: []uint64{1, 2, 0x20020, returnA, 0x20030, 0, 0},
			want: "0x140003020 sp 0x20000 context interrupted\n0x140001020 sp 0x20020 frame pointer r5=0x20020\nno way to the caller known"},
		{name: "rbp that points down", at: returnC, scene: scene{noTable: true}, regs: map[int]uint64{5: 0x20010}, stack: []uint64{1, 2, 0x20010, returnA, 0},
			want: "0x140003020 sp 0x20000 context interrupted\n0x140001020 sp 0x20020 scan\nno way to the caller known"},
		{name: "rbp to what is no return address", at: returnC, scene: scene{noTable: true}, regs: map[int]uint64{5: 0x20000}, stack: []uint64{0x20010, inB, 0x20020, returnA, 0},
			want: "0x140003020 sp 0x20000 context interrupted\n0x140001020 sp 0x20020 scan\nno way to the caller known"},
		{name: "code made at run time", at: sceneJIT + 0x20, scene: scene{regions: []codeRange{{sceneJIT, sceneJIT + 0xfff}}}, regs: map[int]uint64{5: 0x20010}, stack: []uint64{1, 2, 0xbb, returnA, 0xa0, 0},
			want: "0x300020 sp 0x20000 context interrupted\n0x140001020 sp 0x20020 frame pointer r5=0xbb\nstart of the thread"},
		{name: "a return address in it", at: inB, b: "01 01 01 00 01 30", scene: scene{regions: []codeRange{{sceneJIT, sceneJIT + 0xfff}}}, regs: map[int]uint64{5: 0x20010},
			extra: map[minidump.VA]string{sceneJIT + 0x18: "90 90 90 90 90 90 ff d1"}, stack: []uint64{0xb0, sceneJIT + 0x20, 0xbb, returnA, 0xa0, 0},
			want: "0x140002040 sp 0x20000 context interrupted\n0x300020 sp 0x20010 cfi r3=0xb0 r5=0x20010\n0x140001020 sp 0x20020 frame pointer r5=0xbb\nstart of the thread"},
		{name: "a word that is left over from a call of another function", b: "05 00 00 00", stack: []uint64{sceneBase + 0x1080, 5, returnA, 0xa0, 0},
			extra: map[minidump.VA]string{sceneBase + 0x1078: "90 90 90 e8 80 2f 00 00"}, more: []runtimeFunction{{0x4000, 0x4100, 0x9000}},
			want: "0x140002040 sp 0x20000 context interrupted\n0x140001020 sp 0x20018 scan\nstart of the thread"},
		{name: "and where no table says so", at: returnC, scene: scene{noTable: true}, stack: []uint64{sceneBase + 0x1080, 5, returnA},
			extra: map[minidump.VA]string{sceneBase + 0x1078: "90 90 90 e8 80 2f 00 00"},
			want:  "0x140003020 sp 0x20000 context interrupted\n0x140001020 sp 0x20018 scan\nstack memory not captured"},
		{name: "a call of another module may go by way of a jump", at: sceneJIT, stack: []uint64{sceneBase + 0x1080, 0xa0, 0},
			extra: map[minidump.VA]string{sceneBase + 0x1078: "90 90 90 e8 80 2f 00 00"},
			want:  "0x300000 sp 0x20000 context interrupted\n0x140001080 sp 0x20008 cfi\nstart of the thread"},
		{name: "scan to the end of what is looked at", at: returnC, stack: append(make([]uint64, scanWords-1), returnA, 0xa0, 0),
			want: fmt.Sprintf("0x140003020 sp 0x20000 context interrupted\n0x140001020 sp %#x scan\nstart of the thread", sceneStack+8*scanWords)},
		{name: "scan beyond", at: returnC, stack: append(make([]uint64, scanWords), returnA, 0xa0, 0),
			want: "0x140003020 sp 0x20000 context interrupted\nno way to the caller known"},
	} {
		s := tt.scene
		s.memory = sparse{
			sceneXdata:         unhex(t, "01 01 01 00 01 30"), // a pushes rbx
			sceneXdata + 0x100: unhex(t, tt.b),
			returnA - 8:        unhex(t, call),
			sceneStack:         words(tt.stack...),
		}
		if s.entries == nil {
			s.entries = append([]runtimeFunction{{0x1000, 0x1100, 0x9000}, {0x2000, 0x2100, 0x9100}}, tt.more...)
		}
		if tt.at == 0 {
			tt.at = inB
		}
		switch tt.code {
		case "":
			s.memory[minidump.VA(tt.at)] = make([]byte, 16)
		case "none":
		default:
			s.memory[minidump.VA(tt.at)] = unhex(t, tt.code)
		}
		for at, text := range tt.extra {
			s.memory[at] = unhex(t, text)
		}
		r := Registers{PC: minidump.VA(tt.at), Known: 0xffff}
		if tt.known != 0 {
			r.Known = tt.known
		}
		r.R[minidump.RegSP] = sceneStack
		for n, v := range tt.regs {
			r.R[n] = v
		}
		if diff := cmp.Diff(tt.want, walk(t, s.unwinder(), r)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestExceptionTable searches tables of all lengths, with zeros behind them, and
// with a part that is not there.
func TestExceptionTable(t *testing.T) {
	for n := range 20 {
		for zeros := range 3 {
			var table []byte
			for i := range n {
				for _, v := range []uint32{uint32(i)*0x20 + 0x1000, uint32(i)*0x20 + 0x1010, uint32(i)} {
					table = binary.LittleEndian.AppendUint32(table, v)
				}
			}
			table = append(table, make([]byte, zeros*runtimeFunctionSize)...)
			x := exceptionTable{base: sceneBase, start: scenePdata, count: len(table) / runtimeFunctionSize}
			for rva := uint32(0xff0); rva < 0x1000+20*0x20+1; rva++ {
				f, found, readable := x.find(sparse{scenePdata: table}, rva)
				i := (int(rva) - 0x1000) >> 5
				want := i >= 0 && i < n && rva&0x1f < 0x10
				if !readable || found != want || found && f.unwind != uint32(i) {
					t.Fatalf("%d entries and %d of zeros: %#x is in %+v, %v", n, zeros, rva, f, found)
				}
			}
			if _, found, readable := x.find(sparse{}, 0x1000); found || readable != (x.count == 0) {
				t.Errorf("%d entries that are not there: %v, %v", n, found, readable)
			}
		}
	}
}

// TestNoImage says why a stack of a small dump ends.
func TestNoImage(t *testing.T) {
	s := scene{memory: sparse{sceneStack: words(1, 2, 3)}}
	u := s.unwinder()
	delete(s.memory, sceneBase)
	r := Registers{PC: returnC, Known: 0xffff}
	r.R[minidump.RegSP] = sceneStack
	if diff := cmp.Diff("0x140003020 sp 0x20000 context interrupted\n"+string(StopNoImage), walk(t, u, r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAMD64Canceled stops where the context ends.
func TestAMD64Canceled(t *testing.T) {
	s := scene{memory: sparse{sceneStack: make([]byte, 0x10000)}}
	ctx, cancel := context.WithCancel(t.Context())
	r := Registers{PC: returnC, Known: 0xffff}
	r.R[minidump.RegSP] = sceneStack
	_, err := s.unwinder().Walk(ctx, r, func(Frame, *Registers) bool { cancel(); return true })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestRegistersOf knows the registers that a context has, and no others.
func TestRegistersOf(t *testing.T) {
	for _, tt := range []struct {
		arch  minidump.ProcessorArchitecture
		flags minidump.ContextFlags
		want  uint32
	}{
		{minidump.ProcessorAMD64, minidump.ContextControl | minidump.ContextInteger, 0xffff},
		{minidump.ProcessorAMD64, minidump.ContextControl, 1 << 4},
		{minidump.ProcessorX86, minidump.ContextControl | minidump.ContextInteger, 0xff},
		{minidump.ProcessorX86, minidump.ContextControl, 1<<4 | 1<<5},
		{minidump.ProcessorARM64, minidump.ContextControl | minidump.ContextInteger, 0xffffffff},
		{minidump.ProcessorARM64, minidump.ContextControl, 7 << 29},
		{minidump.ProcessorARM, minidump.ContextControl | minidump.ContextInteger, 0xffff},
		{minidump.ProcessorARM, minidump.ContextControl, 3 << 13},
	} {
		if got := RegistersOf(&minidump.Context{Arch: tt.arch, Flags: tt.flags}).Known; got != tt.want {
			t.Errorf("%s, flags %#x: %#x, want %#x", tt.arch, tt.flags, got, tt.want)
		}
	}
}
