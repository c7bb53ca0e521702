package dwarfsym

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// TestBudget has entries of one byte that each stand for thousands of
// attributes, which the abbreviations hold once.
func TestBudget(t *testing.T) {
	const attributes, entries = 2000, 4000
	abbrev := []byte{
		1, 0x11, 1, // compile_unit, has children
		0x11, 0x01, 0x12, 0x06, 0, 0, // low_pc addr, high_pc data4
		2, 0x0b, 0, // lexical_block
	}
	abbrev = append(abbrev, bytes.Repeat([]byte{0x34, 0x19}, attributes)...) // artificial flag_present
	abbrev = append(abbrev, 0, 0, 0)
	unit := []byte{4, 0, 0, 0, 0, 0, 8, 1} // version 4, abbreviations at 0, addresses of 8 bytes
	unit = binary.LittleEndian.AppendUint64(unit, 0x1000)
	unit = binary.LittleEndian.AppendUint32(unit, 0x100)
	unit = append(unit, bytes.Repeat([]byte{2}, entries)...)
	unit = append(unit, 0)
	info := append(binary.LittleEndian.AppendUint32(nil, uint32(len(unit))), unit...)
	sections := map[string][]byte{"abbrev": abbrev, "info": info}
	f, err := open(0, sections, len(abbrev)+len(info))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time from memory
		if _, ok, err := f.Lookup(0x1010); ok || !errors.Is(err, errBudget) {
			t.Errorf("Lookup: %v, %v, want %v", ok, err, errBudget)
		}
	}
	if _, ok, err := f.Lookup(0x2000); ok || err != nil {
		t.Errorf("Lookup outside: %v, %v", ok, err)
	}
}

func TestGuard(t *testing.T) {
	err := func() (err error) {
		defer guard(&err)
		panic("index out of range")
	}()
	if err == nil || !strings.Contains(err.Error(), "damaged DWARF: index out of range") {
		t.Errorf("after a panic: %v", err)
	}
}
