package minidump

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// A SID identifies a user, a group or a privilege level of Windows (SID of
// winnt.h).
type SID struct {
	Revision            uint8
	IdentifierAuthority [6]byte // big endian
	SubAuthority        []uint32
}

// maxSubAuthorities is SID_MAX_SUB_AUTHORITIES.
const maxSubAuthorities = 15

// readSID decodes the SID at the start of p. ok is false if there is none.
func readSID(p []byte) (s SID, ok bool) {
	const head, revision = 8, 1
	if len(p) < head || p[0] != revision || p[1] > maxSubAuthorities || len(p) < head+4*int(p[1]) {
		return SID{}, false
	}
	s.Revision = p[0]
	copy(s.IdentifierAuthority[:], p[2:])
	for i := range int(p[1]) {
		s.SubAuthority = append(s.SubAuthority, binary.LittleEndian.Uint32(p[head+4*i:]))
	}
	return s, true
}

// String returns the usual form, for example "S-1-5-18", or "" for the zero
// value.
func (s SID) String() string {
	if s.Revision == 0 {
		return ""
	}
	var b strings.Builder
	authority := uint64(0)
	for _, c := range s.IdentifierAuthority {
		authority = authority<<8 | uint64(c)
	}
	if authority < 1<<32 {
		fmt.Fprintf(&b, "S-%d-%d", s.Revision, authority)
	} else {
		fmt.Fprintf(&b, "S-%d-%#012x", s.Revision, authority)
	}
	for _, sub := range s.SubAuthority {
		fmt.Fprintf(&b, "-%d", sub)
	}
	return b.String()
}

// Name returns what Windows calls a SID that means the same on every machine,
// for example `NT AUTHORITY\SYSTEM`, and of the accounts of a machine or domain
// the part that is fixed, such as "Administrator" for S-1-5-21-…-500. Of services,
// logon sessions and the like it is the name of the family, such as "NT SERVICE".
// It is "" for all others. The names are those of the documentation
// (https://learn.microsoft.com/windows-server/identity/ad-ds/manage/understand-security-identifiers).
func (s SID) Name() string {
	text := s.String()
	if name, ok := wellKnownSIDs[text]; ok {
		return name
	}
	const domain = "S-1-5-21-"
	if n := len(s.SubAuthority); strings.HasPrefix(text, domain) && n == 5 {
		return domainAccounts[s.SubAuthority[n-1]]
	}
	for prefix, name := range sidFamilies {
		if strings.HasPrefix(text, prefix) {
			return name
		}
	}
	return ""
}
