package minidump

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// maxString bounds a MINIDUMP_STRING in bytes. Windows keeps such names in a
// UNICODE_STRING, whose length has 16 bits.
const maxString = 0xffff

// A nameReader reads the strings of one list. Strings of a hostile file may
// overlap, so that a small file would unfold to a huge list; a list whose
// strings are together many times longer than the file gets no more of them.
type nameReader struct {
	f      *File
	stream StreamType
	spent  int64
}

// overlap is how many times the file's size the names of one list may have.
// Real writers store each name once, which is less than the file. Those that
// let handles share a name are seen to by handleReader.
const overlap = 4

func (r *nameReader) spend(off int64, n int) error {
	r.spent += int64(n)
	if r.spent > overlap*r.f.size {
		return formatErrorf(r.stream, off, "overlapping data: the list unfolds to more than %d times the size of the file", overlap)
	}
	return nil
}

// read returns the MINIDUMP_STRING at rva: a byte count, then UTF-16 that need
// not be terminated.
func (r *nameReader) read(rva uint64) (string, error) {
	off, err := r.f.checkRVA(r.stream, rva)
	if err != nil {
		return "", err
	}
	// Most names fit here, so that one read brings length and text.
	c := r.f.load(r.stream, off, 512)
	if c.err != nil {
		c = r.f.load(r.stream, off, 4) // what is bad may lie behind the name
	}
	n := int(c.u32())
	if c.err != nil {
		return "", c.err
	}
	if err := r.f.checkString(r.stream, off, n); err != nil {
		return "", err
	}
	if err := r.spend(off, n); err != nil {
		return "", err
	}
	if n > c.left() {
		c = r.f.load(r.stream, off+4, n)
	}
	text := decodeUTF16(c.take(n))
	if c.err != nil {
		return "", c.err
	}
	return text, r.f.checkEven(r.stream, off, n)
}

// checkRVA returns the file offset of a string whose byte count is in the file.
func (f *File) checkRVA(t StreamType, rva uint64) (int64, error) {
	if f.size < 4 || rva > uint64(f.size-4) {
		return 0, formatErrorf(t, int64(rva), "string outside the file of %d bytes", f.size)
	}
	return int64(rva), nil
}

// checkString checks the byte count n of the string at off.
func (f *File) checkString(t StreamType, off int64, n int) error {
	if uint(n) > maxString {
		return formatErrorf(t, off, "string of %d bytes; a Windows name has at most %d", uint32(n), maxString-1)
	}
	if there := f.size - off - 4; int64(n) > there {
		return formatErrorf(t, off, "string of %d bytes, but the file ends after %d", n, there)
	}
	return nil
}

// checkEven reports a string whose last character is half there.
func (f *File) checkEven(t StreamType, off int64, n int) error {
	if n%2 != 0 {
		return formatErrorf(t, off, "string of %d bytes, which is not a whole number of UTF-16 characters", n)
	}
	return nil
}

// decodeUTF16 is DecodeUTF16 without trailing NULs. Nearly every name is ASCII.
func decodeUTF16(p []byte) string {
	p = p[:len(p)&^1]
	for len(p) >= 2 && p[len(p)-1] == 0 && p[len(p)-2] == 0 {
		p = p[:len(p)-2]
	}
	if len(p) == 0 {
		return ""
	}
	var short [256]byte // most names fit
	ascii := short[:0]
	if len(p)/2 > len(short) {
		ascii = make([]byte, 0, len(p)/2)
	}
	i := 0
	for ; i+8 <= len(p); i += 8 { // four characters at a time
		v := binary.LittleEndian.Uint64(p[i:])
		if v&0xff80ff80ff80ff80 != 0 {
			return DecodeUTF16(p)
		}
		v = (v | v>>8) & 0x0000ffff0000ffff
		ascii = binary.LittleEndian.AppendUint32(ascii, uint32(v|v>>16))
	}
	for ; i < len(p); i += 2 {
		if p[i+1] != 0 || p[i] >= 0x80 {
			return DecodeUTF16(p)
		}
		ascii = append(ascii, p[i])
	}
	return string(ascii)
}

// DecodeUTF16 decodes UTF-16LE of whole characters. Windows does not check its
// names: a surrogate that is not one of a pair is written as the three bytes that
// UTF-8 would have for it (https://simonsapin.github.io/wtf-8/), so that two names
// that differ stay different.
func DecodeUTF16(p []byte) string {
	var b []byte
	for ; len(p) >= 2; p = p[2:] {
		r := rune(binary.LittleEndian.Uint16(p))
		if !utf16.IsSurrogate(r) {
			b = utf8.AppendRune(b, r)
			continue
		}
		if len(p) >= 4 {
			if pair := utf16.DecodeRune(r, rune(binary.LittleEndian.Uint16(p[2:]))); pair != utf8.RuneError {
				b = utf8.AppendRune(b, pair)
				p = p[2:]
				continue
			}
		}
		b = append(b, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
	}
	return string(b)
}
