package owners

import "encoding/binary"

// wordIndex finds the words of the survivors.
type wordIndex struct {
	fields map[uint64][]int // which fields a word has
	may    [1 << 15]bool    // whether a word can be one of them, by indexHash
}

// indexHash is made for pointers: it leaves out what alignment makes zero.
func indexHash(word uint64) uint64 { return (word>>2 ^ word>>17) & (1<<15 - 1) }

func newWordIndex(list []constellation) *wordIndex {
	x := &wordIndex{fields: map[uint64][]int{}}
	for i, c := range list {
		x.fields[c.word] = append(x.fields[c.word], i)
		x.may[indexHash(c.word)] = true
	}
	return x
}

// each64 calls object for the words of 8 bytes that have fields.
func (x *wordIndex) each64(w *window, object func(i int, fields []int)) {
	i := w.begin
	for b := w.data[w.begin:w.end]; len(b) >= 8; {
		if len(b) >= 32 &&
			!x.may[indexHash(binary.LittleEndian.Uint64(b))] &&
			!x.may[indexHash(binary.LittleEndian.Uint64(b[8:]))] &&
			!x.may[indexHash(binary.LittleEndian.Uint64(b[16:]))] &&
			!x.may[indexHash(binary.LittleEndian.Uint64(b[24:]))] {
			b, i = b[32:], i+32
			continue
		}
		if v := binary.LittleEndian.Uint64(b); x.may[indexHash(v)] {
			if fields := x.fields[v]; fields != nil {
				object(i, fields)
			}
		}
		b, i = b[8:], i+8
	}
}

// each32 is each64 for words of 4 bytes.
func (x *wordIndex) each32(w *window, object func(i int, fields []int)) {
	i := w.begin
	for b := w.data[w.begin:w.end]; len(b) >= 4; {
		if len(b) >= 16 &&
			!x.may[indexHash(uint64(binary.LittleEndian.Uint32(b)))] &&
			!x.may[indexHash(uint64(binary.LittleEndian.Uint32(b[4:])))] &&
			!x.may[indexHash(uint64(binary.LittleEndian.Uint32(b[8:])))] &&
			!x.may[indexHash(uint64(binary.LittleEndian.Uint32(b[12:])))] {
			b, i = b[16:], i+16
			continue
		}
		if v := uint64(binary.LittleEndian.Uint32(b)); x.may[indexHash(v)] {
			if fields := x.fields[v]; fields != nil {
				object(i, fields)
			}
		}
		b, i = b[4:], i+4
	}
}
