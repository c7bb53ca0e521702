package cfi_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/cfi"
)

func TestExpression(t *testing.T) {
	s := state{map[int]uint64{0: 100, 5: 0x1000, 7: 0x77, 12: 3}, map[uint64]uint64{0x1000: 0x1122334455667788, 0x1008: 9}}
	const cfa = 0x2000
	tests := []struct {
		code string // of AMD64
		want uint64
		err  error
	}{
		{"08ff", 0xff, nil}, {"09ff", 1<<64 - 1, nil}, {"0a0180", 0x8001, nil}, {"0b0180", 0xffffffffffff8001, nil},
		{"0c00000080", 0x80000000, nil}, {"0d00000080", 0xffffffff80000000, nil}, {"0e0102030405060708", 0x0807060504030201, nil},
		{"0f0102030405060708", 0x0807060504030201, nil}, {"10e58e26", 624485, nil}, {"11c0bb78", 0xfffffffffffe1dc0, nil},
		{"030102030405060708", 0x0807060504030201, nil},
		{"30", 0, nil}, {"4f", 31, nil},
		{"7608", 0x1008, nil}, {"7678", 0xff8, nil}, {"7c00", 3, nil}, {"920c05", 8, nil}, // rbp is 6 of DWARF, r12 12
		{"760006", 0x1122334455667788, nil}, {"76009402", 0x7788, nil}, {"76009408", 0x1122334455667788, nil},
		{"9c", cfa, nil}, {"", cfa, nil}, {"96", cfa, nil},
		{"3112", 1, nil}, {"313213", 1, nil}, {"313214", 1, nil}, {"3132331502", 1, nil}, {"313216", 1, nil}, {"31323317", 2, nil},
		{"09ff19", 1, nil}, {"3119", 1, nil}, {"3331" + "1a", 1, nil}, {"09f8321b", 0xfffffffffffffffc, nil}, {"35321c", 3, nil},
		{"37331d", 1, nil}, {"33351e", 15, nil}, {"311f", 1<<64 - 1, nil}, {"3020", 1<<64 - 1, nil}, {"343121", 5, nil}, {"323322", 5, nil},
		{"312381" + "01", 130, nil}, {"313424", 16, nil}, {"09ff083c25", 15, nil}, {"09f83126", 0xfffffffffffffffc, nil}, {"09f8087f26", 1<<64 - 1, nil},
		{"333127", 2, nil}, {"3131" + "29", 1, nil}, {"09ff31" + "2a", 0, nil}, {"3131" + "2b", 0, nil}, {"09ff31" + "2c", 1, nil},
		{"09ff31" + "2d", 1, nil}, {"3131" + "2e", 0, nil},
		{"31280100" + "35" + "36", 6, nil}, {"30280100" + "35", 5, nil}, {"2f0100" + "35" + "36", 6, nil},
		{"2ffdff", 0, cfi.ErrSteps}, {"312ffcff", 0, cfi.ErrSteps}, {"2ffcff", 0, cfi.ErrSyntax}, {"2f0100", 0, cfi.ErrSyntax},
		{"7200", 0, cfi.ErrUnknown}, {"7f7f", 0, cfi.ErrUnknown}, {"9028", 0, cfi.ErrSyntax}, {"50", 0, cfi.ErrSyntax}, {"ff", 0, cfi.ErrSyntax},
		{"13" + "12", 0, cfi.ErrSyntax}, {"1322", 0, cfi.ErrSyntax}, {"1509", 0, cfi.ErrSyntax}, {"31301b", 0, cfi.ErrSyntax}, {"31301d", 0, cfi.ErrSyntax},
		{"3006", 0, cfi.ErrMemory}, {"760094" + "09", 0, cfi.ErrSyntax}, {"7600" + "9400", 0, cfi.ErrSyntax},
	}
	for _, tt := range tests {
		code, err := hex.DecodeString(tt.code)
		if err != nil {
			t.Fatal(tt.code, err)
		}
		got, err := cfi.EvalDWARF(cfi.AMD64, s, code, cfa, true)
		if !errors.Is(err, tt.err) || err == nil && got != tt.want {
			t.Errorf("%s: 0x%x, %v; want 0x%x, %v", tt.code, got, err, tt.want, tt.err)
		}
	}
	for _, cut := range []string{"08", "0a01", "0c010203", "0e01020304050607", "1080", "11ff", "03010203", "76", "92", "9206", "7600" + "94", "3115", "2f00", "3028", "3123"} {
		code, _ := hex.DecodeString(cut)
		if v, err := cfi.EvalDWARF(cfi.AMD64, s, code, cfa, true); err == nil {
			t.Errorf("%s is 0x%x", cut, v)
		}
	}
	if _, err := cfi.EvalDWARF(cfi.AMD64, s, []byte{0x9c}, 0, false); !errors.Is(err, cfi.ErrUnknown) {
		t.Errorf("the frame address of itself: %v", err)
	}
	if v, err := cfi.EvalDWARF(cfi.X86, s, []byte{0x31, 0x1f, 0x31, 0x2d}, 0, true); v != 1 || err != nil {
		t.Errorf("-1 < 1 on 32 bits is %d, %v", v, err)
	}
	deep := strings.Repeat("12", 400)
	code, _ := hex.DecodeString(deep)
	if _, err := cfi.EvalDWARF(cfi.AMD64, s, code, 0, true); !errors.Is(err, cfi.ErrSteps) {
		t.Errorf("400 values on the stack: %v", err)
	}
}
