package minidump

// A stringCache makes equal strings share memory, and spares reading those
// that many records point to. It is of bounded size.
type stringCache struct {
	rvas  [256]rvaString
	short [256]rawString
	texts map[string]rawString // by raw
}

type rvaString struct {
	rva uint32
	s   string
}

type rawString struct{ raw, s string } // UTF-16 and what it decodes to

// cacheTexts bounds the distinct strings that are remembered. Windows has
// some seventy object types; leaked objects tend to have one name or none.
const cacheTexts = 4096

// byRVA returns the string at an RVA that was seen lately. No string is at
// RVA 0, where the header is.
func (c *stringCache) byRVA(rva uint32) (string, bool) {
	e := &c.rvas[slot(rva)]
	return e.s, e.rva == rva
}

func (c *stringCache) keep(rva uint32, s string) { c.rvas[slot(rva)] = rvaString{rva, s} }

// slot spreads numbers that differ by multiples of a power of two.
func slot(n uint32) uint8 { return uint8(n * 0x9e3779b1 >> 24) }

// byText returns the string that is the decoded form of p, if it was added.
// Strings that come often are found in short without hashing all of p.
func (c *stringCache) byText(p []byte) (string, bool) {
	e := &c.short[shortSlot(p)]
	if e.raw == string(p) {
		return e.s, len(p) > 0
	}
	found, ok := c.texts[string(p)]
	if ok {
		*e = found
	}
	return found.s, ok
}

// shortSlot tells strings apart by length, first, middle and last character.
func shortSlot(p []byte) uint8 {
	n := len(p)
	if n < 2 {
		return 0
	}
	return slot(uint32(n) | uint32(p[0])<<8 | uint32(p[n/2&^1])<<16 | uint32(p[n&^1-2])<<24)
}

func (c *stringCache) add(p []byte) string {
	if c.texts == nil || len(c.texts) >= cacheTexts {
		c.texts = make(map[string]rawString)
	}
	added := rawString{raw: string(p), s: decodeUTF16(p)}
	c.texts[added.raw] = added
	return added.s
}
