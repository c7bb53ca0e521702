package owners

import "encoding/binary"

// wordIndex finds the words of the survivors.
type wordIndex struct {
	may64  [1 << 16]uint8   // not zero if a word can be one of them, by its lowest bits
	may32  [1 << 16]uint8   // by textHash
	fields map[uint64][]int // which fields a word has
}

func newWordIndex(list []*ownerField) *wordIndex {
	x := &wordIndex{fields: map[uint64][]int{}}
	for i, c := range list {
		x.fields[c.word] = append(x.fields[c.word], i)
		x.may64[uint16(c.word)] = 1
		x.may32[textHash(uint32(c.word))] = 1
	}
	return x
}

// textHash is made for text, as well as for pointers: of two characters of
// UTF-16 all that differs comes together.
func textHash(word uint32) uint16 { return uint16(word ^ word>>9) }

// each64 calls object for the words of 8 bytes that have fields. The speed
// depends on turning the others away, eight at a time and without a branch for
// each: what the next word is cannot be predicted.
func (x *wordIndex) each64(w *window, object func(i int, fields []int)) {
	le, i, data, may := binary.LittleEndian, w.begin, w.data[:w.end], &x.may64
	for ; i+64 <= len(data); i += 64 {
		b := (*[64]byte)(data[i:])
		if may[le.Uint16(b[:])]|may[le.Uint16(b[8:])]|may[le.Uint16(b[16:])]|may[le.Uint16(b[24:])]|
			may[le.Uint16(b[32:])]|may[le.Uint16(b[40:])]|may[le.Uint16(b[48:])]|may[le.Uint16(b[56:])] != 0 {
			x.some64(data, i, i+64, object)
		}
	}
	x.some64(data, i, len(data), object)
}

// some64 does so for a part of the data.
func (x *wordIndex) some64(data []byte, from, to int, object func(i int, fields []int)) {
	for i := from; i+8 <= to; i += 8 {
		if v := binary.LittleEndian.Uint64(data[i:]); v != 0 && x.may64[uint16(v)] != 0 {
			if fields := x.fields[v]; fields != nil {
				object(i, fields)
			}
		}
	}
}

// each32 is each64 for words of 4 bytes.
func (x *wordIndex) each32(w *window, object func(i int, fields []int)) {
	le, i, data, may := binary.LittleEndian, w.begin, w.data[:w.end], &x.may32
	for ; i+32 <= len(data); i += 32 {
		b := (*[32]byte)(data[i:])
		if may[textHash(le.Uint32(b[:]))]|may[textHash(le.Uint32(b[4:]))]|
			may[textHash(le.Uint32(b[8:]))]|may[textHash(le.Uint32(b[12:]))]|
			may[textHash(le.Uint32(b[16:]))]|may[textHash(le.Uint32(b[20:]))]|
			may[textHash(le.Uint32(b[24:]))]|may[textHash(le.Uint32(b[28:]))] != 0 {
			x.some32(data, i, i+32, object)
		}
	}
	x.some32(data, i, len(data), object)
}

// some32 does so for a part of the data.
func (x *wordIndex) some32(data []byte, from, to int, object func(i int, fields []int)) {
	for i := from; i+4 <= to; i += 4 {
		if v := binary.LittleEndian.Uint32(data[i:]); v != 0 && x.may32[textHash(v)] != 0 {
			if fields := x.fields[uint64(v)]; fields != nil {
				object(i, fields)
			}
		}
	}
}
