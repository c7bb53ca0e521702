package minidump_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
)

// TestRealToken is what the token of a process of Windows 7 holds, read from its
// bytes by hand.
func TestRealToken(t *testing.T) {
	tokens, err := mustOpen(t, realDump(t, "calc.dmp")).Tokens()
	if err != nil || len(tokens) != 1 {
		t.Fatal(tokens, err)
	}
	const machine = "S-1-5-21-537027915-1003861377-1410757817"
	k := tokens[0]
	var groups [][3]string
	for _, g := range k.Groups {
		groups = append(groups, [3]string{g.SID.String(), g.SID.Name(), g.Attributes.String()})
	}
	const enabled = "SE_GROUP_MANDATORY|SE_GROUP_ENABLED_BY_DEFAULT|SE_GROUP_ENABLED"
	const denied = "SE_GROUP_USE_FOR_DENY_ONLY"
	want := [][3]string{
		{machine + "-513", "Domain Users", enabled},
		{"S-1-1-0", "Everyone", enabled},
		{"S-1-5-114", `NT AUTHORITY\Local account and member of Administrators group`, denied},
		{machine + "-1001", "", enabled},
		{"S-1-5-32-544", `BUILTIN\Administrators`, denied},
		{"S-1-5-32-545", `BUILTIN\Users`, enabled},
		{"S-1-5-4", `NT AUTHORITY\INTERACTIVE`, enabled},
		{"S-1-2-1", "CONSOLE LOGON", enabled},
		{"S-1-5-11", `NT AUTHORITY\Authenticated Users`, enabled},
		{"S-1-5-15", `NT AUTHORITY\This Organization`, enabled},
		{"S-1-5-113", `NT AUTHORITY\Local account`, enabled},
		{"S-1-5-5-0-354590", "Logon Session", enabled + "|SE_GROUP_LOGON_ID"},
		{"S-1-2-0", "LOCAL", enabled},
		{"S-1-5-64-10", `NT AUTHORITY\NTLM Authentication`, enabled},
		{"S-1-16-8192", `Mandatory Label\Medium Mandatory Level`, "SE_GROUP_INTEGRITY|SE_GROUP_INTEGRITY_ENABLED"},
	}
	if d := cmp.Diff(want, groups); d != "" {
		t.Errorf("groups (-want +got):\n%s", d)
	}
	var privileges []string
	for _, p := range k.Privileges {
		privileges = append(privileges, p.LUID.PrivilegeName()+" "+p.Attributes.String())
	}
	if d := cmp.Diff([]string{
		"SeShutdownPrivilege 0", "SeChangeNotifyPrivilege SE_PRIVILEGE_ENABLED_BY_DEFAULT|SE_PRIVILEGE_ENABLED", "SeUndockPrivilege 0",
		"SeIncreaseWorkingSetPrivilege 0", "SeTimeZonePrivilege 0",
	}, privileges); d != "" {
		t.Errorf("privileges (-want +got):\n%s", d)
	}
	k.Groups, k.Privileges = nil, nil
	if d := cmp.Diff(minidump.Token{
		TokenID: 3368, TokenHandle: 0x338, TokenType: minidump.TokenPrimary,
		User: minidump.SIDAndAttributes{SID: sid(t, machine+"-1000")}, PrimaryGroup: sid(t, machine+"-513"),
		Statistics: &minidump.TokenStatistics{
			TokenID: 0x621f14, AuthenticationID: 0x5698c, ExpirationTime: 1<<63 - 1, TokenType: minidump.TokenPrimary,
			DynamicCharged: 1024, DynamicAvailable: 0x388, GroupCount: 15, PrivilegeCount: 5, ModifiedID: 0x6188a2,
		},
		Seventh: make([]byte, 8),
	}, k); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
