package symbol_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/pdb"
	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/analysis/internal/undecorate"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/symbol/symserver"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

var (
	testdata = filepath.Join("..", "..", "testdata", "symbols")
	symStore = filepath.Join(testdata, "sym")
)

const base = 0x7ff600000000

func newSession(t testing.TB, d dumptest.Dump, o symbol.Options) *symbol.Session {
	t.Helper()
	data := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if o.Cache == "" {
		o.Cache = filepath.Join(t.TempDir(), "cache")
	}
	s, err := symbol.NewResolver(f, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// resolve names one address.
func resolve(t testing.TB, r symbol.Resolver, addr minidump.VA) symbol.Location {
	t.Helper()
	names, err := r.Resolve(t.Context(), []minidump.VA{addr})
	if err != nil {
		t.Fatal(err)
	}
	return names.At(addr)
}

// inspect returns the status of the first module.
func inspect(t testing.TB, s *symbol.Session) symbol.Status {
	t.Helper()
	all, err := s.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

// testApp is the module of minidump2.dmp.
func testApp() dumptest.Dump {
	return dumptest.Dump{Modules: []dumptest.Module{{
		Base: 0x400000, Size: 0x2d000, TimeDateStamp: 0x45d35f6c, Name: `c:\test_app.exe`,
		CodeView: dumptest.RSDS{Path: `c:\test_app.pdb`, Age: 1, GUID: [16]byte{
			0xe5, 0x32, 0x98, 0x5a, 0x72, 0x28, 0xc1, 0x41, 0x83, 0x8e, 0xd9, 0x89, 0x14, 0xe9, 0xb7, 0xff}},
	}}}
}

// image is a dump with one module, the image file at path, and no memory.
func image(t testing.TB, path string) dumptest.Dump {
	t.Helper()
	img, err := peimage.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	return dumptest.Dump{Modules: []dumptest.Module{{
		Base: base, Size: img.SizeOfImage, TimeDateStamp: img.TimeDateStamp, Name: `C:\app\` + filepath.Base(path),
	}}}
}

// show writes a location for comparison.
func show(l symbol.Location) string {
	s := fmt.Sprintf("%s %s %s", l, l.Source(), l.Trust)
	for _, i := range l.Inlined {
		s += fmt.Sprintf(" < %s %s", i.Function, i.Source())
	}
	return s
}

func TestSym(t *testing.T) {
	t.Parallel()
	s := newSession(t, testApp(), symbol.Options{SymbolPath: symStore})
	tests := map[minidump.VA]string{
		0x40429e: "test_app!`anonymous namespace'::CrashFunction()+0x2e c:\\src\\test_app.cc:58 sym",
		0x404200: `test_app!main+0x50 c:\src\test_app.cc:66 sym`,
		0x404214: "test_app!main+0x64 c:\\src\\test_app.cc:66 sym < `anonymous namespace'::StoreTo(int *, int) c:\\src\\test_app.cc:51",
		0x4053ec: `test_app!__tmainCRTStartup+0x15c f:\vs70builds\vc\crtbld\crt\src\crt0.c:327 sym`,
		0x405504: "test_app!mainCRTStartup+0x4  sym",
		0x401000: "test_app+0x1000  module",
		0x7c8000: "0x7c8000  ",
	}
	for addr, want := range tests {
		if got := show(resolve(t, s, addr)); got != want {
			t.Errorf("%s is %s, want %s", addr, got, want)
		}
	}
}

// TestMinidump2 names the stack that the dump of Breakpad's test application is
// known for.
func TestMinidump2(t *testing.T) {
	t.Parallel()
	f := shared(t, "minidump2.dmp")
	s, err := symbol.NewResolver(f, symbol.Options{SymbolPath: symStore, Cache: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var got []string
	for _, addr := range []minidump.VA{0x40429e, 0x404200, 0x4053ec, 0x7c816fd7} {
		got = append(got, resolve(t, s, addr).String())
	}
	want := []string{"test_app!`anonymous namespace'::CrashFunction()+0x2e", "test_app!main+0x50",
		"test_app!__tmainCRTStartup+0x15c", "kernel32+0x16fd7"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPDB(t *testing.T) {
	t.Parallel()
	path := filepath.Join(testdata, "pdb", "handles64.pdb")
	f, err := pdb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := image(t, filepath.Join(testdata, "pdb", "handles64.exe"))
	d.Modules[0].CodeView = dumptest.RSDS{GUID: f.GUID, Age: f.Age, Path: `d:\build\HANDLES64.pdb`}
	folder := filepath.Dir(path)
	s := newSession(t, d, symbol.Options{SymbolPath: "/no/such/folder;" + folder})
	raw := newSession(t, d, symbol.Options{SymbolPath: folder, RawNames: true})
	named, lines, decorated := 0, 0, 0
	for rva := uint32(0x1000); rva < d.Modules[0].Size; rva += 5 {
		sym, ok, err := f.Lookup(rva)
		loc := resolve(t, s, base+minidump.VA(rva))
		if err != nil || ok != (loc.Trust == symbol.TrustPDB) {
			t.Fatalf("%#x: %v, %v, but %s", rva, ok, err, show(loc))
		}
		if !ok {
			continue
		}
		named++
		if loc.Displacement != uint64(sym.Displacement) || loc.File != sym.File || loc.Line != sym.Line || len(loc.Inlined) != len(sym.Inlined) {
			t.Errorf("%#x: %+v differs from %+v", rva, loc, sym)
		}
		if loc.Line > 0 {
			lines++
		}
		if got := resolve(t, raw, base+minidump.VA(rva)); got.Function != sym.Name {
			t.Errorf("%#x: raw name %q, want %q", rva, got.Function, sym.Name)
		} else if got.Function != loc.Function {
			decorated++
		}
	}
	if named == 0 || lines == 0 || decorated == 0 {
		t.Errorf("%d named, %d with line, %d undecorated", named, lines, decorated)
	}
	d.Modules[0].CodeView = dumptest.RSDS{GUID: f.GUID, Age: f.Age + 1, Path: "handles64.pdb"}
	s = newSession(t, d, symbol.Options{SymbolPath: folder})
	st := inspect(t, s)
	if st.Trust == symbol.TrustPDB || !strings.Contains(fmt.Sprint(st.Tries), "wrong identity: ") {
		t.Errorf("another age: %+v", st)
	}
	s = newSession(t, d, symbol.Options{SymbolPath: folder, Loose: true})
	if st := inspect(t, s); st.Trust != symbol.TrustPDB {
		t.Errorf("another age, loose: %+v", st)
	}
}

// TestPDBx86 undecorates the C names of publics, and those only: _cexit is
// what its author called it.
func TestPDBx86(t *testing.T) {
	t.Parallel()
	path := filepath.Join(testdata, "pdb", "handles32.pdb")
	f, err := pdb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := image(t, filepath.Join(testdata, "pdb", "handles32.dll"))
	d.Modules[0].CodeView = dumptest.RSDS{GUID: f.GUID, Age: f.Age, Path: "handles32.pdb"}
	s := newSession(t, d, symbol.Options{SymbolPath: filepath.Dir(path)})
	changed := 0
	for rva := uint32(0x1000); rva < d.Modules[0].Size; rva++ {
		sym, ok, err := f.Lookup(rva)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			continue
		}
		want := undecorate.Name(sym.Name)
		if sym.Kind == pdb.KindPublic {
			want = undecorate.NameX86(sym.Name)
		}
		if want != undecorate.Name(sym.Name) {
			changed++
		}
		if got := resolve(t, s, base+minidump.VA(rva)).Function; got != want {
			t.Fatalf("%#x: %s %s is %q, want %q", rva, sym.Kind, sym.Name, got, want)
		}
	}
	if changed == 0 {
		t.Error("no decorated C name")
	}
}

func TestImages(t *testing.T) {
	t.Parallel()
	dll := filepath.Join(testdata, "dwarf", "leak.dll")
	s := newSession(t, image(t, dll), symbol.Options{ImagePath: filepath.Dir(dll)})
	tests := map[minidump.VA]string{
		base + 0x1028: "leak!open_key+0x28 /build/src/leak.c:19 dwarf < count /build/src/leak.c:7 < twice /build/src/leak.c:12",
		base + 0x1049: "leak!open_key+0x49  dwarf", // padding, which only the COFF symbols reach
		base + 0x1068: "leak!CreateSettings+0x18 /build/src/leak.c:27 dwarf",
		base + 0x800:  "leak+0x800  module",
	}
	for addr, want := range tests {
		if got := show(resolve(t, s, addr)); got != want {
			t.Errorf("%s is %s, want %s", addr, got, want)
		}
	}

	// Without symbol table there are neither section names nor symbols.
	data, err := os.ReadFile(dll)
	if err != nil {
		t.Fatal(err)
	}
	header := binary.LittleEndian.Uint32(data[0x3c:]) + 4
	clear(data[header+8 : header+16])
	stripped := filepath.Join(t.TempDir(), "leak.dll")
	if err := os.WriteFile(stripped, data, 0o666); err != nil {
		t.Fatal(err)
	}
	s = newSession(t, image(t, stripped), symbol.Options{SymbolPath: filepath.Dir(stripped)})
	if got, want := show(resolve(t, s, base+0x1068)), "leak!CreateSettings+0x18  export"; got != want {
		t.Errorf("stripped: %s, want %s", got, want)
	}

	d := image(t, dll)
	d.Modules[0].TimeDateStamp++
	s = newSession(t, d, symbol.Options{ImagePath: filepath.Dir(dll)})
	if st := inspect(t, s); st.Trust != symbol.TrustModule || !strings.Contains(fmt.Sprint(st.Tries), "wrong identity") {
		t.Errorf("another timestamp: %+v", st)
	}
	s = newSession(t, d, symbol.Options{ImagePath: filepath.Dir(dll), Loose: true})
	if st := inspect(t, s); st.Trust != symbol.TrustDWARF {
		t.Errorf("another timestamp, loose: %+v", st)
	}
}

func TestServer(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.FileServer(http.Dir(symStore)))
	defer srv.Close()
	cache := filepath.Join(t.TempDir(), "cache")
	for _, o := range []symbol.Options{
		{SymbolPath: "srv*" + cache + "*" + srv.URL, Fetcher: &symserver.Client{}},
		{SymbolPath: "srv*" + cache + "*" + srv.URL, Offline: true}, // what the first has left in the cache
	} {
		s := newSession(t, testApp(), o)
		if got := resolve(t, s, 0x40429e); got.Trust != symbol.TrustSym {
			t.Errorf("offline %v: %s", o.Offline, show(got))
		}
	}
	d := testApp()
	d.Modules[0].Name, d.Modules[0].CodeView = `..\..\nul`, dumptest.RSDS{Path: `..\..\con.pdb`}
	s := newSession(t, d, symbol.Options{SymbolPath: "srv*" + cache + "*" + srv.URL, Fetcher: &symserver.Client{}})
	if st := inspect(t, s); st.Trust != symbol.TrustModule || !strings.Contains(fmt.Sprint(st.Tries), "names a device") {
		t.Errorf("hostile names: %+v", st)
	}
}

func TestManifest(t *testing.T) {
	t.Parallel()
	d := testApp()
	d.Modules = append(d.Modules, dumptest.Module{Base: base, Size: 0x1000, TimeDateStamp: 0x1234abcd, Name: `C:\Windows\other.dll`},
		d.Modules[0])
	d.Modules[2].Base = 0x500000
	s := newSession(t, d, symbol.Options{SymbolPath: "srv*http://symbols.example/store/", Offline: true})
	var got []string
	manifest, err := s.Manifest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range manifest {
		got = append(got, fmt.Sprint(f.Module.Name(), " ", f.Trust, " ", f.Path, " ", f.URLs))
	}
	const pdb, exe, dll = "test_app.pdb/5A9832E5287241C1838ED98914E9B7FF1/test_app.pdb", "test_app.exe/45D35F6C2d000/test_app.exe", "other.dll/1234ABCD1000/other.dll"
	const url = "http://symbols.example/store/"
	want := []string{
		"test_app pdb " + pdb + " [" + url + pdb + "]",
		"test_app export " + exe + " [" + url + exe + "]",
		"other export " + dll + " [" + url + dll + "]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUnloaded(t *testing.T) {
	t.Parallel()
	s := newSession(t, dumptest.Dump{Modules: testApp().Modules, UnloadedModules: &dumptest.UnloadedModuleList{
		Modules: []dumptest.UnloadedModule{{Base: 0x10000000, Size: 0x1000, Name: "plugin.dll"}},
	}}, symbol.Options{})
	if got, want := resolve(t, s, 0x10000123).String(), "<Unloaded_plugin.dll>+0x123"; got != want {
		t.Errorf("unloaded module: %s, want %s", got, want)
	}
}

func TestBadPath(t *testing.T) {
	data := dumptest.Dump{}.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []symbol.Options{{SymbolPath: "srv*ftp://x"}, {ImagePath: "bad*path"}} {
		if s, err := symbol.NewResolver(f, o); s != nil || err == nil || !strings.Contains(err.Error(), "symbol path") {
			t.Errorf("%+v: %v, %v", o, s, err)
		}
	}
}

// TestLeakyImages names every function of a DLL with DWARF and COFF symbols from
// its first to its last byte, as the list of the linker's symbols says.
func TestLeakyImages(t *testing.T) {
	t.Parallel()
	for _, arch := range []string{"x64", "x86"} {
		folder := filepath.Join("..", "..", "testdata", "leaky")
		list, err := os.ReadFile(filepath.Join(folder, "leaky-"+arch+".symbols.tsv"))
		if err != nil {
			t.Fatal(err)
		}
		dll := filepath.Join(folder, "images", arch, "MyCustomDll.dll")
		s := newSession(t, image(t, dll), symbol.Options{ImagePath: filepath.Dir(dll)})
		checked := 0
		for line := range strings.Lines(string(list)) {
			var rva, size uint64
			var kind, name string
			if _, err := fmt.Sscanf(line, "%x\t%x\t%s\t%s", &rva, &size, &kind, &name); err != nil || kind == "data" {
				continue
			}
			for _, off := range []uint64{0, size / 2, size - 1} {
				loc := resolve(t, s, base+minidump.VA(rva+off))
				if loc.Trust != symbol.TrustDWARF || loc.Function != name || loc.Displacement != off {
					t.Errorf("%s: %#x is %s, want %s+%#x", arch, rva+off, show(loc), name, off)
				}
			}
			checked++
		}
		if checked < 16 {
			t.Errorf("%s: only %d functions checked", arch, checked)
		}
	}
}
