package pdb

import "encoding/binary"

const publicsHeaderSize = 28 // PSGSIHDR

// public finds the public symbol nearest before an address in its section. The address map of the publics' stream
// lists the records by address; of several names for one address, as folded functions have, the last one is taken.
func (f *File) public(a address) (sym Symbol, at address, ok bool, err error) {
	d := &f.dbi
	if d.publics == noStream || d.records == noStream {
		return Symbol{}, address{}, false, nil
	}
	s, err := f.msf.stream(int(d.publics), "publics")
	if err != nil {
		return Symbol{}, address{}, false, err
	}
	records, err := f.msf.stream(int(d.records), "symbol records")
	if err != nil {
		return Symbol{}, address{}, false, err
	}
	var head [8]byte
	if err := s.readAt(head[:], 0); err != nil {
		return Symbol{}, address{}, false, err
	}
	hashSize, mapSize := binary.LittleEndian.Uint32(head[0:]), binary.LittleEndian.Uint32(head[4:])
	base := publicsHeaderSize + int64(hashSize)
	if base+int64(mapSize) > s.size {
		return Symbol{}, address{}, false, s.fail(4, "address map ends at %#x, the stream at %#x", base+int64(mapSize), s.size)
	}
	best := int64(-1)
	lo, hi := int64(0), int64(mapSize/4)
	for lo < hi {
		mid := lo + (hi-lo)/2
		rec, err := s.u32(base + 4*mid)
		if err != nil {
			return Symbol{}, address{}, false, err
		}
		start, err := publicAddress(records, int64(rec))
		if err != nil {
			return Symbol{}, address{}, false, err
		}
		if a.less(start) {
			hi = mid
			continue
		}
		lo, best, at = mid+1, int64(rec), start
	}
	if best < 0 || at.seg != a.seg {
		return Symbol{}, address{}, false, nil
	}
	r, err := records.window(best, records.size).record()
	if err != nil {
		return Symbol{}, address{}, false, err
	}
	r.body.Skip(publicName)
	return Symbol{Name: r.body.CString(), Kind: KindPublic}, at, true, r.body.Err()
}

// publicName is the offset of the name in the body of an S_PUB32: flags, offset and section stand before it.
const publicName = 10

// publicAddress reads the address of an S_PUB32 record.
func publicAddress(records *stream, off int64) (address, error) {
	var b [4 + publicName]byte
	if err := records.readAt(b[:], off); err != nil {
		return address{}, err
	}
	le := binary.LittleEndian
	if kind := le.Uint16(b[2:]); kind != symPub32 {
		return address{}, records.fail(off, "record of kind %#x in the address map of public symbols", kind)
	}
	return address{le.Uint16(b[12:]), le.Uint32(b[8:])}, nil
}
