package analysis_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// memoryOf opens the memory of a dump of these ranges.
func memoryOf(t testing.TB, ranges ...dumptest.MemoryRange) *minidump.Memory {
	t.Helper()
	m, err := testdump.Make(t, dumptest.Dump{Memory: ranges}).Memory()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestReadMemoryView(t *testing.T) {
	m := memoryOf(t,
		dumptest.MemoryRange{Start: 0x1000, Data: []byte("0123456789abcdef")},
		dumptest.MemoryRange{Start: 0x1014, Data: []byte("ghij\x00klm")},
		dumptest.MemoryRange{Start: 0x2001, Data: []byte("u\x00v\x00\x00\x00w")},
		dumptest.MemoryRange{Start: 0xfffffffffffffff8, Data: []byte("the last")},
	)
	for _, tt := range []struct {
		format   analysis.MemoryFormat
		at       minidump.VA
		length   uint64
		size     int
		data     string // a part of it
		gaps     string
		ended    bool
		captured bool
	}{
		{analysis.ShowBytes, 0x1000, 16, 16, "0123456789abcdef", "[]", false, true},
		{analysis.ShowBytes, 0x1000, 0, 128, "0123456789abcdef\x00\x00\x00\x00ghij", "[{16 20} {28 128}]", false, true},
		{analysis.ShowBytes, 0x0ff0, 0x24, 0x24, "\x000123456789abcdef", "[{0 16} {32 36}]", false, true},
		{analysis.ShowQwords, 0x1000, 9, 16, "01234567", "[]", false, true},
		{analysis.ShowPointers, 0x1000, 0, 128, "01234567", "[{16 20} {28 128}]", false, true},
		{analysis.ShowDwords, 0x5000, 0, 128, "\x00", "[{0 128}]", false, false},
		{analysis.ShowBytes, 0xfffffffffffffff8, 0, 8, "the last", "[]", false, true},
		{analysis.ShowASCII, 0x1000, 0, 16, "0123456789abcdef", "[]", false, true},
		{analysis.ShowASCII, 0x1014, 0, 4, "ghij", "[]", true, true},
		{analysis.ShowASCII, 0x1014, 2, 2, "gh", "[]", false, true},
		{analysis.ShowASCII, 0x1018, 0, 0, "", "[]", true, true},
		{analysis.ShowUnicode, 0x2001, 0, 4, "u\x00v\x00", "[]", true, true},
		{analysis.ShowUnicode, 0x2007, 0, 0, "", "[]", false, false},
		{analysis.ShowASCII, 0x5000, 0, 0, "", "[]", false, false},
	} {
		v, err := analysis.ReadMemoryView(m, tt.format, tt.at, tt.length, 8)
		if (err == nil) != tt.captured || err != nil && !errors.Is(err, minidump.ErrNotCaptured) {
			t.Errorf("%s %s: error %v", tt.format, tt.at, err)
		}
		if len(v.Data) != tt.size || !strings.Contains(string(v.Data), tt.data) || fmt.Sprint(v.Gaps) != tt.gaps || v.Ended != tt.ended {
			t.Errorf("%s %s: %d bytes %q, gaps %v, ended %v; want %+v", tt.format, tt.at, len(v.Data), v.Data, v.Gaps, v.Ended, tt)
		}
	}
}

func TestMemoryViewValues(t *testing.T) {
	m := memoryOf(t, dumptest.MemoryRange{Start: 0x1000, Data: []byte{1, 2, 3, 4, 5, 6}}, dumptest.MemoryRange{Start: 0x1008, Data: []byte{9, 0, 0, 0, 0, 0, 0, 0, 1}})
	v, err := analysis.ReadMemoryView(m, analysis.ShowSymbols, 0x1000, 24, 8)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]minidump.VA{9}, v.Pointers()); diff != "" || v.Captured() != 15 {
		t.Errorf("%d bytes captured, pointers (-want +got):\n%s", v.Captured(), diff)
	}
	for off, want := range map[int]string{0: "0x4030201 true", 2: "0x6050403 true", 4: "0x0 false", 8: "0x9 true", 20: "0x0 false", 21: "0x0 false"} {
		n, ok := v.Value(off, 4)
		if got := fmt.Sprintf("%#x %v", n, ok); got != want {
			t.Errorf("at %d: %s, want %s", off, got, want)
		}
	}
}

