package symbol_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// limits collects what a session says of its limits.
type limits struct {
	mu   sync.Mutex
	said []string
}

func (l *limits) add(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, what)
}

// want wants these sentences, each once.
func (l *limits) want(t *testing.T, parts ...string) {
	t.Helper()
	if len(l.said) != len(parts) {
		t.Fatalf("said %q, want %d sentences", l.said, len(parts))
	}
	for i, part := range parts {
		if !strings.Contains(l.said[i], part) {
			t.Errorf("said %q, want %q", l.said[i], part)
		}
	}
}

// overlapping is a dump of one module, whose exports have names that lie within one
// another: the next begins step bytes after the one before.
func overlapping(functions, step int, text string) dumptest.Dump {
	d := exporters(1, functions)
	img := d.Memory64[0].Data
	le := binary.LittleEndian
	edata := le.Uint32(img[0x58+112:])
	names := le.Uint32(img[edata+32:])
	for i := range functions {
		le.PutUint32(img[int(names)+4*i:], uint32(len(img)+i*step))
	}
	img = append(append(img, text...), 0)
	le.PutUint32(img[0x58+56:], uint32(len(img)))
	d.Memory64[0].Data, d.Modules[0].Size = img, uint32(len(img))
	return d
}

// functionAddrs are addresses within functions of exporters.
func functionAddrs(functions, each int) []minidump.VA {
	var addrs []minidump.VA
	for i := range functions {
		for k := range each {
			addrs = append(addrs, base+0x1000+minidump.VA(32*i+k))
		}
	}
	return addrs
}

// TestLongName has one name of 60,000 bytes for all addresses of a function.
func TestLongName(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("é", 30000)
	for _, name := range []string{text, "?" + text, "_Z" + text} {
		var l limits
		s := newSession(t, overlapping(1, 1, name), symbol.Options{Limited: l.add})
		names, err := s.Resolve(t.Context(), functionAddrs(1, 32))
		if err != nil {
			t.Fatal(err)
		}
		first := names.At(base + 0x1000).Function
		if len(first) > 4<<10 || len(first) < 4<<10-8 || !strings.HasSuffix(first, "é…") || !strings.HasPrefix(name, strings.TrimSuffix(first, "…")) {
			t.Errorf("name of %d bytes, begins %q", len(first), first[:10])
		}
		for addr, loc := range names {
			if unsafe.StringData(loc.Function) != unsafe.StringData(first) {
				t.Fatalf("%s has a text of its own", addr)
			}
		}
		l.want(t, "longer than 4 KiB")
	}
}

// TestOrdinaryNames are never cut, however many there are.
func TestOrdinaryNames(t *testing.T) {
	t.Parallel()
	var l limits
	s := newSession(t, exporters(1, 2000), symbol.Options{Limited: l.add})
	addrs := functionAddrs(2000, 32)
	for range 3 {
		addrs = append(addrs, addrs...)
	}
	names, err := s.Resolve(t.Context(), addrs)
	if err != nil || len(names) != 2000*32 {
		t.Fatal(len(names), err)
	}
	s.Fit(names, func(yield func(minidump.VA, int) bool) { yield(addrs[0], 1<<30) })
	if got := names.At(base + 0x1000 + 32*1999 + 5).String(); got != "m00!Function01999+0x5" {
		t.Error(got)
	}
	l.want(t)
}

// budgetOf is what texts may cost that are longer than programs have them.
func budgetOf(size int) int { return 4<<20 + 8*size }

// TestOverlappingNames has thousands of long names in few bytes. What is kept of them is
// in proportion to the file.
func TestOverlappingNames(t *testing.T) {
	t.Parallel()
	const functions = 20000
	var l limits
	d := overlapping(functions, 1, strings.Repeat("N", 40000))
	s := newSession(t, d, symbol.Options{Limited: l.add})
	names, err := s.Resolve(t.Context(), functionAddrs(functions, 1))
	if err != nil {
		t.Fatal(err)
	}
	different := map[*byte]int{}
	total := 0
	for _, loc := range names {
		different[unsafe.StringData(loc.Function)] = len(loc.Function)
		total += len(loc.Function)
		if loc.Function == "" {
			t.Fatalf("%s has no name", loc)
		}
	}
	kept := 0
	for _, n := range different {
		kept += n
	}
	if most := budgetOf(len(d.Bytes())) + functions*256; kept > most || total > most {
		t.Errorf("%d bytes in memory, %d in all, want no more than %d", kept, total, most)
	}
	l.want(t, "longer than 4 KiB")
}

