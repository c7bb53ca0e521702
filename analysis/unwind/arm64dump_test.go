package unwind

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// contextARM64 is a CONTEXT with all general registers.
func contextARM64(pc uint64, x [32]uint64) []byte {
	b := dumptest.ContextARM64(pc, x[31], x[29], x[30])
	for i, v := range x {
		binary.LittleEndian.PutUint64(b[8+8*i:], v)
	}
	return b
}

// TestARM64Dump walks a thread of a dump that has the image in its memory, of one
// for which it is found in a folder, and of one without it.
func TestARM64Dump(t *testing.T) {
	mem, functions := arm64Program(t)
	c := mem.start(functions["t_signed_recursion"], 2)
	for c.pc != functions["t_leaf"] {
		if err := c.step(); err != nil {
			t.Fatal(err)
		}
	}
	sp := c.x[31] &^ 15
	arch := uint16(12)
	dump := dumptest.Dump{
		SystemInfo: &dumptest.SystemInfo{ProcessorArchitecture: &arch},
		Modules: []dumptest.Module{{
			Base: mem.base, Size: uint32(len(mem.image)), Name: `C:\unwind.dll`,
			TimeDateStamp: binary.LittleEndian.Uint32(mem.image[binary.LittleEndian.Uint32(mem.image[0x3c:])+8:]),
		}},
		Threads: []dumptest.Thread{{
			ThreadID: 7, Context: contextARM64(c.pc, c.x),
			Stack: dumptest.MemoryRange{Start: sp, Data: mem.at(sp, 1<<20)},
		}},
	}
	full := dump
	full.Flags = dumptest.WithFullMemory
	full.Threads = []dumptest.Thread{full.Threads[0]}
	full.Threads[0].Stack = dumptest.MemoryRange{Start: sp, Size: uint64(len(mem.at(sp, 1<<20)))}
	full.Memory64 = []dumptest.MemoryRange{{Start: sp, Data: mem.at(sp, 1<<20)}, {Start: mem.base, Data: mem.image}}

	// The innermost call jumps to t_leaf, so that it has no frame any more.
	call := functions["t_signed_recursion"]
	for binary.LittleEndian.Uint32(mem.at(call, 4)) != arm64BL(int32(call-mem.base), int32(functions["t_signed_recursion"]-mem.base)) {
		call += 4
	}
	want := []string{fmt.Sprintf("unwind+%#x by context", c.pc-mem.base)}
	for range 2 {
		want = append(want, fmt.Sprintf("unwind+%#x by cfi", call+4-mem.base))
	}
	want = append(want, fmt.Sprintf("%#x by cfi", uint64(arm64Outside)))
	tests := []struct {
		name string
		dump dumptest.Dump
		path string
		want []string
		stop Stop
	}{
		{"full memory", full, "", want, StopNoUnwind},
		{"an image file", dump, imageFolder(t), want, StopNoUnwind},
		{"no image", dump, "", want[:1], StopNoImage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := tt.dump.Bytes()
			f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			s, err := symbol.NewResolver(f, symbol.Options{ImagePath: tt.path})
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
			context, err := f.Context(threads[0].ThreadContext)
			if err != nil {
				t.Fatal(err)
			}
			stack, err := u.Stack(t.Context(), context)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range stack.Frames {
				where := f.PC.String()
				if f.PC != arm64Outside {
					where = fmt.Sprintf("unwind+%#x", uint64(f.PC)-mem.base)
				}
				got = append(got, where+" by "+string(f.Trust))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if stack.Stop != tt.stop {
				t.Errorf("stop: %q, want %q", stack.Stop, tt.stop)
			}
		})
	}
}

// imageFolder has the program under its name alone.
func imageFolder(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(arm64Dir, "unwind.dll"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "unwind.dll"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}