// What cannot be read is an error and a gap, and what follows is there.
func TestMemoryViewBadSector(t *testing.T) {
	d := dumptest.Dump{Memory: []dumptest.MemoryRange{{Start: 0x1000, Data: make([]byte, 0x1000)}, {Start: 0x2000, Data: []byte("good")}}}
	f := testdump.Damaged(t, d, "MemoryList[0].Data", 16)
	m, err := f.Memory()
	if err != nil {
		t.Fatal(err)
	}
	v, err := analysis.ReadMemoryView(m, analysis.ShowBytes, 0x1000, 0x1004, 8)
	if !errors.Is(err, testdump.ErrBadSector) || string(v.Data[0x1000:]) != "good" || fmt.Sprint(v.Gaps) != "[{0 512}]" {
		t.Errorf("gaps %v, error %v", v.Gaps, err)
	}
}

func TestParseMemoryLength(t *testing.T) {
	for text, want := range map[string]uint64{"10": 0x10, "0x10": 0x10, "L10": 0x40, "l4": 0x10, "10000000": 256 << 20, "L4000000": 256 << 20} {
		n, err := analysis.ShowDwords.ParseMemoryLength(text, 8)
		if n != want || err != nil {
			t.Errorf("%s: %#x, %v; want %#x", text, n, err, want)
		}
	}
	for _, bad := range []string{"", "0", "L", "L0", "x", "-1", "10000001", "L4000001", "ffffffffffffffff"} {
		if n, err := analysis.ShowDwords.ParseMemoryLength(bad, 8); err == nil {
			t.Errorf("%q: %d and no error", bad, n)
		}
	}
	if n, _ := analysis.ShowPointers.ParseMemoryLength("L2", 4); n != 8 {
		t.Errorf("two pointers of 4 bytes have %d", n)
	}
}

func TestParseMemoryFormat(t *testing.T) {
	for _, name := range analysis.MemoryFormats() {
		f, err := analysis.ParseMemoryFormat(strings.ToUpper(name))
		if err != nil || string(f) != name || f.Unit(8) == 0 {
			t.Errorf("%s is %s, error %v", name, f, err)
		}
	}
	const want = "memory is shown as db, dw, dd, dc, dq, dp, dps, dds, dqs, da or du, not as d"
	if _, err := analysis.ParseMemoryFormat("d"); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestParseAddress(t *testing.T) {
	modules := []minidump.Module{
		{BaseOfImage: 0x400000, ModuleName: `C:\a-1.exe`}, {BaseOfImage: 0x7ff0000, ModuleName: `C:\windows\ntdll.dll`},
		{BaseOfImage: 0x77000, ModuleName: `C:\x\twice.dll`}, {BaseOfImage: 0x78000, ModuleName: `C:\y\twice.dll`},
	}
	for text, want := range map[string]minidump.VA{
		"0": 0, "7ff6`12340000": 0x7ff612340000, "0x10": 0x10, "ntdll": 0x7ff0000, "NTDLL.dll+0x10": 0x7ff0010,
		"ntdll + 10+8": 0x7ff0018, "a_1+1": 0x400001, "a-1.exe": 0x400000, "10+ntdll": 0x7ff0010, "TWICE_78000+4": 0x78004,
	} {
		if got, err := analysis.ParseAddress(text, modules); got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                  "an address is missing",
		"ntdll+":            "an address is missing",
		"ntdll!NtClose":     `"ntdll!NtClose": the addresses of symbols are not looked up; write ntdll+OFFSET`,
		"ntdl":              `"ntdl" is neither a hexadecimal number nor a module; did you mean ntdll?`,
		"nowhere":           `"nowhere" is neither a hexadecimal number nor a module`,
		"twice":             "2 modules are named twice; write twice_77000 or twice_78000",
		"11112222333344445": `"11112222333344445" is neither a hexadecimal number nor a module`,
	} {
		if got, err := analysis.ParseAddress(text, modules); err == nil || err.Error() != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
}
