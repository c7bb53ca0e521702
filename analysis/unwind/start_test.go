package unwind

import (
	"testing"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// TestStart finds where system calls begin in which threads wait.
func TestStart(t *testing.T) {
	const base, stub = sceneBase, sceneBase + 0x1040
	before := "cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc"
	for _, tt := range []struct {
		name string
		arch minidump.ProcessorArchitecture
		code string
		pc   minidump.VA
		want minidump.VA
	}{
		{name: "Windows 10", arch: minidump.ProcessorAMD64, code: "4c 8b d1 b8 04 00 00 00 f6 04 25 08 03 fe 7f 01 75 03 0f 05 c3", pc: stub + 0x14, want: stub},
		{name: "Windows 7", arch: minidump.ProcessorAMD64, code: "4c 8b d1 b8 01 00 00 00 0f 05 c3", pc: stub + 0xa, want: stub},
		{name: "the nearest of two", arch: minidump.ProcessorAMD64, code: "4c 8b d1 b8 01 00 00 00 0f 05 c3 cc cc cc cc cc 4c 8b d1 b8 02 00 00 00 0f 05 c3", pc: stub + 0x1a, want: stub + 0x10},
		{name: "no system call", arch: minidump.ProcessorAMD64, code: "4c 8b d1 b8 01 00 00 7f 0f 05 c3", pc: stub + 0xa},
		{name: "too far", arch: minidump.ProcessorAMD64, code: "4c 8b d1 b8 01 00 00 00 0f 05 c3", pc: stub + 0x29},
		{name: "x86", arch: minidump.ProcessorX86, code: "b8 04 00 0d 00 ba 00 60 bc 7b ff d2 c2 0c 00", pc: stub + 0xc},
		{name: "x86", arch: minidump.ProcessorX86, code: "b8 04 00 00 00 ba 00 60 bc 7b ff d2 c2 0c 00", pc: stub + 0xc, want: stub},
	} {
		memory := sparse{base + 0x1020: unhex(t, before+" "+tt.code+" cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc")}
		u := &Unwinder{
			arch: tt.arch, memory: memory, code: memory, calls: &CallDecoder{Code: memory, Arch: tt.arch},
			modules: symbol.NewModules([]minidump.Module{{BaseOfImage: base, SizeOfImage: 0x10000}}),
		}
		if tt.arch == minidump.ProcessorAMD64 {
			memory[scenePdata] = make([]byte, runtimeFunctionSize)
			u.amd64().tables.known = map[minidump.VA]exceptionTable{base: {base: base, start: scenePdata, count: 1}}
		}
		if got := u.start(Frame{PC: tt.pc}); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
