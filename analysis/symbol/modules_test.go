package symbol_test

import (
	"context"
	"fmt"
	"math/rand"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

func TestModulesResolve(t *testing.T) {
	t.Parallel()
	m := symbol.NewModules([]minidump.Module{
		{BaseOfImage: 0x7ff600000000, SizeOfImage: 0x3000, ModuleName: `C:\app\My-Custom.Dll.dll`},
		{BaseOfImage: 0x400000, SizeOfImage: 0x1000, ModuleName: `w3wp.exe`},
		{BaseOfImage: 0x500000, ModuleName: `empty.dll`},
		{BaseOfImage: ^minidump.VA(0xff), SizeOfImage: 0x1000, ModuleName: `top.dll`},
	})
	tests := []struct {
		addr minidump.VA
		want symbol.Location
	}{
		{0x400000, symbol.Location{Address: 0x400000, Module: "w3wp", Trust: symbol.TrustModule}},
		{0x400fff, symbol.Location{Address: 0x400fff, Module: "w3wp", Offset: 0xfff, Trust: symbol.TrustModule}},
		{0x401000, symbol.Location{Address: 0x401000}},
		{0x3fffff, symbol.Location{Address: 0x3fffff}},
		{0x500000, symbol.Location{Address: 0x500000}},
		{0x7ff600001543, symbol.Location{Address: 0x7ff600001543, Module: "My_Custom_Dll", Offset: 0x1543, Trust: symbol.TrustModule}},
		{^minidump.VA(0), symbol.Location{Address: ^minidump.VA(0), Module: "top", Offset: 0xff, Trust: symbol.TrustModule}},
		{0, symbol.Location{}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, resolve(t, m, tt.addr)); diff != "" {
			t.Errorf("Resolve(%s) (-want +got):\n%s", tt.addr, diff)
		}
		mod, ok := m.Find(tt.addr)
		if ok != (tt.want.Module != "") || ok && mod.Name() != tt.want.Module {
			t.Errorf("Find(%s) = %v, %v; want module %q", tt.addr, mod, ok, tt.want.Module)
		}
	}
}

// TestModulesOverlap compares the index with the rule it implements, applied
// to every address of a small space.
func TestModulesOverlap(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewSource(1))
	for round := range 500 {
		modules := make([]minidump.Module, rnd.Intn(12))
		for i := range modules {
			modules[i].BaseOfImage = minidump.VA(rnd.Intn(60))
			modules[i].SizeOfImage = uint32(rnd.Intn(40))
			modules[i].ModuleName = fmt.Sprintf("m%d.dll", i)
		}
		m := symbol.NewModules(modules)
		for addr := range minidump.VA(110) {
			want := ""
			var base minidump.VA
			for _, mod := range modules {
				in := addr >= mod.BaseOfImage && addr < mod.End()
				if in && (want == "" || mod.BaseOfImage > base) {
					want, base = mod.Name(), mod.BaseOfImage
				}
			}
			if got := resolve(t, m, addr).Module; got != want {
				t.Fatalf("round %d: Resolve(%d) is in %q, want %q, of %v", round, addr, got, want, modules)
			}
		}
	}
}

func TestLocationText(t *testing.T) {
	tests := []struct {
		loc          symbol.Location
		text, source string
	}{
		{symbol.Location{Address: 0x8638db}, "0x8638db", ""},
		{symbol.Location{Module: "MyCustomDll", Offset: 0x1543}, "MyCustomDll+0x1543", ""},
		{symbol.Location{Module: "MyCustomDll"}, "MyCustomDll", ""},
		{symbol.Location{Module: "MyCustomDll", Offset: 0x9000, Function: "RegSetValueW", Displacement: 0x26a1, File: "a.c"}, "MyCustomDll!RegSetValueW+0x26a1", ""},
		{symbol.Location{Module: "ntdll", Offset: 0x9000, Function: "NtClose", File: `d:\nt\close.c`, Line: 12}, "ntdll!NtClose", `d:\nt\close.c:12`},
	}
	for _, tt := range tests {
		if got := tt.loc.String(); got != tt.text {
			t.Errorf("String() = %q, want %q", got, tt.text)
		}
		if got := tt.loc.Source(); got != tt.source {
			t.Errorf("Source() = %q, want %q", got, tt.source)
		}
	}
}

func ExampleModules() {
	r := symbol.NewModules([]minidump.Module{
		{BaseOfImage: 0x180000000, SizeOfImage: 0x5000, ModuleName: `C:\inetpub\MyCustomDll.dll`},
	})
	names, err := r.Resolve(context.Background(), []minidump.VA{0x42, 0x180001543})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(names.At(0x180001543))
	fmt.Println(names.At(0x42))
	// Output:
	// MyCustomDll+0x1543
	// 0x42
}
