package dumptest

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// bytesOf collects little-endian fields in the order in which they stand in the
// file, so that each encoder below reads like the table it was written from.
type bytesOf []byte

func (b *bytesOf) u8(v uint8)   { *b = append(*b, v) }
func (b *bytesOf) u16(v uint16) { *b = binary.LittleEndian.AppendUint16(*b, v) }
func (b *bytesOf) u32(v uint32) { *b = binary.LittleEndian.AppendUint32(*b, v) }
func (b *bytesOf) u64(v uint64) { *b = binary.LittleEndian.AppendUint64(*b, v) }

// ptr appends a value as wide as a pointer of the dumped process.
func (b *bytesOf) ptr(size int, v uint64) {
	if size == 4 {
		b.u32(uint32(v))
		return
	}
	b.u64(v)
}

// fill appends n bytes of padding.
func (b *bytesOf) fill(n int, with byte) {
	for range n {
		*b = append(*b, with)
	}
}

// fixed appends s as UTF-16 in exactly n code units, cut or padded with zeros.
func (b *bytesOf) fixed(s string, n int) {
	units := utf16.Encode([]rune(s))
	for i := range n {
		if i < len(units) {
			b.u16(units[i])
		} else {
			b.u16(0)
		}
	}
}

// appendString appends s as a MINIDUMP_STRING: the length in bytes without the
// terminator, UTF-16LE, and a terminator that the length does not count.
func appendString(b []byte, s string) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(2*utf16Len(s)))
	for _, r := range s {
		if r1, r2 := utf16.EncodeRune(r); r1 != utf8.RuneError {
			b = binary.LittleEndian.AppendUint16(b, uint16(r1))
			b = binary.LittleEndian.AppendUint16(b, uint16(r2))
			continue
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(r))
	}
	return append(b, 0, 0)
}

// stringSize is the number of bytes that appendString adds.
func stringSize(s string) int64 { return 4 + 2*int64(utf16Len(s)) + 2 }

func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// or returns v, or standard when v is the zero value.
func or[T comparable](v, standard T) T {
	var zero T
	if v == zero {
		return standard
	}
	return v
}
