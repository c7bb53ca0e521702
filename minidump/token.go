package minidump

import (
	"encoding/binary"
	"fmt"
)

// A Token is the security context of the process, or of a thread that acts for
// somebody else (an element of MINIDUMP_TOKEN_INFO_LIST). Microsoft names the
// structure of the list and leaves its parts undescribed; their order and form
// are those that dbghelp has written.
type Token struct {
	TokenID      uint32 // of the process, or of the thread whose token it is
	TokenHandle  uint64 // in the process that wrote the dump
	TokenType    TokenType
	User         SIDAndAttributes
	Groups       []SIDAndAttributes
	PrimaryGroup SID
	Privileges   []Privilege
	Statistics   *TokenStatistics // nil if the dump does not have it
	Seventh      []byte           // as long as a pointer, and zero in the dumps that were seen; what it means is not known
}

// A SIDAndAttributes is a user or group of a token (SID_AND_ATTRIBUTES).
type SIDAndAttributes struct {
	SID        SID
	Attributes GroupAttributes
}

// A Privilege is what a token may do beside what access control allows
// (LUID_AND_ATTRIBUTES).
type Privilege struct {
	LUID       LUID
	Attributes PrivilegeAttributes
}

// TokenStatistics are facts about a token as an object (TOKEN_STATISTICS, 56
// bytes).
type TokenStatistics struct {
	TokenID            LUID
	AuthenticationID   LUID   // of the logon session; 0x3e7 is that of the system
	ExpirationTime     uint64 // FILETIME; never is 0x7fffffffffffffff
	TokenType          TokenType
	ImpersonationLevel ImpersonationLevel
	DynamicCharged     uint32 // bytes
	DynamicAvailable   uint32 // bytes
	GroupCount         uint32
	PrivilegeCount     uint32
	ModifiedID         LUID // changes whenever the token does
}

// A TokenType says whether a token is of a process or was taken to act for
// somebody (TOKEN_TYPE).
type TokenType uint32

// The types of tokens.
const (
	TokenPrimary       TokenType = 1
	TokenImpersonation TokenType = 2
)

// String returns the name in winnt.h, such as "TokenPrimary".
func (t TokenType) String() string {
	switch t {
	case TokenPrimary:
		return "TokenPrimary"
	case TokenImpersonation:
		return "TokenImpersonation"
	}
	return fmt.Sprintf("TokenType(%d)", uint32(t))
}

// An ImpersonationLevel says how far a token acts for its user
// (SECURITY_IMPERSONATION_LEVEL). It means nothing in a primary token.
type ImpersonationLevel uint32

var impersonationLevels = [...]string{"SecurityAnonymous", "SecurityIdentification", "SecurityImpersonation", "SecurityDelegation"}

// String returns the name in winnt.h, such as "SecurityImpersonation".
func (l ImpersonationLevel) String() string {
	if int64(l) < int64(len(impersonationLevels)) {
		return impersonationLevels[l]
	}
	return fmt.Sprintf("ImpersonationLevel(%d)", uint32(l))
}

// The sizes of the list's header, of an element's, and of the part of that
// which has no offsets.
const (
	tokenListHeader = 16
	tokenParts      = 7
	tokenHeader     = 16 + tokenParts*8
)

// Tokens returns the tokens in the order of the file, which a dump has if it was
// written with MiniDumpWithTokenInformation. A part that cannot be read is left
// out; the error is the first that was met.
func (f *File) Tokens() ([]Token, error) {
	const t = TokenStream
	c, d, err := f.loadStream(t, tokenListHeader)
	if err != nil {
		return nil, err
	}
	c.skip(4) // the size of the stream again
	entries, listHeader, elementHeader := c.u32(), c.u32(), c.u32()
	switch {
	case c.err != nil:
		return nil, c.err
	case listHeader < tokenListHeader:
		return nil, formatErrorf(t, c.off+8, "header of %d bytes; %d is the least", listHeader, tokenListHeader)
	case elementHeader < tokenHeader:
		return nil, formatErrorf(t, c.off+12, "tokens with a header of %d bytes; %d is the least", elementHeader, tokenHeader)
	}
	var tokens []Token
	var first error
	note := func(err error) {
		if first == nil {
			first = err
		}
	}
	off, end := int64(d.RVA)+int64(listHeader), int64(d.RVA)+int64(d.DataSize)
	for i := range entries {
		head := f.load(t, off, int(min(tokenHeader, max(end-off, 0))))
		if head.left() < tokenHeader {
			note(formatErrorf(t, off, "%d tokens declared, but the stream ends after %d", entries, i))
			break
		}
		size := head.u32()
		if head.err == nil && size < elementHeader {
			head.err = formatErrorf(t, off, "token of %d bytes; its header has %d", size, elementHeader)
		}
		if head.err != nil {
			note(head.err)
			break // where the next one begins is not known
		}
		there := min(int64(size), end-off)
		if there < int64(size) {
			note(formatErrorf(t, off, "token of %d bytes, but the stream ends after %d", size, there))
		}
		body := f.load(t, off, int(there))
		if body.err != nil {
			note(body.err)
		} else {
			token, err := body.token()
			note(err)
			tokens = append(tokens, token)
		}
		off += int64(size)
	}
	return tokens, first
}

