package minidump_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// jitted are two stretches of code, the second with an empty table.
func jitted() *dumptest.FunctionTables {
	return &dumptest.FunctionTables{Tables: []dumptest.FunctionTable{
		{Minimum: 0x20000, Maximum: 0x21000, Base: 0x20000, Native: []byte("native descriptor"), Entries: []byte("function one function two"[:24]), AlignPad: 3},
		{Minimum: 0x10000, Maximum: 0x10800, Base: 0x8000, Native: []byte("another"), AlignPad: 5},
		{Minimum: 0x20800, Maximum: 0x20900, Base: 0x20000, Entries: []byte("inner inner ")},
	}}
}

// tablesOf writes down all that the tables hold.
func tablesOf(l *minidump.FunctionTables) (list []string) {
	for t, err := range l.All() {
		if t.Entries == nil {
			list = append(list, fmt.Sprint("nothing, ", err))
			continue
		}
		native, _ := io.ReadAll(t.Native)
		entries, _ := io.ReadAll(t.Entries)
		list = append(list, fmt.Sprintf("%s-%s base %s, %d entries %q, native %q, %v", t.MinimumAddress, t.MaximumAddress, t.BaseAddress, t.EntryCount, entries, native, err))
	}
	return list
}

func TestFunctionTables(t *testing.T) {
	want := []string{
		`0x20000-0x21000 base 0x20000, 2 entries "function one function tw", native "native descriptor", <nil>`,
		`0x10000-0x10800 base 0x8000, 0 entries "", native "another..........", <nil>`,
		`0x20800-0x20900 base 0x20000, 1 entries "inner inner ", native ".................", <nil>`,
	}
	for name, change := range map[string]func(*dumptest.FunctionTables){
		"as dbghelp writes it": func(*dumptest.FunctionTables) {},
		"padding":              func(l *dumptest.FunctionTables) { l.AlignPad = 6 },
		"longer structures":    func(l *dumptest.FunctionTables) { l.HeaderSize, l.DescriptorSize = 40, 48 },
	} {
		l := jitted()
		change(l)
		tables, err := build(t, dumptest.Dump{FunctionTables: l, Padding: '.'}).FunctionTables()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, tablesOf(tables)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if n, err := tables.Len(); n != 3 || err != nil || tables.SizeOfFunctionEntry != 12 || tables.SizeOfNativeDescriptor != 17 {
			t.Errorf("%s: %d, %v, %+v", name, n, err, tables)
		}
		for va, base := range map[minidump.VA]minidump.VA{
			0xffff: 0, 0x10000: 0x8000, 0x107ff: 0x8000, 0x10800: 0, 0x1ffff: 0, 0x20000: 0x20000, 0x20fff: 0x20000, 0x21000: 0, 0: 0, 0xffffffffffffffff: 0,
		} {
			if found := tables.Find(va); (found == nil) != (base == 0) || found != nil && found.BaseAddress != base {
				t.Errorf("%s: %s is in %+v", name, va, found)
			}
		}
		// Of two that hold an address the inner one is meant.
		if found := tables.Find(0x20850); found == nil || found.MinimumAddress != 0x20800 {
			t.Errorf("%s: 0x20850 is in %+v", name, found)
		}
	}
	if _, err := build(t, dumptest.Dump{}).FunctionTables(); !errors.Is(err, minidump.ErrNoStream) {
		t.Errorf("without: %v", err)
	}
}

// TestFunctionTablesThatAreWrong end with an error, and the tables before are
// there.
func TestFunctionTablesThatAreWrong(t *testing.T) {
	const first = `0x20000-0x21000 base 0x20000, 2 entries "function one function tw", native "native descriptor", <nil>`
	for _, tt := range []struct {
		name  string
		patch dumptest.Patch
		open  string // the error of the header
		list  []string
		len   string
	}{
		{name: "header too short", patch: dumptest.PutU32("FunctionTable", 0, 20), open: "header of 20 bytes; 24 is the least"},
		{name: "descriptors too short", patch: dumptest.PutU32("FunctionTable", 4, 31), open: "descriptors of 31 bytes; 32 is the least"},
		{name: "header beyond the stream", patch: dumptest.PutU32("FunctionTable", 0, 0xffffffff), len: "3 function tables declared, but the stream ends after 0"},
		{name: "padding beyond the stream", patch: dumptest.PutU32("FunctionTable", 20, 0xffffffff), len: "3 function tables declared, but the stream ends after 0"},
		{name: "native descriptor without end", patch: dumptest.PutU32("FunctionTable", 8, 0xffffffff),
			list: []string{"2 function entries of 12 bytes declared, but the stream ends after 0 bytes of them"}, len: "the stream ends after 1"},
		{name: "entries without end", patch: dumptest.PutU32("FunctionTable[1]", 24, 0xffffffff),
			list: []string{first, "4294967295 function entries of 12 bytes declared, but the stream ends after 66 bytes of them"}, len: "the stream ends after 2"},
		{name: "entries of 4 GiB", patch: dumptest.PutU32("FunctionTable", 12, 0xffffffff),
			list: []string{"2 function entries of 4294967295 bytes declared"}, len: "the stream ends after 1"},
		{name: "padding without end", patch: dumptest.PutU32("FunctionTable[0]", 28, 0xffffffff), list: []string{first}, len: "the stream ends after 1"},
		{name: "more than there are", patch: dumptest.DeclareCount(dumptest.FunctionTableStream, 0xffffffff),
			list: []string{first, "0x10000-", "0x20800-"}, len: "4294967295 function tables declared, but the stream ends after 3"},
	} {
		l, err := build(t, dumptest.Dump{FunctionTables: jitted(), Patches: []dumptest.Patch{tt.patch}}).FunctionTables()
		if tt.open != "" {
			if l != nil || err == nil || !strings.Contains(err.Error(), tt.open) {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.open)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got := tablesOf(l)
		if len(got) != len(tt.list) {
			t.Errorf("%s: %q", tt.name, got)
			continue
		}
		for i, want := range tt.list {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: %s, want %s", tt.name, got[i], want)
			}
		}
		if _, err := l.Len(); err == nil || !strings.Contains(err.Error(), tt.len) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.len)
		}
		l.Find(0x20000) // must not panic
	}
}

// TestFunctionTablesThatCannotBeRead: behind a bad sector nothing is known.
func TestFunctionTablesThatCannotBeRead(t *testing.T) {
	d := dumptest.Dump{FunctionTables: jitted(), Padding: '.'}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	bad := layout["FunctionTable[1]"]
	l, err := openFaulty(t, faulty{data: d.Bytes(), bad: bad, end: bad + 1}).FunctionTables()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for table, err := range l.All() {
		if n++; n == 2 && (!errors.Is(err, minidump.ErrUnreadable) || !errors.Is(err, errBadSector) || table.Entries != nil) {
			t.Errorf("%+v, %v", table, err)
		}
	}
	if n != 2 {
		t.Errorf("%d steps", n)
	}
}

// TestFunctionTablesAreShared by several readers.
func TestFunctionTablesAreShared(t *testing.T) {
	l, err := build(t, dumptest.Dump{FunctionTables: jitted()}).FunctionTables()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if found := l.Find(0x10010); found == nil || found.BaseAddress != 0x8000 {
				t.Errorf("%+v", found)
			}
		})
	}
	wg.Wait()
}
