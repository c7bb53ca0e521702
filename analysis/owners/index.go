package owners

import "encoding/binary"

// wordIndex finds the words of the survivors.
type wordIndex struct {
	may    [1 << 16]uint8   // not zero if a word can be one of them, by indexHash
	shift  uint             // for indexHash
	fields map[uint64][]int // which fields a word has
}

func newWordIndex(list []constellation) *wordIndex {
	x := &wordIndex{fields: map[uint64][]int{}}
	for i, c := range list {
		x.fields[c.word] = append(x.fields[c.word], i)
	}
	// Most of memory is zero: that should not look like one of the words.
	for _, x.shift = range [...]uint{9, 10, 11, 12, 8} {
		clear(x.may[:])
		for word := range x.fields {
			x.may[indexHash(word, x.shift)] = 1
		}
		if x.may[0] == 0 {
			break
		}
	}
	return x
}

// indexHash is made for pointers and for text: of two characters of UTF-16 all
// that differs comes together.
func indexHash(word uint64, shift uint) uint16 { return uint16(word ^ word>>(shift&63)) }

// find returns the fields of a word; nil if it has none.
func (x *wordIndex) find(word uint64) []int {
	if x.may[indexHash(word, x.shift)] == 0 {
		return nil
	}
	return x.fields[word]
}

// each64 calls object for the words of 8 bytes that have fields. The speed
// depends on turning the others away, eight at a time and without a branch for
// each: what the next word is cannot be predicted.
func (x *wordIndex) each64(w *window, object func(i int, fields []int)) {
	i, may, shift := w.begin, &x.may, x.shift
	for ; i+64 <= w.end; i += 64 {
		b := (*[64]byte)(w.data[i:])
		v0, v1 := binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])
		v2, v3 := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
		v4, v5 := binary.LittleEndian.Uint64(b[32:]), binary.LittleEndian.Uint64(b[40:])
		v6, v7 := binary.LittleEndian.Uint64(b[48:]), binary.LittleEndian.Uint64(b[56:])
		if may[indexHash(v0, shift)]|may[indexHash(v1, shift)]|may[indexHash(v2, shift)]|may[indexHash(v3, shift)]|
			may[indexHash(v4, shift)]|may[indexHash(v5, shift)]|may[indexHash(v6, shift)]|may[indexHash(v7, shift)] == 0 {
			continue
		}
		x.some(w, i, i+64, 8, object)
	}
	x.some(w, i, w.end, 8, object)
}

// each32 is each64 for words of 4 bytes.
func (x *wordIndex) each32(w *window, object func(i int, fields []int)) {
	i, may, shift := w.begin, &x.may, x.shift
	for ; i+32 <= w.end; i += 32 {
		b := (*[32]byte)(w.data[i:])
		v0, v1 := binary.LittleEndian.Uint32(b[:]), binary.LittleEndian.Uint32(b[4:])
		v2, v3 := binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])
		v4, v5 := binary.LittleEndian.Uint32(b[16:]), binary.LittleEndian.Uint32(b[20:])
		v6, v7 := binary.LittleEndian.Uint32(b[24:]), binary.LittleEndian.Uint32(b[28:])
		if may[indexHash(uint64(v0), shift)]|may[indexHash(uint64(v1), shift)]|may[indexHash(uint64(v2), shift)]|may[indexHash(uint64(v3), shift)]|
			may[indexHash(uint64(v4), shift)]|may[indexHash(uint64(v5), shift)]|may[indexHash(uint64(v6), shift)]|may[indexHash(uint64(v7), shift)] == 0 {
			continue
		}
		x.some(w, i, i+32, 4, object)
	}
	x.some(w, i, w.end, 4, object)
}

// some calls object for the words of the given size in a part of a window.
func (x *wordIndex) some(w *window, from, to, size int, object func(i int, fields []int)) {
	for i := from; i+size <= to; i += size {
		v := uint64(binary.LittleEndian.Uint32(w.data[i:]))
		if size == 8 {
			v = binary.LittleEndian.Uint64(w.data[i:])
		}
		if fields := x.find(v); fields != nil {
			object(i, fields)
		}
	}
}
