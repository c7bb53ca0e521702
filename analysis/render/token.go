package render

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A TokenReport is the answer of "dumpscan token": the tokens that a dump was
// written with.
type TokenReport struct {
	Dump   DumpHeader `json:"dump"`
	Tokens []Token    `json:"tokens"`
	Notes  []string   `json:"notes"`
	Complaints
}

// A Token is a security context.
type Token struct {
	Owner        analysis.TokenOwner `json:"owner"`               // "process", "thread", or "" if the dump does not say
	ProcessID    *uint32             `json:"processId,omitempty"` // of the owner, if it is a process
	ThreadID     *uint32             `json:"threadId,omitempty"`  // if it is a thread
	TokenID      uint32              `json:"tokenId"`             // either of them, or neither
	Handle       Hex                 `json:"handle"`              // in the process that wrote the dump
	Type         string              `json:"type"`
	User         *TokenSID           `json:"user,omitempty"`
	Groups       []TokenSID          `json:"groups"`
	PrimaryGroup *TokenSID           `json:"primaryGroup,omitempty"`
	Privileges   []TokenPrivilege    `json:"privileges"`
	Statistics   *TokenStatistics    `json:"statistics,omitempty"`
	Integrity    string              `json:"integrity,omitempty"`
	Seventh      string              `json:"seventh,omitempty"`
}

// A TokenSID is a user or group.
type TokenSID struct {
	SID        string   `json:"sid"`
	Name       string   `json:"name"` // of one that is the same on every machine; else ""
	Attributes Hex      `json:"attributes"`
	Set        []string `json:"set"` // names of the attributes
}

// A TokenPrivilege is a privilege that a token has, whether it may use it now or
// not.
type TokenPrivilege struct {
	LUID       Hex      `json:"luid"`
	Name       string   `json:"name"` // "SeDebugPrivilege"; "" if it has none
	Enabled    bool     `json:"enabled"`
	Attributes Hex      `json:"attributes"`
	Set        []string `json:"set"` // names of the attributes
}

// TokenStatistics are facts about the token as an object.
type TokenStatistics struct {
	TokenLUID          Hex    `json:"tokenLuid"`
	AuthenticationLUID Hex    `json:"authenticationLuid"` // of the logon session
	ModifiedLUID       Hex    `json:"modifiedLuid"`
	Expires            string `json:"expires,omitempty"` // absent if never
	Type               string `json:"type"`
	ImpersonationLevel string `json:"impersonationLevel"`
	DynamicCharged     uint32 `json:"dynamicCharged"`   // bytes
	DynamicAvailable   uint32 `json:"dynamicAvailable"` // bytes
	GroupCount         uint32 `json:"groupCount"`
	PrivilegeCount     uint32 `json:"privilegeCount"`
}

// NewTokenReport makes a report of tokens.
func NewTokenReport(dump DumpHeader, tokens []analysis.TokenFact) *TokenReport {
	r := &TokenReport{Dump: dump}
	for i := range tokens {
		r.Tokens = append(r.Tokens, newToken(&tokens[i]))
	}
	return r
}

