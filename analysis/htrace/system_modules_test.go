package htrace_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestSystemModules(t *testing.T) {
	tests := []struct {
		path              string
		system, notSystem string // patterns
		want              bool
	}{
		{path: `C:\Windows\System32\kernel32.dll`, want: true},
		{path: `C:\windows\SysWOW64\KERNELBASE.dll`, want: true},
		{path: `C:\Windows\WinSxS\x86_microsoft.windows.common-controls_1\comctl32.dll`, want: true},
		{path: `C:\Windows\Microsoft.NET\Framework64\v4.0.30319\clr.dll`, want: true},
		{path: `C:\Windows\assembly\NativeImages_v4.0.30319_64\System\1\System.ni.dll`, want: true},
		{path: `C:\Windows\assembly\NativeImages_v4.0.30319_64\System.Web\1f\System.Web.ni.dll`, want: true},
		{path: `C:\Windows\assembly\NativeImages_v4.0.30319_64\mscorlib\1f\mscorlib.ni.dll`, want: true},
		{path: `C:\Windows\assembly\NativeImages_v2.0.50727_32\Contoso.Data\9a\Contoso.Data.ni.dll`},
		{path: `C:\Windows\assembly\GAC_MSIL\System.Xml\2.0.0.0__b77a5c561934e089\System.Xml.dll`, want: true},
		{path: `C:\Windows\assembly\GAC_64\System.Data.SQLite\1.0.118.0__db937bc2d44ff139\System.Data.SQLite.dll`},
		{path: `C:\Windows\Microsoft.NET\assembly\GAC_64\Contoso_Data\v4.0_1.0.0.0__0123456789abcdef\Contoso_Data.dll`},
		{path: `C:\Windows\Microsoft.NET\assembly\GAC_MSIL\System.Contoso\v4.0_1.0.0.0__0123456789abcdef\System.Contoso.dll`},
		{path: `C:\Windows\Microsoft.NET\assembly\GAC_MSIL\Systematic\v4.0\Systematic.dll`},
		{path: `C:\Windows\Microsoft.NET\assembly\GAC_MSIL\PresentationFramework.Aero2\v4.0_4.0.0.0__31bf3856ad364e35\PresentationFramework.Aero2.dll`, want: true},
		{path: `C:\Windows\Microsoft.NET\Framework64\v4.0.30319\Temporary ASP.NET Files\root\a1\b2\App_Web_x1.dll`},
		{path: `C:\Windows\Microsoft.NET\Framework64\v4.0.30319\System.Web.dll`, want: true},
		{path: `C:\Windows\WinSxS\amd64_microsoft.vc90.crt_1fc8b3b9a1e18e3b_9.0.30729.1_none_0a\own.dll`, want: true},
		{path: `C:\Windows\WinSxS\amd64_contoso.shared_0123456789abcdef_1.0.0.0_none_0a1b2c3d4e5f6071\Shared.dll`},
		{path: `C:\Windows\WinSxS\amd64_prncacl1.inf_31bf3856ad364e35_10.0.1.1_none_0a\x.dll`, want: true},
		{path: `\\?\D:\Windows\System32\msxml6.dll`, want: true},
		{path: `\SystemRoot\System32\ntdll.dll`, want: true},
		{path: `C:\Windows\explorer.exe`, want: true},
		{path: `C:\Windows\System32\inetsrv\w3wp.exe`, want: true},
		{path: `C:\Program Files\dotnet\shared\Microsoft.NETCore.App\8.0.1\coreclr.dll`, want: true},
		{path: `C:\inetsrv\MyCustomDll.dll`},
		{path: `C:\Windows\Temp\MyCustomDll.dll`},
		{path: `C:\Windows\System32\DriverStore\FileRepository\nv.inf\nvwgf2umx.dll`},
		{path: `C:\Windows\System32\spool\drivers\x64\3\vendor.dll`},
		{path: `C:\Windows2\System32\x.dll`},
		{path: `C:\inetsrv\msvcr120.dll`, want: true},
		{path: `C:\inetsrv\vcruntime140_1.dll`, want: true},
		{path: `C:\inetsrv\MFC140U.dll`, want: true},
		{path: `C:\inetsrv\atlas.dll`},
		{path: `C:\inetsrv\mfcapp.dll`},
		{path: `C:\inetsrv\version.dll`}, // a proxy of that name is a common trick
		{path: "version.dll", want: true},
		{path: "KERNEL32.DLL", want: true},
		{path: "MyCustomDll.dll"},
		{path: ""},
		{path: `C:\inetsrv\vendor1.dll`, system: "vendor?.dll", want: true},
		{path: `C:\Windows\System32\vendor1.dll`, notSystem: `C:\Windows\System32\vendor*`},
		{path: `C:\Windows\System32\vendor1.dll`, notSystem: "VENDOR1"},
		{path: `C:\Windows\System32\vendor10.dll`, notSystem: "vendor1", want: true},
		{path: `C:\inetsrv\w3wp.exe`, system: "re:w3wp", notSystem: "w3wp*"},
	}
	for _, tt := range tests {
		var system, notSystem []string
		if tt.system != "" {
			system = []string{tt.system}
		}
		if tt.notSystem != "" {
			notSystem = []string{tt.notSystem}
		}
		modules := []minidump.Module{{BaseOfImage: 0x1000, SizeOfImage: 0x1000, ModuleName: tt.path}}
		s, err := htrace.NewSystemModules(modules, nil, system, notSystem)
		if err != nil {
			t.Fatal(err)
		}
		m, ok := s.Find(0x1800)
		if !ok {
			t.Fatalf("%s: no module", tt.path)
		}
		if got := s.IsSystem(m); got != tt.want {
			t.Errorf("%s (system %q, not %q): %v, want %v", tt.path, tt.system, tt.notSystem, got, tt.want)
		}
	}
	if _, err := htrace.NewSystemModules(nil, nil, []string{"re:("}, nil); err == nil {
		t.Error("a broken pattern is accepted")
	}
}

