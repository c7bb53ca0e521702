package symbol_test

import (
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestRuntimeCode(t *testing.T) {
	const commit, reserve, private, mapped, image = 0x1000, 0x2000, 0x20000, 0x40000, 0x1000000
	const rx, rwx, rw = 0x20, 0x40, 0x04
	infos := &dumptest.MemoryInfoList{Regions: []dumptest.MemoryInfo{
		{BaseAddress: 0x50000, RegionSize: 0x1000, State: commit, Protect: rwx, Type: private},
		{BaseAddress: 0x51000, RegionSize: 0x1000, State: commit, Protect: rx, Type: private},
		{BaseAddress: 0x10000, RegionSize: 0x1000, State: commit, Protect: rx, Type: mapped},
		{BaseAddress: 0x20000, RegionSize: 0x1000, State: commit, Protect: rx, Type: image},
		{BaseAddress: 0x30000, RegionSize: 0x1000, State: commit, Protect: rw, Type: private},
		{BaseAddress: 0x40000, RegionSize: 0x1000, State: reserve, Protect: rx, Type: private},
		{BaseAddress: 0xfffffffffffff000, RegionSize: 0x10000, State: commit, Protect: rx, Type: private},
	}}
	jit := map[minidump.VA]bool{
		0: false, 0xffff: false, 0x10000: true, 0x10fff: true, 0x11000: false, 0x20000: false, 0x30000: false, 0x40000: false,
		0x4ffff: false, 0x50000: true, 0x51000: true, 0x51fff: true, 0x52000: false, 0xffffffffffffffff: true,
	}
	f := testdump.Make(t, dumptest.Dump{MemoryInfos: infos})
	c := symbol.NewRuntimeCode(f, nil, nil)
	compiling := symbol.NewRuntimeCode(f, []minidump.Module{{ModuleName: `C:\CLR.dll`}}, nil)
	if !c.Known() {
		t.Error("the memory is listed")
	}
	unloaded := symbol.NewRuntimeCode(nil, nil, []minidump.UnloadedModule{{ModuleName: "jvm.dll"}})
	for addr, want := range jit {
		if c.Contains(addr) != want || (c.At(addr) == symbol.OutsideJIT) != want {
			t.Errorf("%s: code %v, %s; want %v", addr, c.Contains(addr), c.At(addr), want)
		}
		if compiling.At(addr) != symbol.OutsideJIT || unloaded.At(addr) != symbol.OutsideJIT || unloaded.Contains(addr) {
			t.Errorf("%s with a runtime: %s, %s", addr, compiling.At(addr), unloaded.At(addr))
		}
	}
	if c := symbol.NewRuntimeCode(testdump.Make(t, dumptest.Dump{}), nil, nil); c.At(0x10000) != symbol.OutsideUnknown || c.Known() {
		t.Error("code in a dump that lists no memory")
	}
}

func TestOutside(t *testing.T) {
	f := testdump.Make(t, dumptest.Dump{
		Modules:         []dumptest.Module{{Base: 0x400000, Size: 0x1000, Name: "a.exe"}},
		UnloadedModules: &dumptest.UnloadedModuleList{Modules: []dumptest.UnloadedModule{{Base: 0x500000, Size: 0x1000, Name: "gone.dll"}}},
		MemoryInfos: &dumptest.MemoryInfoList{Regions: []dumptest.MemoryInfo{
			{BaseAddress: 0x600000, RegionSize: 0x1000, Protect: 0x40, Type: 0x20000},
		}},
	})
	s, err := symbol.NewResolver(f, symbol.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := map[minidump.VA]symbol.Outside{0x400000: "", 0x500000: "", 0x600000: symbol.OutsideJIT, 0x700000: symbol.OutsideUnknown}
	for addr, want := range want {
		names, err := s.Resolve(t.Context(), []minidump.VA{addr})
		if got := names.At(addr).Outside; got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", addr, got, err, want)
		}
	}
	if a, b := symbol.OutsideJIT.Name(), symbol.OutsideUnknown.Name(); a != "<JIT code>" || b != "<no module>" {
		t.Errorf("named %s, %s", a, b)
	}
}
