package minidump_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// someTokens are one of the process and one of a thread.
func someTokens() *dumptest.TokenList {
	return &dumptest.TokenList{Tokens: []dumptest.Token{
		{
			ID: 4242, Handle: 0x338, User: dumptest.Group{SID: "S-1-5-21-1-2-3-500", Attributes: 1},
			Groups: []dumptest.Group{
				{SID: "S-1-1-0", Attributes: 7}, {SID: "S-1-5-5-0-354590", Attributes: 0xc0000007}, {SID: "S-1-16-12288", Attributes: 0x60},
			},
			PrimaryGroup: "S-1-5-21-1-2-3-513",
			Privileges:   []dumptest.Privilege{{LUID: 20, Attributes: 2}, {LUID: 23, Attributes: 3}},
			Statistics: &dumptest.TokenStatistics{
				TokenID: 0x10000000a, AuthenticationID: 0x3e7, TokenType: 1, ImpersonationLevel: 2, DynamicCharged: 3, DynamicAvailable: 4,
				GroupCount: 5, PrivilegeCount: 6, ModifiedID: 7,
			},
			Seventh: []byte{1, 2, 3, 4, 5, 6, 7, 8},
		},
		{ID: 7, Type: 2, User: dumptest.Group{SID: "S-1-5-18"}, PrimaryGroup: "S-1-5-18"},
	}}
}

func sid(t testing.TB, text string) (s minidump.SID) {
	t.Helper()
	var authority uint8
	var n int
	if _, err := fmt.Sscanf(text, "S-%d-%d", &s.Revision, &authority); err != nil {
		t.Fatal(err)
	}
	s.IdentifierAuthority[5] = authority
	for _, part := range strings.Split(text, "-")[3:] {
		var sub uint32
		if n, _ = fmt.Sscan(part, &sub); n != 1 {
			t.Fatal(text)
		}
		s.SubAuthority = append(s.SubAuthority, sub)
	}
	if s.String() != text {
		t.Errorf("%s becomes %s", text, s)
	}
	return s
}

func wantTokens(t testing.TB) []minidump.Token {
	return []minidump.Token{
		{
			TokenID: 4242, TokenHandle: 0x338, TokenType: minidump.TokenPrimary,
			User: minidump.SIDAndAttributes{SID: sid(t, "S-1-5-21-1-2-3-500"), Attributes: 1},
			Groups: []minidump.SIDAndAttributes{
				{SID: sid(t, "S-1-1-0"), Attributes: 7}, {SID: sid(t, "S-1-5-5-0-354590"), Attributes: 0xc0000007}, {SID: sid(t, "S-1-16-12288"), Attributes: 0x60},
			},
			PrimaryGroup: sid(t, "S-1-5-21-1-2-3-513"),
			Privileges:   []minidump.Privilege{{LUID: 20, Attributes: minidump.PrivilegeEnabled}, {LUID: 23, Attributes: 3}},
			Statistics: &minidump.TokenStatistics{
				TokenID: 0x10000000a, AuthenticationID: 0x3e7, ExpirationTime: 1<<63 - 1, TokenType: minidump.TokenPrimary, ImpersonationLevel: 2,
				DynamicCharged: 3, DynamicAvailable: 4, GroupCount: 5, PrivilegeCount: 6, ModifiedID: 7,
			},
			Seventh: []byte{1, 2, 3, 4, 5, 6, 7, 8},
		},
		{
			TokenID: 7, TokenType: minidump.TokenImpersonation,
			User: minidump.SIDAndAttributes{SID: sid(t, "S-1-5-18")}, PrimaryGroup: sid(t, "S-1-5-18"),
		},
	}
}

