package owners

import "encoding/binary"

// wantedNumbers knows the numbers of 4 bytes that collectRest follows, handles
// without an owner and decoys. It answers without a branch, since what the next
// number is cannot be predicted: a number is wanted if the bits that its halves
// stand for have one in common. So numbers below 7 * 65536 are told exactly, and
// larger ones with some false alarms, but never those above the largest.
type wantedNumbers struct {
	lower, upper [1 << 16]uint8
}

// init takes the open handles, and the decoys up to the largest of them.
func (w *wantedNumbers) init(open bitmap, largest uint64) {
	for upper := range largest>>16 + 1 {
		w.upper[upper] = 1 << min(upper, 7)
	}
	for v := uint64(firstDecoy); v < largest; v += decoyStep {
		w.add(v)
	}
	open.each(func(slot int) { w.add(uint64(4 * slot)) })
}

func (w *wantedNumbers) add(v uint64) { w.lower[uint16(v)] |= w.upper[v>>16] }

// remove forgets a number below 65536.
func (w *wantedNumbers) remove(v uint32) { w.lower[uint16(v)] &^= 1 }

// has returns 0 for a number that is not wanted.
func (w *wantedNumbers) has(v uint32) uint8 { return w.lower[uint16(v)] & w.upper[v>>16] }

// among reports whether one of eight numbers is wanted.
func (w *wantedNumbers) among(b *[32]byte) bool {
	le := binary.LittleEndian
	return w.lower[le.Uint16(b[:])]&w.upper[le.Uint16(b[2:])]|
		w.lower[le.Uint16(b[4:])]&w.upper[le.Uint16(b[6:])]|
		w.lower[le.Uint16(b[8:])]&w.upper[le.Uint16(b[10:])]|
		w.lower[le.Uint16(b[12:])]&w.upper[le.Uint16(b[14:])]|
		w.lower[le.Uint16(b[16:])]&w.upper[le.Uint16(b[18:])]|
		w.lower[le.Uint16(b[20:])]&w.upper[le.Uint16(b[22:])]|
		w.lower[le.Uint16(b[24:])]&w.upper[le.Uint16(b[26:])]|
		w.lower[le.Uint16(b[28:])]&w.upper[le.Uint16(b[30:])] != 0
}