// TestSlowNames has names that take the demangler long. As many are undecorated as there
// is time for in proportion to the file, each once, and an interrupt is obeyed between
// any two.
func TestSlowNames(t *testing.T) {
	t.Parallel()
	const slow, uses, length = 1000, 2, 600
	var text strings.Builder
	for i := range slow {
		end := "i\x00"
		if i%2 == 1 {
			end = "_\x00" // means nothing, which takes as long to find out
		}
		at := i / 2
		text.WriteString("_ZTV" + strings.Repeat("K", at) + "V" + strings.Repeat("K", length-7-at) + end)
	}
	d := overlapping(slow, length, text.String())
	var l limits
	s := newSession(t, d, symbol.Options{Limited: l.add})
	addrs := functionAddrs(slow, uses)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if names, err := s.Resolve(ctx, addrs); !errors.Is(err, context.Canceled) || names != nil {
		t.Errorf("%d names, error %v", len(names), err)
	}
	names, err := s.Resolve(t.Context(), addrs)
	if err != nil || len(names) != slow*uses {
		t.Fatal(len(names), err)
	}
	undecorated := 0
	for _, loc := range names {
		if strings.HasPrefix(loc.Function, "vtable for int") {
			undecorated++
		}
	}
	// Half of the names are good, and each is charged once for all its addresses.
	most := (1<<26 + 64*len(d.Bytes())) / (length*length - 128*128) / 2 * uses
	if undecorated > most+10*uses || undecorated < most/2 {
		t.Errorf("%d addresses have an undecorated name, want about %d", undecorated, most)
	}
	l.want(t, "left as they are")
}

// TestFit has an address of 4 KiB of text, and says how often it is written.
func TestFit(t *testing.T) {
	t.Parallel()
	d := overlapping(2, 1, strings.Repeat("N", 4000))
	size := len(d.Bytes())
	for _, tt := range []struct {
		uses    int
		longest int // bytes of text that may be left
	}{
		{1, 4000}, {100, 4000}, {100000, 256 + budgetOf(size)/100000}, {1 << 30, 256},
	} {
		var l limits
		s := newSession(t, d, symbol.Options{Limited: l.add})
		names, err := s.Resolve(t.Context(), functionAddrs(1, 2))
		if err != nil {
			t.Fatal(err)
		}
		s.Fit(names, func(yield func(minidump.VA, int) bool) {
			_ = yield(base+0x1000, tt.uses) && yield(base+0x1000+1, 1)
		})
		got := names.At(base + 0x1000).Function
		if cut := tt.longest < 4000; len(got) > tt.longest || cut != strings.HasSuffix(got, "…") || cut == (l.said == nil) || len(got) < tt.longest-100 {
			t.Errorf("%d uses: %d bytes, said %q, want about %d", tt.uses, len(got), l.said, tt.longest)
		}
	}
}

