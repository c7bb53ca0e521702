package pdb

import "encoding/binary"

const publicsHeaderSize = 28 // PSGSIHDR

// public is a public symbol: a name, and where it begins.
type public struct {
	name  string
	start address
	next  address // where the next one begins; of another section if there is none in this
}

// public finds the public symbol nearest before an address in its section. The address map of the publics' stream
// lists the records by address; of several names for one address, as folded functions have, the last one is taken.
// Records that are not in the map are those of earlier links, which incremental linking leaves behind.
func (f *File) public(a address) (found public, ok bool, err error) {
	if f.dbi.publics == noStream || f.dbi.records == noStream {
		return public{}, false, nil
	}
	if p := f.lastPublic.Load(); p != nil && p.start.seg == a.seg && !a.less(p.start) && a.less(p.next) {
		return *p, true, nil
	}
	s, err := f.publicMap()
	if err != nil {
		return public{}, false, err
	}
	records, err := f.publicRecords()
	if err != nil {
		return public{}, false, err
	}
	var head [8]byte
	if err := s.readAt(head[:], 0); err != nil {
		return public{}, false, err
	}
	hashSize, mapSize := binary.LittleEndian.Uint32(head[0:]), binary.LittleEndian.Uint32(head[4:])
	base := publicsHeaderSize + int64(hashSize)
	if base+int64(mapSize) > s.size {
		return public{}, false, s.fail(4, "address map ends at %#x, the stream at %#x", base+int64(mapSize), s.size)
	}
	found.next = address{0xffff, 0xffffffff}
	best := int64(-1)
	_, err = f.nearPublic.search(int64(mapSize/4), func(i int64) (bool, error) {
		at, err := s.u32(base + 4*i)
		if err != nil {
			return false, err
		}
		start, err := publicAddress(records, int64(at))
		if err != nil {
			return false, err
		}
		if a.less(start) {
			found.next = start
			return false, nil
		}
		best, found.start = int64(at), start
		return true, nil
	})
	if err != nil || best < 0 || found.start.seg != a.seg {
		return public{}, false, err
	}
	r, err := records.window(best, records.size).record()
	if err != nil {
		return public{}, false, err
	}
	r.body.Skip(publicName)
	if found.name = r.body.CString(); r.body.Err() != nil {
		return public{}, false, r.body.Err()
	}
	keep := found
	f.lastPublic.Store(&keep)
	return found, true, nil
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