// Windows need not lie in a folder of that name.
func TestSystemModulesRoot(t *testing.T) {
	modules := []minidump.Module{
		{BaseOfImage: 0x1000, SizeOfImage: 0x1000, ModuleName: `D:\WINNT\system32\ntdll.dll`},
		{BaseOfImage: 0x2000, SizeOfImage: 0x1000, ModuleName: `D:\WINNT\system32\rpcss.dll`},
		{BaseOfImage: 0x3000, SizeOfImage: 0x1000, ModuleName: `D:\WINNT2\system32\rpcss.dll`},
	}
	s, err := htrace.NewSystemModules(modules, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[minidump.VA]bool{0x1000: true, 0x2000: true, 0x3000: false} {
		if m, _ := s.Find(addr); s.IsSystem(m) != want {
			t.Errorf("%s: %v, want %v", m.ModuleName, !want, want)
		}
	}
}

func TestCulprit(t *testing.T) {
	modules := []minidump.Module{
		{BaseOfImage: 0x11000, SizeOfImage: 0x1000, ModuleName: `C:\Windows\System32\ntdll.dll`},
		{BaseOfImage: 0x12000, SizeOfImage: 0x1000, ModuleName: `C:\Windows\System32\KERNELBASE.dll`},
		{BaseOfImage: 0x13000, SizeOfImage: 0x1000, ModuleName: `C:\Windows\System32\winhttp.dll`},
		{BaseOfImage: 0x14000, SizeOfImage: 0x1000, ModuleName: `C:\inetsrv\MyCustomDll.dll`},
		{BaseOfImage: 0x15000, SizeOfImage: 0x1000, ModuleName: `C:\inetsrv\app.exe`},
	}
	unloaded := []minidump.UnloadedModule{
		{BaseOfImage: 0x16000, SizeOfImage: 0x1000, ModuleName: "plugin.dll"},
		{BaseOfImage: 0x17000, SizeOfImage: 0x1000, ModuleName: "wininet.dll"},
		{BaseOfImage: 0x1a000, SizeOfImage: 0x1000, ModuleName: "one.dll"},
		{BaseOfImage: 0x1a000, SizeOfImage: 0x2000, ModuleName: "two.dll"},
		{BaseOfImage: 0x1a000, SizeOfImage: 0x800, ModuleName: "one.dll"}, // loaded twice
		{BaseOfImage: 0x1b000, SizeOfImage: 0x1000, ModuleName: "wininet.dll"},
		{BaseOfImage: 0x14000, SizeOfImage: 0x1000, ModuleName: "old.dll"}, // another has its place now
	}
	s, err := htrace.NewSystemModules(modules, unloaded, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		frames []minidump.VA
		want   htrace.Culprit
		text   string
	}{
		{"first of two", []minidump.VA{0x11010, 0x12010, 0x14010, 0x15010},
			htrace.Culprit{Kind: htrace.CulpritModule, Module: "MyCustomDll", Path: `C:\inetsrv\MyCustomDll.dll`, Frame: 2}, "MyCustomDll"},
		{"unloaded", []minidump.VA{0x11010, 0x16010, 0x14010},
			htrace.Culprit{Kind: htrace.CulpritUnloaded, Module: "plugin", Path: "plugin.dll", Frame: 1}, "<Unloaded_plugin.dll>"},
		{"one of two that were unloaded", []minidump.VA{0x11010, 0x1a010, 0x14010},
			htrace.Culprit{Kind: htrace.CulpritUnloaded, Module: "one", Path: "one.dll", Others: []string{"two.dll"}, Frame: 1},
			"<Unloaded_one.dll> or <Unloaded_two.dll>"},
		{"the system's or another's, both unloaded", []minidump.VA{0x11010, 0x1b010, 0x14010},
			htrace.Culprit{Kind: htrace.CulpritUnloaded, Module: "two", Path: "two.dll", Others: []string{"wininet.dll"}, Frame: 1},
			"<Unloaded_two.dll> or <Unloaded_wininet.dll>"},
		{"unknown code before a module", []minidump.VA{0x11010, 0x19999, 0x14010},
			htrace.Culprit{Kind: htrace.CulpritUnknown, Frame: 1}, "<no module>"},
		{"what is no code is passed over", []minidump.VA{0x1010, 0xfffff80012345678, 0x14010},
			htrace.Culprit{Kind: htrace.CulpritModule, Module: "MyCustomDll", Path: `C:\inetsrv\MyCustomDll.dll`, Frame: 2}, "MyCustomDll"},
		{"unknown code", []minidump.VA{0x11010, 0x19999, 0x11010},
			htrace.Culprit{Kind: htrace.CulpritUnknown, Frame: 1}, "<no module>"},
		{"system", []minidump.VA{0x11010, 0x12010, 0x13010, 0x11010},
			htrace.Culprit{Kind: htrace.CulpritSystem, Module: "winhttp", Path: `C:\Windows\System32\winhttp.dll`, Frame: 2}, "winhttp"},
		{"unloaded system", []minidump.VA{0x11010, 0x17010},
			htrace.Culprit{Kind: htrace.CulpritSystem, Module: "wininet", Path: "wininet.dll", Frame: 1}, "wininet"},
		{"nothing but calls passed on", []minidump.VA{0x12010, 0x11010},
			htrace.Culprit{Kind: htrace.CulpritSystem, Module: "KERNELBASE", Path: `C:\Windows\System32\KERNELBASE.dll`, Frame: 0}, "KERNELBASE"},
		{"no frames", nil, htrace.Culprit{Kind: htrace.CulpritNone, Frame: -1}, "<no stack>"},
	}
	for _, tt := range tests {
		got := s.Culprit(tt.frames)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if got.Name() != tt.text {
			t.Errorf("%s: name %q, want %q", tt.name, got.Name(), tt.text)
		}
	}
}

// Code outside all modules is managed code where something compiles it.
func TestCulpritJIT(t *testing.T) {
	frames := []minidump.VA{0x11010, 0x7ff800001234, 0x12010, 0x14010}
	for _, runtime := range []string{"clr.dll", "coreclr.dll", "mscorwks.dll", "jvm.dll", "mono-2.0-bdwgc.dll", "node.exe"} {
		s, err := htrace.NewSystemModules([]minidump.Module{
			{BaseOfImage: 0x11000, SizeOfImage: 0x1000, ModuleName: `C:\Windows\System32\ntdll.dll`},
			{BaseOfImage: 0x12000, SizeOfImage: 0x1000, ModuleName: `C:\x\` + runtime},
			{BaseOfImage: 0x14000, SizeOfImage: 0x1000, ModuleName: `C:\x\app.exe`},
		}, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(htrace.Culprit{Kind: htrace.CulpritJIT, Frame: 1}, s.Culprit(frames)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", runtime, diff)
		}
	}
}

// Code outside all modules is made at run time where the dump says so, too.
func TestRuntimeCode(t *testing.T) {
	modules := []minidump.Module{{BaseOfImage: 0x400000, SizeOfImage: 0x1000, ModuleName: `C:\x\app.exe`}}
	s, err := htrace.NewSystemModules(modules, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	frames := []minidump.VA{0x601234}
	if c := s.Culprit(frames); c.Kind != htrace.CulpritUnknown {
		t.Errorf("without the memory: %s", c.Kind)
	}
	s.RuntimeCode = symbol.NewRuntimeCode(testdump.Make(t, dumptest.Dump{MemoryInfos: &dumptest.MemoryInfoList{Regions: []dumptest.MemoryInfo{
		{BaseAddress: 0x600000, RegionSize: 0x10000, Protect: uint32(minidump.PageExecuteReadWrite), Type: uint32(minidump.MemPrivate)},
	}}}), modules, nil)
	if c := s.Culprit(frames); c.Kind != htrace.CulpritJIT || c.Name() != "<JIT code>" {
		t.Errorf("with it: %s, %s", c.Kind, c.Name())
	}
	if c := s.Culprit([]minidump.VA{0x701234}); c.Kind != htrace.CulpritUnknown || c.Name() != "<no module>" {
		t.Errorf("elsewhere: %s, %s", c.Kind, c.Name())
	}
}

// A path that no file can have is cut at its start: the name is at its end.
func TestCulpritPath(t *testing.T) {
	modules := []minidump.Module{{BaseOfImage: 0x10000, SizeOfImage: 0x1000, ModuleName: `C:\` + strings.Repeat("é", 20000) + `\app.dll`}}
	system, err := htrace.NewSystemModules(modules, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := system.Culprit([]minidump.VA{0x10010})
	if len(c.Path) > 4<<10 || !strings.HasPrefix(c.Path, "…é") || !strings.HasSuffix(c.Path, `é\app.dll`) || c.Module != "app" {
		t.Errorf("module %q, path of %d bytes", c.Module, len(c.Path))
	}
}
