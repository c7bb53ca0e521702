package unwind

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// TestARM32Dump walks a thread of a dump that has the image in its memory.
func TestARM32Dump(t *testing.T) {
	mem, functions := arm32Program(t)
	c := arm32Start(mem, uint32(functions["t_wide"]), 2)
	for c.r[15] != uint32(functions["t_leaf"]) {
		if err := c.step(); err != nil {
			t.Fatal(err)
		}
	}
	context := make([]byte, 416)
	binary.LittleEndian.PutUint32(context, 0x20000f)
	for i, v := range c.r {
		binary.LittleEndian.PutUint32(context[4+4*i:], v)
	}
	arch := uint16(5)
	stack := dumptest.MemoryRange{Start: uint64(c.r[13]), Data: mem.at(uint64(c.r[13]), 1<<20)}
	data := dumptest.Dump{
		PointerSize: 4,
		SystemInfo:  &dumptest.SystemInfo{ProcessorArchitecture: &arch},
		Modules:     []dumptest.Module{{Base: mem.base, Size: uint32(len(mem.image)), Name: `C:\unwind.dll`}},
		Threads:     []dumptest.Thread{{ThreadID: 7, Context: context, Stack: stack}},
		Memory:      []dumptest.MemoryRange{{Start: mem.base, Data: mem.image}},
	}.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := symbol.NewResolver(f, symbol.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	code := s.Code(t.Context())
	u, err := New(f, s, code)
	if err != nil {
		t.Fatal(err)
	}
	threads, err := f.Threads()
	if err != nil {
		t.Fatal(err)
	}
	regs, err := f.Context(threads[0].ThreadContext)
	if err != nil {
		t.Fatal(err)
	}
	found, err := u.Stack(t.Context(), regs)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found.Frames {
		got = append(got, fmt.Sprintf("%s at %s by %s", f.PC, f.SP, f.Trust))
	}
	top := uint32(mem.stack) + uint32(len(mem.words)) - 4096
	want := []string{
		fmt.Sprintf("%#x at %#x by context", functions["t_leaf"], c.r[13]),
		fmt.Sprintf("%#x at %#x by cfi", c.r[14]&^1, c.r[13]),
		fmt.Sprintf("%#x at %#x by cfi", arm32Outside, top),
	}
	if diff := cmp.Diff(want, got); diff != "" || found.Stop != StopNoUnwind {
		t.Errorf("%q (-want +got):\n%s", found.Stop, diff)
	}
}
