package render_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/minidump"
)

func TestTokenReport(t *testing.T) {
	sid := func(authority byte, subs ...uint32) minidump.SID {
		return minidump.SID{Revision: 1, IdentifierAuthority: [6]byte{5: authority}, SubAuthority: subs}
	}
	r := render.NewTokenReport(render.DumpHeader{File: "a.dmp"}, []analysis.TokenFact{
		{Owner: analysis.OwnerProcess, Token: minidump.Token{
			TokenID: 42, TokenHandle: 0x338, TokenType: minidump.TokenPrimary, User: minidump.SIDAndAttributes{SID: sid(5, 21, 1, 2, 3, 1000)},
			Groups: []minidump.SIDAndAttributes{
				{SID: sid(1, 0), Attributes: 7}, {SID: sid(5, 32, 544), Attributes: 0x1000010}, {SID: sid(16, 8192), Attributes: 0x60},
			},
			PrimaryGroup: sid(5, 21, 1, 2, 3, 513),
			Privileges:   []minidump.Privilege{{LUID: 20, Attributes: 2}, {LUID: 23, Attributes: 3}, {LUID: 99}},
			Statistics: &minidump.TokenStatistics{
				TokenID: 1, AuthenticationID: 0x1000003e7, ExpirationTime: 133_444_736_000_000_000, TokenType: 1, ImpersonationLevel: 0, ModifiedID: 2,
				DynamicCharged: 3, DynamicAvailable: 4, GroupCount: 5, PrivilegeCount: 6,
			},
			Seventh: []byte{1, 0},
		}},
		{Owner: analysis.OwnerThread, Token: minidump.Token{TokenID: 7, TokenType: minidump.TokenImpersonation, Statistics: &minidump.TokenStatistics{
			ImpersonationLevel: 2, ExpirationTime: 1<<63 - 1,
		}}},
	})
	const text = `Token of process 42 (0x2a)
User: S-1-5-21-1-2-3-1000
Groups:
 00 S-1-1-0 (Everyone)
    Attributes - Mandatory Default Enabled
 01 S-1-5-32-544 (BUILTIN\Administrators)
    Attributes - DenyOnly 0x1000000
 02 S-1-16-8192 (Mandatory Label\Medium Mandatory Level)
    Attributes - GroupIntegrity GroupIntegrityEnabled
Primary Group: S-1-5-21-1-2-3-513 (Domain Users)
Privs:
 00 0x000000014 SeDebugPrivilege                 Attributes - Enabled
 01 0x000000017 SeChangeNotifyPrivilege          Attributes - Default Enabled
 02 0x000000063 unknown privilege                Attributes -
Integrity: Medium Mandatory Level
Auth ID: 1:3e7
Impersonation Level: Anonymous
TokenType: Primary

Token of thread 7 (0x7)
Auth ID: 0:0
Impersonation Level: Impersonation
TokenType: Impersonation
`
	if d := cmp.Diff(text, formatted(t, r, render.Text)); d != "" {
		t.Errorf("text (-want +got):\n%s", d)
	}
	const json = `{
  "schema": "dumpscan.token/1",
  "dump": {"file":"a.dmp"},
  "tokens": [
    {"owner":"process","processId":42,"tokenId":42,"handle":"0x338","type":"TokenPrimary","user":{"sid":"S-1-5-21-1-2-3-1000","name":"","attributes":"0x0","set":[]},"groups":[{"sid":"S-1-1-0","name":"Everyone","attributes":"0x7","set":["SE_GROUP_MANDATORY","SE_GROUP_ENABLED_BY_DEFAULT","SE_GROUP_ENABLED"]},{"sid":"S-1-5-32-544","name":"BUILTIN\\Administrators","attributes":"0x1000010","set":["SE_GROUP_USE_FOR_DENY_ONLY","0x1000000"]},{"sid":"S-1-16-8192","name":"Mandatory Label\\Medium Mandatory Level","attributes":"0x60","set":["SE_GROUP_INTEGRITY","SE_GROUP_INTEGRITY_ENABLED"]}],"primaryGroup":{"sid":"S-1-5-21-1-2-3-513","name":"Domain Users","attributes":"0x0","set":[]},"privileges":[{"luid":"0x14","name":"SeDebugPrivilege","enabled":true,"attributes":"0x2","set":["SE_PRIVILEGE_ENABLED"]},{"luid":"0x17","name":"SeChangeNotifyPrivilege","enabled":true,"attributes":"0x3","set":["SE_PRIVILEGE_ENABLED_BY_DEFAULT","SE_PRIVILEGE_ENABLED"]},{"luid":"0x63","name":"","enabled":false,"attributes":"0x0","set":[]}],"statistics":{"tokenLuid":"0x1","authenticationLuid":"0x1000003e7","modifiedLuid":"0x2","expires":"2023-11-14T22:13:20Z","type":"TokenPrimary","impersonationLevel":"SecurityAnonymous","dynamicCharged":3,"dynamicAvailable":4,"groupCount":5,"privilegeCount":6},"integrity":"Medium Mandatory Level","seventh":"0100"},
    {"owner":"thread","threadId":7,"tokenId":7,"handle":"0x0","type":"TokenImpersonation","groups":[],"privileges":[],"statistics":{"tokenLuid":"0x0","authenticationLuid":"0x0","modifiedLuid":"0x0","type":"TokenType(0)","impersonationLevel":"SecurityImpersonation","dynamicCharged":0,"dynamicAvailable":0,"groupCount":0,"privilegeCount":0}}
  ],
  "notes": [],
  "errors": []
}
`
	if d := cmp.Diff(json, formatted(t, r, render.JSON)); d != "" {
		t.Errorf("JSON (-want +got):\n%s", d)
	}
	// Colour marks what gives a process the whole machine.
	var b bytes.Buffer
	if err := render.Write(&b, r, render.Text, render.Style{Color: true}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\x1b[33m"); n != 1 || !strings.Contains(b.String(), "\x1b[33m 00 0x000000014 SeDebugPrivilege") {
		t.Errorf("%d lines are marked:\n%s", n, b.String())
	}
}
