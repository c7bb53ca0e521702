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
	if ascii(s) {
		for i := range len(s) {
			b = append(b, s[i], 0)
		}
		return append(b, 0, 0)
	}
	for _, r := range s {
		b = appendRune(b, r)
	}
	return append(b, 0, 0)
}

func appendRune(b []byte, r rune) []byte {
	if r1, r2 := utf16.EncodeRune(r); r1 != utf8.RuneError {
		b = binary.LittleEndian.AppendUint16(b, uint16(r1))
		r = r2
	}
	return binary.LittleEndian.AppendUint16(b, uint16(r))
}

// stringSize is the number of bytes that appendString adds.
func stringSize(s string) int64 { return 4 + 2*int64(utf16Len(s)) + 2 }

// utf16Len is the number of UTF-16 code units of s.
func utf16Len(s string) int {
	if ascii(s) {
		return len(s)
	}
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// ascii picks the short way for what nearly all of millions of names are.
func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// or returns v, or standard when v is the zero value.
func or[T comparable](v, standard T) T {
	var zero T
	if v == zero {
		return standard
	}
	return v
}