// inlinedSym writes a symbol file with calls inlined within one another.
func inlinedSym(t *testing.T, depth int) (d dumptest.Dump, folder string) {
	t.Helper()
	folder = t.TempDir()
	var b strings.Builder
	b.WriteString("MODULE windows x86_64 030201000504070608090A0B0C0D0E0F1 evil.pdb\nFILE 0 f.c\n")
	for i := range depth {
		fmt.Fprintf(&b, "INLINE_ORIGIN %d call%d\n", i, i)
	}
	b.WriteString("FUNC 1000 1000 0 fn\n")
	for i := range depth {
		fmt.Fprintf(&b, "INLINE %d %d 0 %d 1000 1000\n", i, i+1, i)
	}
	fmt.Fprintf(&b, "1000 1000 %d 0\n", depth+1)
	if err := os.WriteFile(filepath.Join(folder, "evil.sym"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return dumptest.Dump{Modules: []dumptest.Module{{
		Base: base, Size: 0x10000, Name: `C:\m.dll`,
		CodeView: dumptest.RSDS{Path: "evil.pdb", Age: 1, GUID: [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
	}}}, folder
}

func TestInlinedDepth(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		depth, calls int
		innermost    symbol.Inline
		said         []string
	}{
		{3, 3, symbol.Inline{Function: "call2", File: "f.c", Line: 4}, nil},
		{256, 256, symbol.Inline{Function: "call255", File: "f.c", Line: 257}, nil},
		{257, 257, symbol.Inline{Function: "…", File: "f.c", Line: 258}, []string{"deeper than 256 calls"}},
		{5000, 257, symbol.Inline{Function: "…", File: "f.c", Line: 5001}, []string{"deeper than 256 calls"}},
	} {
		d, folder := inlinedSym(t, tt.depth)
		var l limits
		s := newSession(t, d, symbol.Options{SymbolPath: folder, Loose: true, Limited: l.add})
		loc := resolve(t, s, base+0x1000)
		if len(loc.Inlined) != tt.calls || loc.Inlined[0] != tt.innermost || loc.Inlined[len(loc.Inlined)-1].Function != "call0" || loc.Line != 1 {
			t.Errorf("depth %d: %d calls, %+v, line %d", tt.depth, len(loc.Inlined), loc.Inlined[0], loc.Line)
		}
		l.want(t, tt.said...)
	}
}

// TestInlinedBudget has the calls of thousands of addresses.
func TestInlinedBudget(t *testing.T) {
	t.Parallel()
	d, folder := inlinedSym(t, 200)
	var l limits
	s := newSession(t, d, symbol.Options{SymbolPath: folder, Loose: true, Limited: l.add})
	names, err := s.Resolve(t.Context(), functionAddrs(128, 32))
	if err != nil {
		t.Fatal(err)
	}
	calls, marked := 0, 0
	for _, loc := range names {
		calls += len(loc.Inlined)
		if loc.Inlined[len(loc.Inlined)-1].Function == "…" {
			marked++
		} else if len(loc.Inlined) != 200 {
			t.Fatalf("%s: %d calls without a mark", loc.Address, len(loc.Inlined))
		}
	}
	if most := budgetOf(100<<10)/48 + 17*len(names); calls > most || marked == 0 {
		t.Errorf("%d calls of %d addresses, %d marked, want no more than %d", calls, len(names), marked, most)
	}
	l.want(t, "inlined calls")
}

// TestOnePDB has many modules of the same PDB, and of as many others.
func TestOnePDB(t *testing.T) {
	t.Parallel()
	d, folder := made(t, debugBuild())
	data, err := os.ReadFile(filepath.Join(folder, "made.pdb"))
	if err != nil {
		t.Fatal(err)
	}
	first := d.Modules[0]
	for i := range 300 {
		m := first
		m.Base += uint64(i+1) << 24
		if i%2 == 0 {
			rsds := m.CodeView.(dumptest.RSDS)
			rsds.Path = fmt.Sprintf("app%d.pdb", i)
			m.CodeView = rsds
			if err := os.WriteFile(filepath.Join(folder, rsds.Path), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d.Modules = append(d.Modules, m)
	}
	s := newSession(t, d, symbol.Options{SymbolPath: folder})
	all, err := s.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range all {
		if st.Trust != symbol.TrustPDB {
			t.Fatalf("%s of %s, tried %v", st.Trust, st.Module.CvRecord.PDBFile, st.Tries)
		}
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	open := 0
	for _, fd := range fds {
		if target, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(target, folder) {
			open++
		}
	}
	if open == 0 || open > 64 {
		t.Errorf("%d files of %d are open", open, 151)
	}
	// Those that were closed are read again.
	for i := range d.Modules {
		loc := resolve(t, s, minidump.VA(d.Modules[i].Base)+0x1104)
		if loc.Function != "ns::Class::Run" || loc.Trust != symbol.TrustPDB {
			t.Fatalf("module %d: %s", i, loc)
		}
	}
}

// TestModuleNames has names of modules that no file can have, at each address.
func TestModuleNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 20000)
	d := dumptest.Dump{
		Modules: []dumptest.Module{{Base: base, Size: 0x10000, Name: `C:\` + long + `.dll`}},
		UnloadedModules: &dumptest.UnloadedModuleList{Modules: []dumptest.UnloadedModule{
			{Base: base + 0x100000, Size: 0x1000, Name: long}, {Base: base + 0x100000, Size: 0x1000, Name: "x" + long},
		}},
	}
	var l limits
	s := newSession(t, d, symbol.Options{Limited: l.add})
	for _, addr := range []minidump.VA{base, base + 0x100000} {
		loc := resolve(t, s, addr)
		for _, name := range []string{loc.Module, loc.String()} {
			if len(name) > 2*800 || !strings.Contains(name, "é…") {
				t.Errorf("name of %d bytes", len(name))
			}
		}
		// As often as it takes, what is beyond 256 bytes goes.
		names := symbol.Names{addr: loc}
		s.Fit(names, func(yield func(minidump.VA, int) bool) { yield(addr, 1<<30) })
		if got := names.At(addr).String(); len(got) > 256 || !strings.Contains(got, "…") {
			t.Errorf("%d bytes after Fit: %s", len(got), got)
		}
	}
	l.want(t, "some names are cut")
}