func newToken(f *analysis.TokenFact) Token {
	t := Token{
		Owner: f.Owner, TokenID: f.TokenID, Handle: Hex(f.TokenHandle), Type: f.TokenType.String(),
		User: newTokenSID(f.User), PrimaryGroup: newTokenSID(minidump.SIDAndAttributes{SID: f.PrimaryGroup}),
	}
	switch f.Owner {
	case analysis.OwnerProcess:
		t.ProcessID = &f.TokenID
	case analysis.OwnerThread:
		t.ThreadID = &f.TokenID
	}
	for _, g := range f.Groups {
		group := newTokenSID(g)
		if g.Attributes&minidump.GroupIntegrity != 0 {
			t.Integrity = strings.TrimPrefix(group.Name, `Mandatory Label\`)
		}
		t.Groups = append(t.Groups, *group)
	}
	for _, p := range f.Privileges {
		t.Privileges = append(t.Privileges, TokenPrivilege{
			LUID: Hex(p.LUID), Name: p.LUID.PrivilegeName(), Enabled: p.Attributes&minidump.PrivilegeEnabled != 0,
			Attributes: Hex(p.Attributes), Set: attributeNames(p.Attributes),
		})
	}
	if s := f.Statistics; s != nil {
		t.Statistics = &TokenStatistics{
			TokenLUID: Hex(s.TokenID), AuthenticationLUID: Hex(s.AuthenticationID), ModifiedLUID: Hex(s.ModifiedID),
			Type: s.TokenType.String(), ImpersonationLevel: s.ImpersonationLevel.String(),
			DynamicCharged: s.DynamicCharged, DynamicAvailable: s.DynamicAvailable, GroupCount: s.GroupCount, PrivilegeCount: s.PrivilegeCount,
		}
		if never := uint64(1<<63 - 1); s.ExpirationTime < never {
			t.Statistics.Expires = fileTime(s.ExpirationTime)
		}
	}
	if f.Seventh != nil {
		t.Seventh = fmt.Sprintf("%x", f.Seventh)
	}
	return t
}

func newTokenSID(s minidump.SIDAndAttributes) *TokenSID {
	if s.SID.Revision == 0 {
		return nil
	}
	return &TokenSID{SID: s.SID.String(), Name: s.SID.Name(), Attributes: Hex(s.Attributes), Set: attributeNames(s.Attributes)}
}

// attributeNames are the names of the bits that are set.
func attributeNames[T minidump.GroupAttributes | minidump.PrivilegeAttributes](a T) []string {
	if a == 0 {
		return nil
	}
	return strings.Split(fmt.Sprint(a), "|")
}

func (*TokenReport) schema() string { return "dumpscan.token/1" }

// text writes the tokens in the spirit of WinDbg's !token, which does not work
// on such dumps.
func (r *TokenReport) text(b *bufio.Writer, style Style) error {
	for i := range r.Tokens {
		if i > 0 {
			b.WriteByte('\n')
		}
		r.Tokens[i].write(b, style)
	}
	return nil
}

func (t *Token) write(b *bufio.Writer, style Style) {
	whose := fmt.Sprintf("%d (%s)", t.TokenID, words.Hex(t.TokenID))
	if t.Owner != analysis.OwnerUnknown {
		whose = string(t.Owner) + " " + whose
	}
	fmt.Fprintf(b, "%s\n", style.Bold("Token of "+whose))
	if t.User != nil {
		fmt.Fprintf(b, "User: %s\n", t.User.line())
	}
	if len(t.Groups) > 0 {
		b.WriteString("Groups:\n")
	}
	for i, g := range t.Groups {
		fmt.Fprintf(b, " %02d %s\n    Attributes - %s\n", i, g.line(), spoken(g.Set, "SE_GROUP_"))
	}
	if t.PrimaryGroup != nil {
		fmt.Fprintf(b, "Primary Group: %s\n", t.PrimaryGroup.line())
	}
	if len(t.Privileges) > 0 {
		b.WriteString("Privs:\n")
	}
	for i, p := range t.Privileges {
		name := p.Name
		if name == "" {
			name = "unknown privilege"
		}
		line := fmt.Sprintf(" %02d 0x%09x %-32s Attributes - %s", i, uint64(p.LUID), name, spoken(p.Set, "SE_PRIVILEGE_"))
		if p.Enabled && dangerous[p.Name] {
			line = style.Warn(line)
		}
		fmt.Fprintf(b, "%s\n", strings.TrimRight(line, " "))
	}
	if t.Integrity != "" {
		fmt.Fprintf(b, "Integrity: %s\n", t.Integrity)
	}
	if s := t.Statistics; s != nil {
		fmt.Fprintf(b, "Auth ID: %x:%x\n", uint64(s.AuthenticationLUID)>>32, uint32(s.AuthenticationLUID))
		fmt.Fprintf(b, "Impersonation Level: %s\n", strings.TrimPrefix(s.ImpersonationLevel, "Security"))
	}
	fmt.Fprintf(b, "TokenType: %s\n", strings.TrimPrefix(t.Type, "Token"))
}

// line is a SID with its name.
func (s *TokenSID) line() string {
	if s.Name == "" {
		return s.SID
	}
	return s.SID + " (" + s.Name + ")"
}

// spoken are the words that WinDbg has for attributes.
func spoken(set []string, prefix string) string {
	names := make([]string, len(set))
	for i, name := range set {
		name = strings.TrimPrefix(name, prefix)
		if word, ok := attributeWords[name]; ok {
			name = word
		}
		names[i] = name
	}
	return strings.Join(names, " ")
}

var attributeWords = map[string]string{
	"MANDATORY": "Mandatory", "ENABLED_BY_DEFAULT": "Default", "ENABLED": "Enabled", "OWNER": "Owner", "USE_FOR_DENY_ONLY": "DenyOnly",
	"INTEGRITY": "GroupIntegrity", "INTEGRITY_ENABLED": "GroupIntegrityEnabled", "RESOURCE": "GroupResource", "LOGON_ID": "LogonId",
	"REMOVED": "Removed", "USED_FOR_ACCESS": "UsedForAccess",
}

// dangerous are the privileges that give a process the whole machine.
var dangerous = map[string]bool{
	"SeDebugPrivilege": true, "SeTcbPrivilege": true, "SeCreateTokenPrivilege": true, "SeLoadDriverPrivilege": true,
	"SeTakeOwnershipPrivilege": true, "SeBackupPrivilege": true, "SeRestorePrivilege": true, "SeAssignPrimaryTokenPrivilege": true,
}