// token decodes an element of the list, whose bytes are those of the cursor.
func (c *cursor) token() (token Token, err error) {
	c.skip(4) // the size
	token.TokenID, token.TokenHandle = c.u32(), c.u64()
	var parts [tokenParts]*cursor
	for i := range parts {
		parts[i] = c.part(c.u32(), c.u32())
	}
	token.TokenType = TokenType(parts[0].u32())
	token.User = parts[1].sidAndAttributes()
	token.Groups = parts[2].groups()
	token.PrimaryGroup = parts[3].primaryGroup()
	token.Privileges = parts[4].privileges()
	token.Statistics = parts[5].tokenStatistics()
	if p := parts[6]; p.ok() && p.left() > 0 {
		token.Seventh = p.rest()
	}
	for _, p := range parts {
		if err == nil && p.err != errNoPart {
			err = p.err
		}
	}
	return token, err
}

// errNoPart is the error of a cursor for a part that a token does not have.
var errNoPart = fmt.Errorf("no such part of a token")

// part is a cursor for size bytes at off in the element that c reads.
func (c *cursor) part(off, size uint32) *cursor {
	p := &cursor{off: c.off + int64(off), stream: c.stream}
	switch there := uint64(len(c.buf)); {
	case size == 0:
		p.err = errNoPart
	case uint64(off) > there || uint64(size) > there-uint64(off):
		p.err = formatErrorf(c.stream, p.off, "part of a token of %d bytes, %d bytes into the %d that there are", size, off, there)
	default:
		p.buf = c.buf[off:][:size]
	}
	return p
}

// sid decodes the SID at an offset in the part.
func (c *cursor) sid(off uint32) SID {
	if c.err != nil {
		return SID{}
	}
	if int64(off) < int64(len(c.buf)) {
		if s, ok := readSID(c.buf[off:]); ok {
			return s
		}
	}
	c.err = formatErrorf(c.stream, c.off+int64(off), "no SID here")
	return SID{}
}

// sidAndAttributes decodes a SID_AND_ATTRIBUTES, whose pointer is an offset in
// the part.
func (c *cursor) sidAndAttributes() SIDAndAttributes {
	off, attributes := c.u32(), c.u32()
	return SIDAndAttributes{c.sid(off), GroupAttributes(attributes)}
}

func (c *cursor) groups() (groups []SIDAndAttributes) {
	spent := 0
	for range c.countOf(8, "groups") {
		group := c.sidAndAttributes()
		if group.SID.Revision == 0 {
			break
		}
		// Many groups of a hostile file may have one SID.
		if spent += 8 + 4*len(group.SID.SubAuthority); spent > overlap*len(c.buf) {
			c.err = formatErrorf(c.stream, c.off, "overlapping data: the groups unfold to more than %d times their size", overlap)
			break
		}
		groups = append(groups, group)
	}
	return groups
}

// countOf reads the number of entries, of which no more are there than fit.
func (c *cursor) countOf(size int, what string) int {
	n := c.u32()
	if c.err == nil && int64(n) > int64(c.left()/size) {
		c.err = formatErrorf(c.stream, c.off, "%d %s declared in a part of %d bytes", n, what, len(c.buf))
	}
	if c.err != nil {
		return 0
	}
	return int(n)
}

// primaryGroup decodes a TOKEN_PRIMARY_GROUP. dbghelp puts the SID right behind
// the offset, which says that it is 4 bytes further on.
func (c *cursor) primaryGroup() SID {
	off := c.u32()
	if c.err != nil {
		return SID{}
	}
	const behind = 4
	if s, ok := readSID(c.buf[behind:]); ok {
		return s
	}
	return c.sid(off)
}

func (c *cursor) privileges() (list []Privilege) {
	for range c.countOf(12, "privileges") {
		list = append(list, Privilege{c.luid(), PrivilegeAttributes(c.u32())})
	}
	return list
}

func (c *cursor) luid() LUID {
	if p := c.take(8); p != nil { // low half first, and not aligned
		return LUID(binary.LittleEndian.Uint64(p))
	}
	return 0
}

func (c *cursor) tokenStatistics() *TokenStatistics {
	s := &TokenStatistics{
		TokenID: c.luid(), AuthenticationID: c.luid(), ExpirationTime: c.u64(),
		TokenType: TokenType(c.u32()), ImpersonationLevel: ImpersonationLevel(c.u32()),
		DynamicCharged: c.u32(), DynamicAvailable: c.u32(), GroupCount: c.u32(), PrivilegeCount: c.u32(), ModifiedID: c.luid(),
	}
	if c.err != nil {
		return nil
	}
	return s
}
