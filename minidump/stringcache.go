package minidump

import "hash/maphash"

// A stringCache makes equal strings share memory, and spares reading those
// that many records point to. It is of bounded size: Windows has some seventy
// object types, and leaked objects tend to have one name or none.
type stringCache struct {
	rvas  [256]rvaString
	short [256]rawString
	texts []rawString // a power of two
	once  []uint16    // parts of the hashes of strings that came: one is kept when it comes again
	seed  maphash.Seed
}

// maxCached is the length in bytes up to which a string is kept: together some
// megabytes. Names of Windows objects are mostly far shorter.
const maxCached = 1 << 10

// maxTexts is the number of strings that are kept.
const maxTexts = 4096

type rvaString struct {
	rva uint32
	s   string
}

// rawString is a string in UTF-16, as it is in the file, and decoded.
type rawString struct {
	hash   uint64
	raw, s string
}

// newStringCache makes a cache for the strings of so many records: a list of a
// few handles is read more often than one would think, and each time anew.
func newStringCache(records int64) *stringCache {
	size := 64
	for size < maxTexts && int64(size) < 4*records {
		size *= 2
	}
	return &stringCache{texts: make([]rawString, size), once: make([]uint16, 8*size), seed: maphash.MakeSeed()}
}

// byRVA returns the string at an RVA that was seen lately. No string is at
// RVA 0, where the header is.
func (c *stringCache) byRVA(rva uint32) (string, bool) {
	e := &c.rvas[slot(rva)]
	return e.s, e.rva == rva
}

func (c *stringCache) keep(rva uint32, s string) { c.rvas[slot(rva)] = rvaString{rva, s} }

// slot spreads numbers that differ by multiples of a power of two.
func slot(n uint32) uint8 { return uint8(n * 0x9e3779b1 >> 24) }

// intern returns the decoded form of p, which it may have to make. Strings that
// come often are found without hashing all of p.
func (c *stringCache) intern(p []byte) string {
	if len(p) == 0 || len(p) > maxCached {
		return decodeUTF16(p)
	}
	short := &c.short[shortSlot(p)]
	if short.raw == string(p) {
		return short.s
	}
	// Four neighbours share a place; the last that came goes first.
	const ways = 4
	hash := maphash.Bytes(c.seed, p)
	at := hash % (uint64(len(c.texts)) / ways) * ways
	set := c.texts[at:][:ways]
	for i := range set {
		if set[i].hash == hash && set[i].raw == string(p) {
			*short = set[i]
			return short.s
		}
	}
	// Where all names differ, keeping them would take as long as reading them.
	if once := &c.once[hash>>32%uint64(len(c.once))]; *once != uint16(hash)|1 {
		*once = uint16(hash) | 1
		return decodeUTF16(p)
	}
	copy(set[1:], set)
	set[0] = rawString{hash: hash, raw: string(p), s: decodeUTF16(p)}
	return set[0].s
}

// shortSlot tells strings apart by length, first, middle and last character.
func shortSlot(p []byte) uint8 {
	n := len(p)
	if n < 2 {
		return 0
	}
	return slot(uint32(n) | uint32(p[0])<<8 | uint32(p[n/2&^1])<<16 | uint32(p[n&^1-2])<<24)
}
