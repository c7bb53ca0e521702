package unwind

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestARM64Codes has every unwind code, with its smallest and largest numbers.
func TestARM64Codes(t *testing.T) {
	tests := []struct{ name, codes, want string }{
		{"alloc_s", "00 1f", "sp + 0, sp + 496"},
		{"save_r19r20_x", "20 3f", "x19 x20 at 0 sp + 0, x19 x20 at 0 sp + 248"},
		{"save_fplr", "40 7f", "x29 x30 at 0 sp + 0, x29 x30 at 504 sp + 0"},
		{"save_fplr_x", "80 bf", "x29 x30 at 0 sp + 8, x29 x30 at 0 sp + 512"},
		{"alloc_m", "c0 00  c7 ff", "sp + 0, sp + 32752"},
		{"save_regp", "c8 00  c8 45  ca 7f", "x19 x20 at 0 sp + 0, x20 x21 at 40 sp + 0, x28 x29 at 504 sp + 0"},
		{"save_regp of fp and lr", "ca 80", "x29 x30 at 0 sp + 0"},
		{"save_regp behind lr", "ca c0", "not documented"},
		{"save_regp_x", "cc 00  cd 3f", "x19 x20 at 0 sp + 8, x23 x24 at 0 sp + 512"},
		{"save_reg", "d0 00  d2 ff", "x19 at 0 sp + 0, x30 at 504 sp + 0"},
		{"save_reg behind lr", "d3 00", "not documented"},
		{"save_reg_x", "d4 00  d5 7f", "x19 at 0 sp + 8, x30 at 0 sp + 256"},
		{"save_reg_x behind lr", "d5 80", "not documented"},
		{"save_lrpair", "d6 00  d7 3f", "x19 x30 at 0 sp + 0, x27 x30 at 504 sp + 0"},
		{"save_lrpair of fp", "d7 40", "not documented"},
		{"save_fregp", "d8 00  d9 ff", "sp + 0, sp + 0"},
		{"save_fregp_x", "da 00  db ff", "sp + 8, sp + 512"},
		{"save_freg", "dc 00  dd ff", "sp + 0, sp + 0"},
		{"save_freg_x", "de 00  de ff", "sp + 8, sp + 256"},
		{"alloc_z", "df 00  df ff", "sp + 0, sp + 4080"},
		{"alloc_l", "e0 00 00 01  e0 01 00 00  e0 ff ff ff", "sp + 16, sp + 1048576, sp + 268435440"},
		{"set_fp, add_fp", "e1  e2 00  e2 ff", "sp = fp - 0, sp = fp - 0, sp = fp - 2040"},
		{"nop, end_c, save_next", "e3 e5 e6", "nop, end_c, next"},
		{"end", "e3 e4 e3", "nop"},
		{"no end", "e3 e3", "nop, nop"},
		{"save_any_reg", "e7 00 00  e7 1e 3f", "x0 at 0 sp + 0, x30 at 504 sp + 0"},
		{"save_any_reg, a pair", "e7 40 00  e7 5d 3f", "x0 x1 at 0 sp + 0, x29 x30 at 1008 sp + 0"},
		{"save_any_reg, pre-indexed", "e7 20 00  e7 33 3f", "x0 at 0 sp + 16, x19 at 0 sp + 1024"},
		{"save_any_reg, a pair, pre-indexed", "e7 60 00  e7 73 01", "x0 x1 at 0 sp + 16, x19 x20 at 0 sp + 32"},
		{"save_any_reg of sp", "e7 1f 00", "not documented"},
		{"save_any_reg of lr and sp", "e7 5e 00", "not documented"},
		{"save_any_reg of d", "e7 00 41  e7 1f 41  e7 20 41  e7 60 41", "sp + 0, sp + 0, sp + 32, sp + 32"},
		{"save_any_reg of q", "e7 00 81  e7 20 81  e7 60 82", "sp + 0, sp + 32, sp + 48"},
		{"save_any_reg of q31 and the next", "e7 5f 81", "not documented"},
		{"save_any_reg, the reserved bit", "e7 80 00", "not documented"},
		{"save_zreg, save_preg", "e7 00 c0  e7 10 c1", "sp + 0, sp + 0"},
		{"what asm routines have", "e9 ea eb ec", "machine frame, context, EC context, clear unwound to call"},
		{"trap_frame", "e8", "not documented"},
		{"reserved", "ed", "not documented"},
		{"reserved", "f7", "not documented"},
		{"reserved, of two bytes", "f8 e4", "not documented"},
		{"reserved, of five bytes", "fb e4 e4 e4 e4", "not documented"},
		{"pac_sign_lr", "fc", "pac"},
		{"reserved", "ff", "not documented"},
		{"cut off", "e3 e0 00 00", "ends behind the record"},
		{"cut off", "c8", "ends behind the record"},
	}
	for _, tt := range tests {
		codes, err := hex.DecodeString(strings.ReplaceAll(tt.codes, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		s := arm64Codes(codes, 0)
		if s.err != nil {
			if !strings.Contains(s.err.Error(), tt.want) {
				t.Errorf("%s: %s: %v, want %s", tt.name, tt.codes, s.err, tt.want)
			}
			continue
		}
		if got := strings.Join(arm64Words(s.ops), ", "); got != tt.want {
			t.Errorf("%s: %s: %s, want %s", tt.name, tt.codes, got, tt.want)
		}
	}
	if s := arm64Codes([]byte{0xe4}, 7); s.ops != nil || s.err != nil {
		t.Errorf("from behind the codes: %v, %v", s.ops, s.err)
	}
}

// TestARM64Packed has the documented examples, and the steps of the canonical
// prologs at the borders of their numbers.
func TestARM64Packed(t *testing.T) {
	packed := func(floats, ints, homes, cr, frame uint32) arm64Packed {
		return arm64Packed(1 | 100<<2 | floats<<13 | ints<<16 | homes<<20 | cr<<21 | frame/16<<23)
	}
	tests := []struct {
		name           string
		p              arm64Packed
		prolog, epilog string
	}{
		{"example 1 of the documentation", 0x416101ed,
			"sp = fp - 0, x29 x30 at 0 sp + 0, sp + 2064, x19 at 0 sp + 16", "x29 x30 at 0 sp + 0, sp + 2064, x19 at 0 sp + 16"},
		{"lr alone", packed(0, 0, 0, 1, 16), "x30 at 0 sp + 16", "x30 at 0 sp + 16"},
		{"lr behind an even number", packed(0, 2, 0, 1, 32), "x30 at 16 sp + 0, x19 x20 at 0 sp + 32", "x30 at 16 sp + 0, x19 x20 at 0 sp + 32"},
		{"lr with an odd number", packed(0, 3, 0, 1, 32), "x21 x30 at 16 sp + 0, x19 x20 at 0 sp + 32", "x21 x30 at 16 sp + 0, x19 x20 at 0 sp + 32"},
		{"d8 and d9", packed(1, 0, 0, 0, 16), "sp + 16", "sp + 16"},
		{"d8 to d10", packed(2, 0, 0, 0, 48), "sp + 16, sp + 0, sp + 32", "sp + 16, sp + 0, sp + 32"},
		{"4080 bytes", packed(0, 0, 0, 0, 4080), "sp + 4080", "sp + 4080"},
		{"4096 bytes", packed(0, 0, 0, 0, 4096), "sp + 16, sp + 4080", "sp + 16, sp + 4080"},
		{"the most", packed(0, 0, 0, 0, 511*16), "sp + 4096, sp + 4080", "sp + 4096, sp + 4080"},
		{"512 bytes and a chain", packed(0, 0, 0, 3, 512), "sp = fp - 0, x29 x30 at 0 sp + 512", "x29 x30 at 0 sp + 512"},
		{"528 bytes and a chain", packed(0, 0, 0, 3, 528), "sp = fp - 0, x29 x30 at 0 sp + 0, sp + 528", "x29 x30 at 0 sp + 0, sp + 528"},
		{"signed", packed(0, 1, 0, 2, 32), "sp = fp - 0, x29 x30 at 0 sp + 16, x19 at 0 sp + 16, pac", "x29 x30 at 0 sp + 16, x19 at 0 sp + 16, pac"},
		{"parameters", packed(0, 2, 1, 3, 96), "sp = fp - 0, x29 x30 at 0 sp + 16, nop, nop, nop, nop, x19 x20 at 0 sp + 80",
			"x29 x30 at 0 sp + 16, x19 x20 at 0 sp + 80"},
		{"parameters alone", packed(0, 0, 1, 3, 80), "sp = fp - 0, x29 x30 at 0 sp + 16, nop, nop, nop, sp + 64", "x29 x30 at 0 sp + 16, sp + 64"},
		{"a frame that is too small", packed(1, 4, 0, 0, 16), "sp + 0, x21 x22 at 16 sp + 0, x19 x20 at 0 sp + 48", "sp + 0, x21 x22 at 16 sp + 0, x19 x20 at 0 sp + 48"},
	}
	for _, tt := range tests {
		prolog, epilog := tt.p.codes()
		got := []string{strings.Join(arm64Words(prolog.ops), ", "), strings.Join(arm64Words(epilog.ops), ", ")}
		if diff := cmp.Diff([]string{tt.prolog, tt.epilog}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if ops, err := packed(0, 11, 0, 0, 96).ops(0); err == nil {
		t.Errorf("11 registers from x19 on: %v", arm64Words(ops))
	}
	// What is left to undo within the function of 100 instructions.
	p := packed(0, 2, 0, 3, 48)
	for at, want := range map[int]int{0: 0, 1: 1, 2: 2, 3: 3, 50: 3, 96: 3, 97: 2, 98: 1, 99: 0} {
		if ops, err := p.ops(at); len(ops) != want || err != nil {
			t.Errorf("at %d: %v, %v, want %d codes", at, arm64Words(ops), err, want)
		}
		if ops, err := (p + 1).ops(at); len(ops) != 3 || err != nil {
			t.Errorf("fragment, at %d: %v, %v", at, arm64Words(ops), err)
		}
	}
}

// TestARM64Records has records that are wrong or at a border.
func TestARM64Records(t *testing.T) {
	const length, extension, one = 20, 0, 1 << 21
	tests := []struct {
		name  string
		words []uint32
		at    int
		want  string
	}{
		{"no epilog", []uint32{length | 1<<27, 0xe4e38101}, 19, "sp + 16, x29 x30 at 0 sp + 16, nop"},
		{"behind the function", []uint32{length | 1<<27, 0xe4e38101}, 20, "no"},
		{"in the prolog", []uint32{length | 1<<27, 0xe4e38101}, 1, "nop"},
		{"version", []uint32{length | 1<<27 | 1<<18, 0xe4e38101}, 5, "version 1 is not documented"},
		{"the longer header", []uint32{length | extension, 1 | 1<<16, 18, 0xe4e38101}, 19, "x29 x30 at 0 sp + 16, nop"},
		{"an epilog longer than the function", []uint32{2 | 1<<27 | 1<<22 | one, 0xe3e3e3e5}, 0, "nop, nop, nop"},
		{"codes of an epilog behind the record", []uint32{length | 1<<27 | 1<<22, 18 | 900<<22, 0xe4e38101}, 18, ""},
		{"no codes", []uint32{length | 1<<22, 3}, 5, ""},
		{"a code that is not known", []uint32{length | 1<<27, 0xe4e3e801}, 19, "0xe8 is not documented"},
		{"a code that is not known in an epilog", []uint32{length | 1<<27 | 1<<22, 18 | 2<<22, 0xe4e8e401}, 18, "0xe8 is not documented"},
		{"nothing", nil, 0, "not captured"},
		{"more codes than there are", []uint32{length | 31<<27, 0xe4e4e4e4}, 0, "not captured"},
		{"more epilogs than there are", []uint32{length, 0xffff | 1<<16, 1}, 0, "not captured"},
	}
	for _, tt := range tests {
		mem := &arm64Memory{base: 0x1000, image: make([]byte, 0x100)}
		for _, word := range tt.words {
			mem.image = binary.LittleEndian.AppendUint32(mem.image, word)
		}
		r, err := armImage{mem, exceptionTable{base: 0x1000}}.arm64Record(0x100)
		got := "no"
		if err == nil {
			var ops []arm64Op
			var ok bool
			if ops, ok, err = r.ops(tt.at); ok {
				got = strings.Join(arm64Words(ops), ", ")
			}
		}
		if err != nil {
			got = err.Error()
		}
		if got != tt.want && (err == nil || !strings.Contains(got, tt.want)) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestARM64Table searches tables of functions.
func TestARM64Table(t *testing.T) {
	const base, start = 0x1000, 0x40
	tests := []struct {
		table []uint32
		rva   uint32
		want  string
	}{
		{nil, 0x500, "none"},
		{[]uint32{0x400, 1, 0x500, 5, 0x600, 9}, 0x3ff, "none"},
		{[]uint32{0x400, 1, 0x500, 5, 0x600, 9}, 0x400, "0x400: 1"},
		{[]uint32{0x400, 1, 0x500, 5, 0x600, 9}, 0x5ff, "0x500: 5"},
		{[]uint32{0x400, 1, 0x500, 5, 0x600, 9}, 0xffffffff, "0x600: 9"},
		{[]uint32{0x400, 1, 0, 0, 0, 0}, 0x500, "0x400: 1"},
		{[]uint32{0x400, 1, 0x500}, 0x600, "not captured"},
	}
	for _, tt := range tests {
		mem := &arm64Memory{base: base, image: make([]byte, start)}
		for _, word := range tt.table {
			mem.image = binary.LittleEndian.AppendUint32(mem.image, word)
		}
		img := armImage{mem, exceptionTable{base: base, start: base + start, count: (len(tt.table) + 1) / 2}}
		e, ok, err := img.entry(tt.rva)
		got := "none"
		if ok {
			got = fmt.Sprintf("%#x: %d", e.begin, e.data)
		}
		if err != nil {
			got = err.Error()
		}
		if got != tt.want && (err == nil || !strings.Contains(got, tt.want)) {
			t.Errorf("%x, %#x: %s, want %s", tt.table, tt.rva, got, tt.want)
		}
	}
}
