package unwind

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
)

// sparse is memory of which only some stretches were captured.
type sparse map[minidump.VA][]byte

func (m sparse) ReadAt(p []byte, addr minidump.VA) (int, error) {
	for start, data := range m {
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

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// text writes what was read of the unwind data of a fragment of 0x100 bytes.
func (info *unwindInfo) text() string {
	if info == nil {
		return "none"
	}
	names := map[windOp]string{windPush: "push", windAlloc: "alloc", windSetFrame: "frame", windSave: "save", windSaveXMM: "xmm", windMachineFrame: "machine"}
	ops := func(list []wind) string {
		var out []string
		for _, w := range list {
			out = append(out, fmt.Sprintf("%d:%s.%d+%#x", w.at, names[w.op], w.reg, w.n))
		}
		return strings.Join(out, " ")
	}
	out := fmt.Sprintf("v%d %d [%s]", info.version, info.prolog, ops(info.ops))
	for _, e := range info.epilogs {
		out += fmt.Sprintf(" epilog %#x-%#x [%s] %v", e.start, e.end, ops(e.ops), e.toParent)
	}
	if info.chained {
		out += fmt.Sprintf(" chained %+v", info.parent)
	}
	return out
}

// TestAMD64Codes has every code, and what is wrong.
func TestAMD64Codes(t *testing.T) {
	for _, tt := range []struct{ name, data, want string }{
		{"no codes", "01 00 00 00", "v1 0 []"},
		{"push", "01 01 01 00 01 f0", "v1 1 [1:push.15+0x0]"},
		{"alloc small", "01 04 02 00 08 02 04 f2", "v1 4 [8:alloc.0+0x8 4:alloc.15+0x80]"},
		{"alloc large", "01 07 02 00 07 01 11 00", "v1 7 [7:alloc.0+0x88]"},
		{"alloc of 512 KiB less 8", "01 07 02 00 07 01 ff ff", "v1 7 [7:alloc.0+0x7fff8]"},
		{"alloc huge", "01 07 03 00 07 11 78 56 34 12", "v1 7 [7:alloc.1+0x12345678]"},
		{"alloc of another form", "01 07 03 00 07 21 78 56 34 12", "none"},
		{"frame", "01 05 01 35 05 03", "v1 5 [5:frame.5+0x30]"},
		{"frame of r13, as far as it goes", "01 05 01 fd 05 03", "v1 5 [5:frame.13+0xf0]"},
		{"save", "01 05 02 00 05 64 12 00", "v1 5 [5:save.6+0x90]"},
		{"save far", "01 05 03 00 05 65 00 00 09 00", "v1 5 [5:save.6+0x90000]"},
		{"xmm", "01 05 02 00 05 68 12 00", "v1 5 [5:xmm.6+0x120]"},
		{"xmm far", "01 05 03 00 05 69 00 00 10 00", "v1 5 [5:xmm.6+0x100000]"},
		{"the first compilers' xmm of 64 bits", "01 05 03 00 05 66 12 00 02 02 00 00", "v1 5 [5:xmm.6+0x90 2:alloc.0+0x8]"},
		{"and far", "01 05 04 00 05 67 12 00 00 00 02 02", "v1 5 [2:alloc.0+0x8]"},
		{"machine frame", "01 00 01 00 00 0a", "v1 0 [0:machine.0+0x0]"},
		{"machine frame with an error code", "01 00 01 00 00 1a", "v1 0 [0:machine.1+0x8]"},
		{"spare of version 2", "02 05 04 00 05 07 00 00 00 00 01 30", "v2 5 [1:push.3+0x0]"},
		{"unknown code", "01 01 01 00 01 0b", "none"},
		{"code cut off", "01 05 01 00 05 64", "none"},
		{"far code cut off", "01 05 02 00 05 65 00 00", "none"},
		{"codes not there", "01 05 02 00 05 64", "none"},
		{"not there", "01 05", "none"},
		{"handler", "09 01 01 00 01 30 00 00 78 56 34 12", "v1 1 [1:push.3+0x0]"},
		{"chained", "21 05 02 00 05 64 12 00 01 00 00 00 02 00 00 00 03 00 00 00", "v1 5 [5:save.6+0x90] chained {begin:1 end:2 unwind:3}"},
		{"chained behind an odd number", "21 01 01 00 01 30 00 00 01 00 00 00 02 00 00 00 03 00 00 00", "v1 1 [1:push.3+0x0] chained {begin:1 end:2 unwind:3}"},
		{"chained to nothing", "21 01 01 00 01 30 00 00 01 00 00 00", "none"},
		{"version 0", "00 00 00 00", "none"},
		{"version 4", "04 00 00 00", "none"},

		{"epilog at the end", "02 01 03 00 04 16 00 06 01 30 00 00", "v2 1 [1:push.3+0x0] epilog 0xfc-0x100 [] false"},
		{"epilogs", "02 01 05 00 04 16 20 06 40 06 00 06 01 30 00 00", "v2 1 [1:push.3+0x0] epilog 0xfc-0x100 [] false epilog 0xe0-0xe4 [] false epilog 0xc0-0xc4 [] false"},
		{"epilogs not at the end", "02 01 03 00 04 06 20 06 01 30 00 00", "v2 1 [1:push.3+0x0] epilog 0xe0-0xe4 [] false"},
		{"an epilog far from the end", "02 01 03 00 04 06 00 16 01 30 00 00", "v2 1 [1:push.3+0x0] epilog 0x0-0x4 [] false"},
		{"an epilog before the function", "02 01 03 00 04 06 01 16 01 30 00 00", "v2 1 [1:push.3+0x0]"},

		{"V3 nothing", "03 00 00 00", "v3 0 []"},
		{"V3 push", "03 01 01 01 00 9c", "v3 1 [1:push.19+0x0]"},
		{"V3 consecutive", "03 01 01 01 00 67", "v3 1 [1:push.13+0x0 1:push.12+0x0]"},
		{"V3 consecutive beyond the last", "03 01 01 01 00 ff", "none"},
		{"V3 push2", "03 01 02 01 00 e0 1b 00", "v3 1 [1:push.3+0x0 1:push.15+0x0]"},
		{"V3 alloc small", "03 01 01 01 02 f8", "v3 1 [3:alloc.0+0x80]"},
		{"V3 alloc large", "03 01 02 01 00 02 ff ff", "v3 1 [1:alloc.0+0x7fff8]"},
		{"V3 alloc huge", "03 01 03 01 00 01 78 56 34 12", "v3 1 [1:alloc.0+0x12345678]"},
		{"V3 frame", "03 01 02 01 00 00 35 00", "v3 1 [1:frame.5+0x30]"},
		{"V3 save", "03 01 02 01 00 36 12 00", "v3 1 [1:save.6+0x90]"},
		{"V3 save far", "03 01 03 01 00 35 78 56 34 12", "v3 1 [1:save.6+0x12345678]"},
		{"V3 xmm", "03 01 02 01 00 6a 12 00", "v3 1 [1:xmm.6+0x120]"},
		{"V3 xmm far", "03 01 03 01 00 69 78 56 34 12", "v3 1 [1:xmm.6+0x12345678]"},
		{"V3 machine frame", "03 00 02 01 00 03 00 00", "v3 0 [1:machine.0+0x0]"},
		{"V3 machine frame with an error code", "03 00 02 01 00 03 01 00", "v3 0 [1:machine.0+0x8]"},
		{"V3 frame of another type", "03 00 02 01 00 03 02 00", "none"},
		{"V3 unknown", "03 01 01 01 00 0b", "none"},
		{"V3 no pool", "03 01 01 02 00 00", "none"},
		{"V3 operation cut off", "03 01 01 01 00 01", "none"},
		{"V3 large", "43 2c 03 01 01 2b 01 34 00 00", "v3 300 [300:push.6+0x0]"},
		{"V3 epilogs", "03 01 09 61 00 10 f0 ff 00 00 09 00 08 00 00 f0 ff 01 e0 ff 1c 00", "none"},
		{"V3 epilog from the end", "03 01 05 21 00 08 f0 ff 00 00 09 02 34 00", "v3 1 [1:push.6+0x0] epilog 0xf0-0xfa [3:push.6+0x0] false"},
		{"V3 epilog from the start, to the parent", "03 01 05 21 00 09 40 00 00 00 09 02 34 00", "v3 1 [1:push.6+0x0] epilog 0x40-0x4a [3:push.6+0x0] true"},
		{"V3 epilog with its own operations", "03 01 05 21 00 08 f0 ff 01 00 09 02 34 1c", "v3 1 [1:push.6+0x0] epilog 0xf0-0xfa [3:push.3+0x0] false"},
		{"V3 epilogs alike", "03 01 07 61 00 08 f0 ff 00 00 09 02 00 f0 ff 34 00 00", "none"},
		{"V3 two epilogs alike", "03 01 06 41 00 09 f0 ff 00 00 09 02 00 f0 ff 34", "v3 1 [1:push.6+0x0] epilog 0xf0-0xfa [3:push.6+0x0] true epilog 0xe0-0xea [3:push.6+0x0] true"},
		{"V3 large epilog", "03 01 06 21 00 0a f0 ff 00 00 2c 01 02 01 34 00", "v3 1 [1:push.6+0x0] epilog 0xf0-0x21d [259:push.6+0x0] false"},
		{"V3 first epilog like none", "03 01 03 21 00 00 f0 ff 34 00", "none"},
		{"V3 epilog beyond the pool", "03 01 05 21 00 08 f0 ff 03 00 09 02 34 00", "none"},
		{"V3 epilog cut off", "03 01 02 21 00 08 f0 ff", "none"},
		{"V3 chained", "23 01 01 01 00 34 00 00 01 00 00 00 02 00 00 00 03 00 00 00", "v3 1 [1:push.6+0x0] chained {begin:1 end:2 unwind:3}"},
	} {
		info, ok := readUnwindInfo(sparse{0x1000: unhex(t, tt.data)}, 0x1000, 0x100)
		if !ok {
			info = nil
		}
		if diff := cmp.Diff(tt.want, info.text()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