func TestTokens(t *testing.T) {
	for name, change := range map[string]func(*dumptest.TokenList){
		"as dbghelp writes it": func(*dumptest.TokenList) {},
		"longer headers":       func(l *dumptest.TokenList) { l.HeaderSize, l.ElementHeaderSize = 24, 80 },
	} {
		l := someTokens()
		change(l)
		got, err := build(t, dumptest.Dump{Tokens: l, Padding: 1, Skew: 1}).Tokens() // padding that looks like a SID
		if d := cmp.Diff(wantTokens(t), got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
	}
	if _, err := build(t, dumptest.Dump{}).Tokens(); !errors.Is(err, minidump.ErrNoStream) {
		t.Errorf("without: %v", err)
	}
	// A primary group where its offset says.
	got, err := build(t, dumptest.Dump{Tokens: someTokens(), Patches: []dumptest.Patch{
		{Anchor: "Token[1].PrimaryGroup", Off: 4, Bytes: []byte{0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 5}},
	}}).Tokens()
	if err != nil || got[1].PrimaryGroup.String() != "S-1-5" {
		t.Errorf("the SID at its offset: %+v, %v", got, err)
	}
}

// TestTokensThatAreWrong: what can be read of them is there.
func TestTokensThatAreWrong(t *testing.T) {
	put := dumptest.PutU32
	for _, tt := range []struct {
		name   string
		patch  dumptest.Patch
		err    string
		tokens int
		change func(*minidump.Token) // of the first
	}{
		{"header too short", put("Token", 8, 12), "header of 12 bytes; 16 is the least", 0, nil},
		{"tokens too short", put("Token", 12, 64), "tokens with a header of 64 bytes; 72 is the least", 0, nil},
		{"header beyond the stream", put("Token", 8, 0xffffffff), "2 tokens declared, but the stream ends after 0", 0, nil},
		{"more than there are", dumptest.DeclareCount(dumptest.TokenStream, 0xffffffff), "4294967295 tokens declared, but the stream ends after 2", 2, func(*minidump.Token) {}},
		{"a token without size", put("Token[0]", 0, 0), "token of 0 bytes; its header has 72", 0, nil},
		{"a token without end", put("Token[1]", 0, 0xffffffff), "token of 4294967295 bytes, but the stream ends after", 2, func(*minidump.Token) {}},
		{"part outside the token", put("Token[0]", 16, 0xfffffff0), "part of a token of 4 bytes, 4294967280 bytes into", 2, func(k *minidump.Token) { k.TokenType = 0 }},
		{"part longer than the token", put("Token[0]", 20, 0xffffffff), "part of a token of 4294967295 bytes", 2, func(k *minidump.Token) { k.TokenType = 0 }},
		{"part too short", put("Token[0]", 20, 2), "4 more bytes needed, 2 left", 2, func(k *minidump.Token) { k.TokenType = 0 }},
		{"no user", put("Token[0]", 28, 0), "", 2, func(k *minidump.Token) { k.User = minidump.SIDAndAttributes{} }},
		{"SID outside the part", put("Token[0].User", 0, 0xffffffff), "no SID here", 2, func(k *minidump.Token) { k.User.SID = minidump.SID{} }},
		{"SID of another revision", put("Token[0].User", 8, 0x0502), "no SID here", 2, func(k *minidump.Token) { k.User.SID = minidump.SID{} }},
		{"SID longer than may be", put("Token[0].User", 8, 0x1001), "no SID here", 2, func(k *minidump.Token) { k.User.SID = minidump.SID{} }},
		{"more groups than there are", put("Token[0].Groups", 0, 0xffffffff), "4294967295 groups declared in a part of", 2, func(k *minidump.Token) { k.Groups = nil }},
		{"a group without SID", put("Token[0].Groups", 4+8, 3), "no SID here", 2, func(k *minidump.Token) { k.Groups = k.Groups[:1] }},
		{"more privileges than there are", put("Token[0].Privileges", 0, 3), "3 privileges declared in a part of 28 bytes", 2, func(k *minidump.Token) { k.Privileges = nil }},
		{"statistics too short", put("Token[0]", 16+5*8+4, 55), "more bytes needed", 2, func(k *minidump.Token) { k.Statistics = nil }},
	} {
		got, err := build(t, dumptest.Dump{Tokens: someTokens(), Patches: []dumptest.Patch{tt.patch}}).Tokens()
		var format *minidump.FormatError
		if (err == nil) != (tt.err == "") || err != nil && (!errors.As(err, &format) || format.Stream != minidump.TokenStream || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.err)
		}
		want := wantTokens(t)[:tt.tokens]
		if tt.tokens == 0 {
			want = nil
		} else {
			tt.change(&want[0])
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

// TestGroupsThatOverlap all name one SID, so that a small file would unfold to a
// long list.
func TestGroupsThatOverlap(t *testing.T) {
	l := someTokens()
	const n = 5000
	long := "S-1-5" + strings.Repeat("-1", 15)
	l.Tokens[0].Groups = []dumptest.Group{{SID: long}}
	for range n {
		l.Tokens[0].Groups = append(l.Tokens[0].Groups, dumptest.Group{SID: "S-1-0"}) // of 8 bytes
	}
	var patches []dumptest.Patch
	first := uint32(4 + 8*(n+1))
	for i := range n + 1 {
		patches = append(patches, dumptest.PutU32("Token[0].Groups", int64(4+8*i), first))
	}
	got, err := build(t, dumptest.Dump{Tokens: l, Patches: patches}).Tokens()
	if err == nil || !strings.Contains(err.Error(), "overlapping data") || len(got) != 2 || len(got[0].Groups) > n-100 {
		t.Errorf("%d groups, %v", len(got[0].Groups), err)
	}
}

func TestSIDs(t *testing.T) {
	for text, name := range map[string]string{
		"S-1-5-18": `NT AUTHORITY\SYSTEM`, "S-1-1-0": "Everyone", "S-1-5-32-544": `BUILTIN\Administrators`, "S-1-5-21-1-2-3-500": "Administrator",
		"S-1-5-21-1-2-3-513": "Domain Users", "S-1-5-21-1-2-3-1001": "", "S-1-5-21-1-2-500": "", "S-1-5-5-0-99": "Logon Session", "S-1-5-80-0": `NT SERVICE\ALL SERVICES`,
		"S-1-5-80-1-2-3": "NT SERVICE", "S-1-16-8192": `Mandatory Label\Medium Mandatory Level`, "S-1-16-8193": "", "S-1-7-1": "", "S-1-15-2-1": `APPLICATION PACKAGE AUTHORITY\ALL APPLICATION PACKAGES`,
		"S-1-15-2-99-1": "Application Package",
	} {
		if got := sid(t, text).Name(); got != name {
			t.Errorf("%s is %q, want %q", text, got, name)
		}
	}
	big := minidump.SID{Revision: 1, IdentifierAuthority: [6]byte{1, 2, 3, 4, 5, 6}, SubAuthority: []uint32{7}}
	if big.String() != "S-1-0x010203040506-7" || (minidump.SID{}).String() != "" || (minidump.SID{}).Name() != "" {
		t.Errorf("%s %s", big, minidump.SID{})
	}
}

func TestTokenWords(t *testing.T) {
	for want, got := range map[string]fmt.Stringer{
		"TokenPrimary": minidump.TokenPrimary, "TokenImpersonation": minidump.TokenImpersonation, "TokenType(3)": minidump.TokenType(3),
		"SecurityAnonymous": minidump.ImpersonationLevel(0), "SecurityDelegation": minidump.ImpersonationLevel(3), "ImpersonationLevel(4)": minidump.ImpersonationLevel(4),
		"SE_GROUP_MANDATORY|SE_GROUP_ENABLED_BY_DEFAULT|SE_GROUP_ENABLED|SE_GROUP_LOGON_ID": minidump.GroupAttributes(0xc0000007),
		"SE_GROUP_INTEGRITY|SE_GROUP_INTEGRITY_ENABLED":                                     minidump.GroupIntegrity | minidump.GroupIntegrityEnabled,
		"SE_GROUP_LOGON_ID":                                    minidump.GroupLogonID,
		"SE_GROUP_USE_FOR_DENY_ONLY|0x80000000":                minidump.GroupUseForDenyOnly | 0x80000000,
		"SE_GROUP_RESOURCE":                                    minidump.GroupResource,
		"SE_PRIVILEGE_ENABLED_BY_DEFAULT|SE_PRIVILEGE_ENABLED": minidump.PrivilegeAttributes(3),
		"SE_PRIVILEGE_REMOVED|SE_PRIVILEGE_USED_FOR_ACCESS":    minidump.PrivilegeRemoved | minidump.PrivilegeUsedForAccess,
		"0":         minidump.PrivilegeAttributes(0),
		"0x1:0x3e7": minidump.LUID(0x1000003e7),
	} {
		if got.String() != want {
			t.Errorf("%#v: %s, want %s", got, got, want)
		}
	}
	for luid, want := range map[minidump.LUID]string{
		0: "", 1: "", 2: "SeCreateTokenPrivilege", 7: "SeTcbPrivilege", 8: "SeSecurityPrivilege", 17: "SeBackupPrivilege", 20: "SeDebugPrivilege",
		23: "SeChangeNotifyPrivilege", 29: "SeImpersonatePrivilege", 33: "SeIncreaseWorkingSetPrivilege", 35: "SeCreateSymbolicLinkPrivilege",
		36: "SeDelegateSessionUserImpersonatePrivilege", 37: "", 1<<32 + 20: "",
	} {
		if got := luid.PrivilegeName(); got != want {
			t.Errorf("privilege %d is %q, want %q", luid, got, want)
		}
	}
}
