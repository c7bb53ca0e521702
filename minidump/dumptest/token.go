package dumptest

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// TokenList is a MINIDUMP_TOKEN_INFO_LIST. What stands behind its headers is
// not documented; it is written as in the one real dump that was seen.
type TokenList struct {
	Tokens            []Token
	HeaderSize        uint32 // 0 means 16
	ElementHeaderSize uint32 // 0 means 72
}

// Token is an element of the list, of the process or of a thread. Its parts are
// written even if they are zero, but for Statistics and Seventh.
type Token struct {
	ID           uint32 // of the process or thread
	Handle       uint64
	Type         uint32 // 1 primary, 2 impersonation; 0 means 1
	User         Group
	Groups       []Group
	PrimaryGroup string // a SID
	Privileges   []Privilege
	Statistics   *TokenStatistics // nil means none
	Seventh      []byte           // nil means none
}

// Group is a SID_AND_ATTRIBUTES.
type Group struct {
	SID        string // "S-1-5-18"; "" means S-1-0-0
	Attributes uint32
}

// Privilege is a LUID_AND_ATTRIBUTES.
type Privilege struct {
	LUID       uint64
	Attributes uint32
}

// TokenStatistics is a TOKEN_STATISTICS of 56 bytes.
type TokenStatistics struct {
	TokenID, AuthenticationID uint64
	ExpirationTime            uint64 // FILETIME; 0 means never
	TokenType                 uint32
	ImpersonationLevel        uint32
	DynamicCharged            uint32
	DynamicAvailable          uint32
	GroupCount                uint32
	PrivilegeCount            uint32
	ModifiedID                uint64
}

// appendSID appends a SID that is given as text.
func (p *plan) appendSID(b []byte, text string) []byte {
	parts := strings.Split(or(text, "S-1-0-0"), "-")
	var numbers []uint64
	for _, part := range parts[1:] {
		n, err := strconv.ParseUint(part, 0, 64)
		if err != nil {
			p.fail("%q is no SID", text)
		}
		numbers = append(numbers, n)
	}
	if parts[0] != "S" || len(numbers) < 2 {
		p.fail("%q is no SID", text)
		return b
	}
	b = append(b, byte(numbers[0]), byte(len(numbers)-2))
	b = append(b, binary.BigEndian.AppendUint64(nil, numbers[1])[2:]...)
	for _, sub := range numbers[2:] {
		b = binary.LittleEndian.AppendUint32(b, uint32(sub))
	}
	return b
}

// tokenParts are the parts of a token in their order.
var tokenParts = [...]string{"Type", "User", "Groups", "PrimaryGroup", "Privileges", "Statistics", "Seventh"}

func (l *TokenList) place(p *plan) (int64, int64) {
	header, element := or(l.HeaderSize, 16), or(l.ElementHeaderSize, 72)
	var body bytesOf
	for i := range l.Tokens {
		at := p.end + int64(header) + int64(len(body))
		p.mark(at, "%s[%d]", TokenStream, i)
		body = append(body, l.Tokens[i].bytes(p, element, func(part string, off int) {
			p.mark(at+int64(off), "%s[%d].%s", TokenStream, i, part)
		})...)
	}
	var b bytesOf
	b.u32(header + uint32(len(body)))
	b.u32(uint32(len(l.Tokens)))
	b.u32(header)
	b.u32(element)
	b.fill(int(header)-len(b), p.padding)
	return p.whole(append(b, body...))
}

// bytes are the header of the token and its parts, each at a multiple of 8.
func (t *Token) bytes(p *plan, header uint32, mark func(part string, off int)) bytesOf {
	var pairs, body bytesOf
	for i, part := range t.parts(p) {
		off := header + uint32(len(body))
		if len(part) == 0 {
			off = 0
		}
		mark(tokenParts[i], int(off))
		pairs.u32(off)
		pairs.u32(uint32(len(part)))
		body = append(body, part...)
		body.fill(-len(body)&7, p.padding)
	}
	var b bytesOf
	b.u32(header + uint32(len(body)))
	b.u32(t.ID)
	b.u64(t.Handle)
	b = append(b, pairs...)
	b.fill(int(header)-len(b), p.padding)
	return append(b, body...)
}

func (t *Token) parts(p *plan) (parts [len(tokenParts)]bytesOf) {
	parts[0].u32(or(t.Type, 1))

	parts[1].u32(8)
	parts[1].u32(t.User.Attributes)
	parts[1] = p.appendSID(parts[1], t.User.SID)

	parts[2].u32(uint32(len(t.Groups)))
	var sids bytesOf
	for _, g := range t.Groups {
		parts[2].u32(uint32(4 + 8*len(t.Groups) + len(sids)))
		parts[2].u32(g.Attributes)
		sids = p.appendSID(sids, g.SID)
	}
	parts[2] = append(parts[2], sids...)

	parts[3].u32(8) // although the SID is at 4
	parts[3] = p.appendSID(parts[3], t.PrimaryGroup)

	parts[4].u32(uint32(len(t.Privileges)))
	for _, v := range t.Privileges {
		parts[4].u64(v.LUID)
		parts[4].u32(v.Attributes)
	}
	if s := t.Statistics; s != nil {
		b := &parts[5]
		b.u64(s.TokenID)
		b.u64(s.AuthenticationID)
		b.u64(or(s.ExpirationTime, 1<<63-1))
		b.u32(s.TokenType)
		b.u32(s.ImpersonationLevel)
		b.u32(s.DynamicCharged)
		b.u32(s.DynamicAvailable)
		b.u32(s.GroupCount)
		b.u32(s.PrivilegeCount)
		b.u64(s.ModifiedID)
	}
	parts[6] = t.Seventh
	return parts
}
