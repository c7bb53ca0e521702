package unwind

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
)

// FuzzAMD64 unwinds a hostile stack by hostile unwind data: it ends, the stack
// pointer grows with every frame, and two runs say the same.
func FuzzAMD64(f *testing.F) {
	seed := func(data string, stack ...uint64) {
		f.Add(unhex(f, data), unhex(f, "0010000000110000009000000020000000210000009100 00"), words(stack...), uint64(inB), uint64(0x20010), unhex(f, "5b c3"))
	}
	seed("01 01 01 00 01 30", 0xb0, returnA, 0xa0, 0)
	seed("01 05 02 25 05 03 01 50", 1, 0xbb, returnA, 0xa0, 0)
	seed("01 00 02 00 00 72 00 0a", 1, 2, 3, 4, 5, 6, 7, 8, inB, 0x33, 0x202, 0x20060, 0x2b)
	seed("21 00 00 00 00 20 00 00 00 21 00 00 00 91 00 00", 0xb0, returnA, 0xa0, 0)
	seed("02 01 03 00 04 16 00 06 01 30 00 00", 0xb0, returnA, 0xa0, 0)
	seed("03 01 06 41 00 09 f0 ff 00 00 09 02 00 f0 ff 34", 0xb0, returnA, 0xa0, 0)
	f.Fuzz(func(t *testing.T, unwind, table, stack []byte, pc, rbp uint64, code []byte) {
		if len(stack) > 1<<16 {
			return
		}
		run := func() string {
			s := scene{memory: sparse{
				sceneXdata: unwind, sceneStack: stack, minidump.VA(pc): code, returnA - 8: unhex(t, "90 90 90 e8 00 00 00 00"),
			}, regions: []codeRange{{sceneJIT, sceneJIT + 0xfff}}}
			for p := table; len(p) >= runtimeFunctionSize; p = p[runtimeFunctionSize:] {
				s.entries = append(s.entries, decodeRuntimeFunction(p))
			}
			r := Registers{PC: minidump.VA(pc), Known: 0xffff}
			r.R[minidump.RegSP], r.R[minidump.RegFP] = sceneStack, rbp
			u := s.unwinder()
			n, last := 0, minidump.VA(0)
			stop, err := u.Walk(t.Context(), r, func(f Frame, _ *Registers) bool {
				if n > 0 && f.SP <= last {
					t.Fatalf("frame %d: the stack pointer goes from %s to %s", n, last, f.SP)
				}
				n, last = n+1, f.SP
				return true
			})
			if err != nil || stop == "" || n > len(stack)/8+2 {
				t.Fatalf("%d frames of %d bytes, %q, %v", n, len(stack), stop, err)
			}
			return walk(t, u, r)
		}
		if a, b := run(), run(); a != b {
			t.Fatalf("two runs differ:\n%s\n%s", a, b)
		}
	})
}

// FuzzUnwindInfo reads hostile unwind data: what is read of it fits into it.
func FuzzUnwindInfo(f *testing.F) {
	data := testdump.Read(f, "testdata/unwind/unwind-x64.dll")
	image, _ := loadImage(f, data)
	le := binary.LittleEndian
	for at := 0x3000; at+64 < len(image.data); at += 16 {
		f.Add(bytes.Clone(image.data[at:at+64]), uint32(0x100))
	}
	f.Fuzz(func(t *testing.T, data []byte, size uint32) {
		info, ok := readUnwindInfo(sparse{0x1000: data}, 0x1000, size)
		if !ok {
			return
		}
		if n := len(info.ops); n > 255 || n > len(data) {
			t.Fatalf("%d operations in %d bytes", n, len(data))
		}
		if len(info.epilogs) > 255 {
			t.Fatalf("%d epilogs in %d bytes", len(info.epilogs), len(data))
		}
		for _, w := range info.ops {
			if w.reg > 31 || w.op == windMachineFrame && w.n > 8 {
				t.Fatalf("%+v", w)
			}
		}
		if info.chained && info.parent.begin != le.Uint32(data[(4+2*int(data[2])+3)&^3:]) {
			t.Fatalf("%+v", info.parent)
		}
	})
}
