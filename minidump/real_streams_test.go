package minidump_test

import (
	"strings"
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

// TestRealToken32 is a token of a process of 32 bits.
func TestRealToken32(t *testing.T) {
	f := mustOpen(t, realDump(t, "notepad32.dmp"))
	tokens, err := f.Tokens()
	if err != nil || len(tokens) != 1 {
		t.Fatal(tokens, err)
	}
	k := tokens[0]
	misc, err := f.MiscInfo()
	if err != nil || k.TokenID != misc.ProcessID {
		t.Errorf("token of %d, process %d, %v", k.TokenID, misc.ProcessID, err)
	}
	const domain = "S-1-5-21-39260824-743453154-142223018"
	if user, group := k.User.SID.String(), k.PrimaryGroup.String(); user != domain+"-232051" || group != domain+"-513" {
		t.Errorf("user %s, primary group %s", user, group)
	}
	if n, p := len(k.Groups), len(k.Privileges); k.Statistics == nil || uint32(n) != k.Statistics.GroupCount || uint32(p) != k.Statistics.PrivilegeCount || len(k.Seventh) != 4 {
		t.Errorf("%d groups, %d privileges, % x, %+v", n, p, k.Seventh, k.Statistics)
	}
}

// TestRealExtensions reads what Breakpad and Crashpad add.
func TestRealExtensions(t *testing.T) {
	for name, want := range map[string]minidump.BreakpadInfo{
		"minidump2.dmp":              {Validity: 3, DumpThreadID: 0x11c0, RequestingThreadID: 0xbf4},
		"stack_exhaustion.dmp":       {Validity: 3, DumpThreadID: 0x1798, RequestingThreadID: 0x1670},
		"invalid-parameter.dmp":      {Validity: 3, DumpThreadID: 0x1350, RequestingThreadID: 0x1708},
		"write_av_non_canonical.dmp": {Validity: 3, DumpThreadID: 0x1e},
	} {
		got, err := mustOpen(t, realDump(t, name)).BreakpadInfo()
		if d := cmp.Diff(&want, got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
	}
	a, err := mustOpen(t, realDump(t, "invalid-parameter.dmp")).AssertionInfo()
	if err != nil || a.Expression != "format != nullptr" || a.Line != 32 || a.Type != minidump.AssertionInvalidParameter {
		t.Errorf("%+v, %v", a, err)
	}
	for _, tt := range []struct {
		name, report string
		annotations  []minidump.Annotation
		modules      []minidump.CrashpadModule
	}{
		{
			"simple-crashpad.dmp", "42f9de72-518a-43dd-97d7-8ddc328d3662", []minidump.Annotation{{Key: "hello", Value: "world"}},
			[]minidump.CrashpadModule{
				{ModuleIndex: 16, Version: 1, ListAnnotations: []string{"abort() called"}}, {ModuleIndex: 39, Version: 1, ListAnnotations: []string{"dyld2 mode"}},
			},
		},
		{
			"stability-report.dmp", "b4d8fd14-6c42-4353-a558-5593e0068791",
			[]minidump.Annotation{
				{Key: "_productName", Value: "native-electron-renderer"}, {Key: "_version", Value: "1.0.0"}, {Key: "plat", Value: "Win64"}, {Key: "prod", Value: "Electron"},
				{Key: "sentry___initialScope", Value: `{"release":"native-electron-renderer@1.0.0","environment":"development","user":{"username":"some_user"}}`},
				{Key: "ver", Value: "29.1.5"},
			},
			[]minidump.CrashpadModule{{Version: 1, AnnotationObjects: []minidump.AnnotationObject{
				{Name: "renderer_foreground", Type: 1, Value: []byte("true")}, {Name: "v8_ro_space_firstpage_address", Type: 1, Value: []byte("0x3db00000000")},
				{Name: "v8_isolate_address", Type: 1, Value: []byte("0x6f84007c0000")}, {Name: "num-experiments", Type: 1, Value: []byte("0")},
				{Name: "platform", Type: 1, Value: []byte("win32")}, {Name: "process_type", Type: 1, Value: []byte("renderer")},
				{Name: "osarch", Type: 1, Value: []byte("x86_64")}, {Name: "pid", Type: 1, Value: []byte("15212")}, {Name: "ptype", Type: 1, Value: []byte("renderer")},
			}}},
		},
	} {
		info, err := mustOpen(t, realDump(t, tt.name)).CrashpadInfo()
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got := []any{info.ReportID.UUID(), info.SimpleAnnotations, info.Modules}
		if d := cmp.Diff([]any{tt.report, tt.annotations, tt.modules}, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
	info, err := mustOpen(t, realDump(t, "minidump_crashpad_annotation.dmp")).CrashpadInfo()
	if err != nil || len(info.SimpleAnnotations) != 4 || len(info.Modules) != 2 || len(info.Modules[0].AnnotationObjects) != 5 {
		t.Errorf("%+v, %v", info, err)
	} else if o := info.Modules[0].AnnotationObjects[4]; o.Name != "CounterAnnotation" || o.Type != 0x802a || string(o.Value) != "\x01\x00\x00\x00" {
		t.Errorf("%+v", o)
	}
}

// TestRealLinux reads what Breakpad saves on Linux.
func TestRealLinux(t *testing.T) {
	f := mustOpen(t, realDump(t, "linux_null_dereference.dmp"))
	for stream, want := range map[minidump.StreamType]string{
		minidump.LinuxCPUInfoStream: "processor\t: 0\n", minidump.LinuxProcStatusStream: "Name:\tdriver\n", minidump.LinuxCmdLineStream: "./driver\x00",
		minidump.LinuxMapsStream: "00400000-00417000 r-xp ", minidump.LinuxEnvironStream: "AUTO_PROXY=", minidump.LinuxLSBReleaseStream: "# $Id: ",
	} {
		if text, err := f.Text(stream); err != nil || !strings.HasPrefix(text, want) {
			t.Errorf("%s: %.40q, %v", stream, text, err)
		}
	}
	auxv, err := f.LinuxAuxv()
	if err != nil || len(auxv) != 18 || auxv[0] != (minidump.AuxvEntry{Type: 33, Value: 0x7fffbf188000}) || auxv[2] != (minidump.AuxvEntry{Type: 6, Value: 4096}) {
		t.Errorf("%v, %v", auxv, err)
	}
	dso, err := f.LinuxDSODebug()
	if err != nil || dso.Brk != 0x7f692f8a3970 || dso.LDBase != 0x7f692f893000 || dso.Dynamic != 0x616de8 || len(dso.DynamicSection) != 27*16 || len(dso.Links) != 8 {
		t.Fatalf("%+v, %v", dso, err)
	}
	for i, want := range map[int]minidump.LinuxLink{
		0: {LD: 0x616de8}, 6: {Addr: 0x7f692f893000, LD: 0x7f692fab5e70, Name: "/lib64/ld-linux-x86-64.so.2"},
	} {
		if d := cmp.Diff(want, dso.Links[i]); d != "" {
			t.Errorf("object %d (-want +got):\n%s", i, d)
		}
	}
}
