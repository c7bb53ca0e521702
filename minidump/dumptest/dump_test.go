package dumptest

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// literal turns hexadecimal text with comments into bytes. The expectations in
// these tests are written out by hand from the layouts, not computed.
func literal(t *testing.T, text string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// equal compares bytes as a hex dump, so that a difference shows its offset.
func equal(t *testing.T, got, want []byte) {
	t.Helper()
	if diff := cmp.Diff(strings.Split(hex.Dump(want), "\n"), strings.Split(hex.Dump(got), "\n")); diff != "" {
		t.Errorf("bytes differ (-want +got):\n%s", diff)
	}
}

func TestSmallestDump(t *testing.T) {
	got := Dump{TimeDateStamp: 0x4f1e2d3c, Flags: 0x1004, PointerSize: 4}.Bytes()
	equal(t, got, literal(t, `
		4d444d50 93a763a0 01000000 20000000  # MDMP, version, 1 stream, directory at 0x20
		00000000 3c2d1e4f 0410000000000000   # checksum, time, flags
		07000000 38000000 32000000           # SystemInfo, 56 bytes at 0x32
		00000000 0000                        # the empty service pack
		0000 0000 0000 04 01                 # x86, 4 processors, workstation
		0a000000 00000000 654a0000 02000000  # 10.0.19045, NT
		2c000000 0000 0000                   # service pack, suite mask, reserved
		47656e75 696e6549 6e74656c           # GenuineIntel
		00000000 00000000 00000000
	`))
}

// body returns the bytes from one anchor to another.
func body(t *testing.T, d Dump, from, to string) []byte {
	t.Helper()
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{from, to} {
		if _, ok := layout[name]; !ok {
			t.Fatalf("no anchor %q in %v", name, layout)
		}
	}
	return d.Bytes()[layout[from]:layout[to]]
}

func TestHandleData(t *testing.T) {
	d := Dump{
		NoSystemInfo: true,
		HandleData: &HandleData{Handles: []Handle{
			{Value: 0x7e0, Type: "Key", Name: `\R`, GrantedAccess: 0x20019},
			{Value: 0x7e4},
			{Value: 0x7e8, Type: "Mutant", Attributes: 2, GrantedAccess: 0x1f0001, HandleCount: 3, PointerCount: 65527,
				Info: []ObjectInformation{MutantOwner{0x4d2c, 0x1a2c}, MutantInformation{CurrentCount: -1, Abandoned: true}}},
		}},
		Padding: 0xcc,
	}
	equal(t, d.Bytes(), literal(t, `
		4d444d50 93a763a0 01000000 20000000
		00000000 00f15365 0000000000000000
		0c000000 88000000 84000000           # HandleData, 16+3*40 bytes at 0x84
		# handle 7e0, at 0x2c
		06000000 4b006500 7900 0000          # Key
		04000000 5c005200 0000               # at 0x38: \R
		# handle 7e8, at 0x42
		0c000000 4d007500 74006100 6e007400 0000
		# at 0x54: the link that the chain reaches second
		00000000 02000000 08000000  ffffffff 00 01 cccc
		# at 0x68: the link that the chain starts with
		54000000 03000000 10000000  2c4d000000000000 2c1a000000000000
		# at 0x84
		10000000 28000000 03000000 00000000
		e007000000000000 2c000000 38000000 00000000 19000200 02000000 03000000 00000000 00000000
		e407000000000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
		e807000000000000 42000000 00000000 02000000 01001f00 03000000 f7ff0000 68000000 00000000
	`))
}

func TestHandleDataCrashpad(t *testing.T) {
	d := Dump{
		NoSystemInfo: true,
		HandleData: &HandleData{Style: Crashpad, Handles: []Handle{
			{Value: 4, Type: "Key", GrantedAccess: 1},
			{Value: 8, Type: "Key", GrantedAccess: 1},
			{Value: 12, GrantedAccess: 0x804},
		}},
	}
	equal(t, body(t, d, "HandleData", "End"), literal(t, `
		10000000 20000000 03000000 00000000
		0400000000000000 9c000000 00000000 00000000 01000000 01000000 02000000
		0800000000000000 9c000000 00000000 00000000 01000000 01000000 02000000
		0c00000000000000 00000000 00000000 00000000 04080000 00000000 00000000
		06000000 4b006500 7900 0000
	`))
}
