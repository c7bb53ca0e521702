package htrace_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/minidump"
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
		{BaseOfImage: 0x1000, SizeOfImage: 0x1000, ModuleName: `C:\Windows\System32\ntdll.dll`},
		{BaseOfImage: 0x2000, SizeOfImage: 0x1000, ModuleName: `C:\Windows\System32\KERNELBASE.dll`},
		{BaseOfImage: 0x3000, SizeOfImage: 0x1000, ModuleName: `C:\Windows\System32\winhttp.dll`},
		{BaseOfImage: 0x4000, SizeOfImage: 0x1000, ModuleName: `C:\inetsrv\MyCustomDll.dll`},
		{BaseOfImage: 0x5000, SizeOfImage: 0x1000, ModuleName: `C:\inetsrv\app.exe`},
	}
	unloaded := []minidump.UnloadedModule{
		{BaseOfImage: 0x6000, SizeOfImage: 0x1000, ModuleName: "plugin.dll"},
		{BaseOfImage: 0x7000, SizeOfImage: 0x1000, ModuleName: "wininet.dll"},
		{BaseOfImage: 0x4000, SizeOfImage: 0x1000, ModuleName: "old.dll"}, // another has its place now
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
		{"first of two", []minidump.VA{0x1010, 0x2010, 0x4010, 0x5010},
			htrace.Culprit{Kind: htrace.CulpritModule, Module: "MyCustomDll", Path: `C:\inetsrv\MyCustomDll.dll`, Frame: 2}, "MyCustomDll"},
		{"unloaded", []minidump.VA{0x1010, 0x6010, 0x4010},
			htrace.Culprit{Kind: htrace.CulpritUnloaded, Module: "plugin", Path: "plugin.dll", Frame: 1}, "<Unloaded_plugin.dll>"},
		{"unknown code before a module", []minidump.VA{0x1010, 0x9999, 0x4010},
			htrace.Culprit{Kind: htrace.CulpritModule, Module: "MyCustomDll", Path: `C:\inetsrv\MyCustomDll.dll`, Frame: 2}, "MyCustomDll"},
		{"unknown code", []minidump.VA{0x1010, 0x9999, 0x1010},
			htrace.Culprit{Kind: htrace.CulpritUnknown, Frame: 1}, "<no module>"},
		{"system", []minidump.VA{0x1010, 0x2010, 0x3010, 0x1010},
			htrace.Culprit{Kind: htrace.CulpritSystem, Module: "winhttp", Path: `C:\Windows\System32\winhttp.dll`, Frame: 2}, "winhttp"},
		{"unloaded system", []minidump.VA{0x1010, 0x7010},
			htrace.Culprit{Kind: htrace.CulpritSystem, Module: "wininet", Path: "wininet.dll", Frame: 1}, "wininet"},
		{"nothing but calls passed on", []minidump.VA{0x2010, 0x1010},
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
