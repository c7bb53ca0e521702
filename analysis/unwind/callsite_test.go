package unwind_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/unwind"
	"github.com/dumpscan/dumpscan/minidump"
)

// sparseCode is memory of which only some stretches were captured.
type sparseCode map[minidump.VA][]byte

func (c sparseCode) ReadAt(p []byte, addr minidump.VA) (int, error) {
	for start, data := range c {
		if addr >= start && addr < start+minidump.VA(len(data)) {
			n := copy(p, data[addr-start:])
			if n < len(p) {
				return n, minidump.ErrNotCaptured
			}
			return n, nil
		}
	}
	return 0, minidump.ErrNotCaptured
}

func code(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecodeCall(t *testing.T) {
	const ret = 0x140001020
	tests := []struct {
		name   string
		arch   minidump.ProcessorArchitecture
		ret    minidump.VA
		before string                 // bytes that end at ret
		other  map[minidump.VA]string // code and data elsewhere
		want   unwind.CallSite
		err    string
	}{
		{name: "near call", arch: minidump.ProcessorAMD64, ret: ret, before: "90 90 90 e8 e0 0f 00 00",
			want: unwind.CallSite{Target: 0x140002000}},
		{name: "near call backwards", arch: minidump.ProcessorX86, ret: 0x401020, before: "55 8b ec e8 e0 ff ff ff",
			want: unwind.CallSite{Target: 0x401000}},
		{name: "import", arch: minidump.ProcessorAMD64, ret: ret, before: "90 90 ff 15 e0 1f 00 00",
			other: map[minidump.VA]string{0x140003000: "00 10 11 80 f7 7f 00 00"},
			want:  unwind.CallSite{Target: 0x7ff780111000, Slot: 0x140003000}},
		{name: "import whose slot lies below", arch: minidump.ProcessorAMD64, ret: ret, before: "90 90 ff 15 e0 ff fe ff",
			other: map[minidump.VA]string{0x13fff1000: "00 10 11 80 f7 7f 00 00"},
			want:  unwind.CallSite{Target: 0x7ff780111000, Slot: 0x13fff1000}},
		{name: "through a jump to a slot below", arch: minidump.ProcessorAMD64, ret: ret, before: "90 90 90 e8 e0 0f 00 00",
			other: map[minidump.VA]string{0x140002000: "ff 25 fa ef fe ff", 0x13fff1000: "00 10 11 80 f7 7f 00 00"},
			want:  unwind.CallSite{Target: 0x7ff780111000}},
		{name: "a field below", arch: minidump.ProcessorAMD64, ret: ret, before: "90 90 ff 90 f0 ff ff ff",
			want: unwind.CallSite{Instruction: "call qword ptr [rax-0x10]"}},
		{name: "import, slot not captured", arch: minidump.ProcessorAMD64, ret: ret, before: "90 90 ff 15 e0 1f 00 00",
			want: unwind.CallSite{Slot: 0x140003000, Instruction: "call qword ptr [rip+0x1fe0]"}},
		{name: "import of x86", arch: minidump.ProcessorX86, ret: 0x401020, before: "90 90 ff 15 00 30 40 00",
			other: map[minidump.VA]string{0x403000: "10 20 30 76"},
			want:  unwind.CallSite{Target: 0x76302010, Slot: 0x403000}},
		{name: "through the import table's jump", arch: minidump.ProcessorAMD64, ret: ret, before: "90 90 90 e8 e0 0f 00 00",
			other: map[minidump.VA]string{0x140002000: "ff 25 fa 0f 00 00", 0x140003000: "00 10 11 80 f7 7f 00 00"},
			want:  unwind.CallSite{Target: 0x7ff780111000}},
		{name: "through a jump of incremental linking", arch: minidump.ProcessorX86, ret: 0x401020, before: "55 8b ec e8 e0 0f 00 00",
			other: map[minidump.VA]string{0x402000: "e9 fb 0f 00 00 cc"},
			want:  unwind.CallSite{Target: 0x403000}},
		{name: "a function that begins with a short jump", arch: minidump.ProcessorX86, ret: 0x401020, before: "55 8b ec e8 e0 0f 00 00",
			other: map[minidump.VA]string{0x402000: "eb 10 cc cc cc cc"},
			want:  unwind.CallSite{Target: 0x402000}},
		{name: "register", arch: minidump.ProcessorAMD64, ret: ret, before: "90 90 90 90 90 90 ff d0",
			want: unwind.CallSite{Instruction: "call rax"}},
		{name: "virtual", arch: minidump.ProcessorAMD64, ret: ret, before: "90 90 90 90 90 ff 50 18",
			want: unwind.CallSite{Instruction: "call qword ptr [rax+0x18]"}},
		{name: "through a table", arch: minidump.ProcessorX86, ret: 0x401020, before: "90 ff 14 85 00 30 40 00",
			want: unwind.CallSite{Instruction: "call dword ptr [4*eax+0x403000]"}},
		{name: "no call", arch: minidump.ProcessorAMD64, ret: ret, before: "90 90 90 90 90 90 90 90",
			err: "no call before 0x140001020"},
		{name: "not captured", arch: minidump.ProcessorAMD64, ret: ret,
			err: "code before 0x140001020: memory not captured in the dump"},
		{name: "two bytes captured", arch: minidump.ProcessorAMD64, ret: ret, before: "ff d3",
			want: unwind.CallSite{Instruction: "call rbx"}},
		{name: "at the start of the address space", arch: minidump.ProcessorAMD64, ret: 1,
			err: "code before 0x1: memory not captured in the dump"},
		{name: "arm64 bl", arch: minidump.ProcessorARM64, ret: ret, before: "f9 03 00 94",
			want: unwind.CallSite{Target: 0x140002000}},
		{name: "arm64 blr", arch: minidump.ProcessorARM64, ret: ret, before: "00 01 3f d6",
			want: unwind.CallSite{Instruction: "BLR X8"}},
		{name: "arm64 no call", arch: minidump.ProcessorARM64, ret: ret, before: "1f 20 03 d5", err: "no call before 0x140001020"},
		{name: "thumb bl", arch: minidump.ProcessorARM, ret: 0x401020, before: "24 f1 30 fa", want: unwind.CallSite{Target: 0x525480}},
		{name: "thumb bl backwards", arch: minidump.ProcessorARM, ret: 0x401022, before: "fe f7 f7 ff", want: unwind.CallSite{Target: 0x400010}},
		{name: "thumb bl far backwards", arch: minidump.ProcessorARM, ret: 0x401020, before: "db f6 ca fd", want: unwind.CallSite{Target: 0x2dcbb4}},
		{name: "thumb blx to arm", arch: minidump.ProcessorARM, ret: 0x401022, before: "ff f7 fe ef", want: unwind.CallSite{Target: 0x40101c}},
		{name: "thumb blx", arch: minidump.ProcessorARM, ret: 0x401022, before: "98 47", want: unwind.CallSite{Instruction: "blx r3"}},
		{name: "thumb b.w", arch: minidump.ProcessorARM, ret: 0x401020, before: "00 f0 01 b8", err: "no call before 0x401020"},
		{name: "arm bl", arch: minidump.ProcessorARM, ret: 0x401020, before: "fe ff ff eb", want: unwind.CallSite{Target: 0x40101c}},
		{name: "arm bl where no arm code can be", arch: minidump.ProcessorARM, ret: 0x401022, before: "fe ff ff eb", err: "no call before 0x401022"},
		{name: "arm blx to thumb", arch: minidump.ProcessorARM, ret: 0x401020, before: "fe ff ff fb", want: unwind.CallSite{Target: 0x40101e}},
		{name: "arm blx", arch: minidump.ProcessorARM, ret: 0x401020, before: "34 ff 2f e1", want: unwind.CallSite{Instruction: "blx r4"}},
		{name: "arm, no code", arch: minidump.ProcessorARM, ret: 0x401020, err: "code before 0x401020: memory not captured in the dump"},
		{name: "other processor", arch: minidump.ProcessorIA64, ret: ret, err: "calls of IA64 are not decoded"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			memory := sparseCode{}
			if tt.before != "" {
				b := code(t, tt.before)
				memory[tt.ret-minidump.VA(len(b))] = b
			}
			for addr, text := range tt.other {
				memory[addr] = code(t, text)
			}
			d := &unwind.CallDecoder{Code: memory, Arch: tt.arch}
			got, err := d.Decode(tt.ret)
			if message := errorText(err); message != tt.err {
				t.Fatalf("error %q, want %q", message, tt.err)
			}
			tt.want.Return = tt.ret
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// In an image file absolute addresses are those of its preferred base, and the
// pointers of the import table mean nothing.
func TestDecodeCallInImageFile(t *testing.T) {
	d := &unwind.CallDecoder{
		Code:  sparseCode{0x501018: code(t, "90 90 ff 15 00 30 40 00"), 0x403000: code(t, "01 00 00 00"), 0x503000: code(t, "02 00 00 00")},
		Data:  sparseCode{0x503000: code(t, "10 20 30 76")},
		Arch:  minidump.ProcessorX86,
		Shift: func(minidump.VA) minidump.VA { return 0x100000 },
	}
	got, err := d.Decode(0x501020)
	want := unwind.CallSite{Return: 0x501020, Slot: 0x503000, Target: 0x76302010}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// The last five bytes look like a near call too, whose target no module holds.
func TestDecodeCallPlausible(t *testing.T) {
	memory := sparseCode{0x401018: code(t, "90 90 90 e8 10 ff 50 18")}
	d := &unwind.CallDecoder{
		Code: memory, Arch: minidump.ProcessorX86,
		Plausible: func(a minidump.VA) bool { return a < 0x500000 },
	}
	got, err := d.Decode(0x401020)
	if err != nil || got.Target != 0 || !strings.Contains(got.Instruction, "eax") {
		t.Errorf("%+v, %v; want a call through eax", got, err)
	}
}

func FuzzDecodeCall(f *testing.F) {
	f.Add([]byte{0xe8, 1, 0, 0, 0}, uint64(0x1005), uint16(9))
	f.Add([]byte{0xff, 0x15, 0, 0, 0, 0}, uint64(6), uint16(0))
	f.Add([]byte{0xff, 0x25, 0xfa, 0xff, 0xff, 0xff}, uint64(0xffffffffffffffff), uint16(9))
	f.Fuzz(func(t *testing.T, bytes []byte, ret uint64, arch uint16) {
		d := &unwind.CallDecoder{
			Code: sparseCode{minidump.VA(ret - uint64(len(bytes))): bytes},
			Arch: minidump.ProcessorArchitecture(arch),
		}
		a, errA := d.Decode(minidump.VA(ret))
		b, errB := d.Decode(minidump.VA(ret))
		if a != b || errorText(errA) != errorText(errB) {
			t.Errorf("two runs differ: %+v, %v; %+v, %v", a, errA, b, errB)
		}
		if errA != nil && (a.Target != 0 || a.Instruction != "") {
			t.Errorf("an error, and %+v", a)
		}
		if errA == nil && a.Target == 0 && a.Instruction == "" {
			t.Error("neither target nor instruction nor error")
		}
	})
}
