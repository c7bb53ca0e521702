package clrmeta_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/clrmeta"
	"github.com/dumpscan/dumpscan/analysis/internal/clrmeta/clrmetatest"
)

func orders() clrmetatest.Assembly {
	return clrmetatest.Assembly{Name: "orders", Classes: []clrmetatest.Class{
		{Row: 2, Namespace: "Orders", Name: "Cache", Extends: "System.Object"},
		{Row: 3, Namespace: "Orders", Name: "KeyHandle", Extends: "System.Runtime.InteropServices.SafeHandle"},
		{Row: 5, Name: "Program", Extends: "Orders.Cache"},
		{Row: 6, Name: "Entry", In: 2, Extends: "System.Object"},
		{Row: 7, Name: "Key", In: 6, Extends: "System.Collections.Generic.Dictionary`2+KeyCollection"},
		{Row: 8, Namespace: "Orders", Name: "Numbers", Extends: "System.Collections.Generic.List`1", Generic: true},
		{Row: 9, Namespace: "Orders", Name: "Ledger`1", Extends: "Orders.Cache"},
		{Row: 10, Namespace: "Orders", Name: "Longs", Extends: "Orders.Ledger`1", Generic: true},
		{Row: 11, Namespace: "Orders", Name: "IOrder"},
	}}
}

// names reads the names of all classes and of what they are derived from.
func names(m *clrmeta.Metadata) []string {
	var out []string
	for rid := uint32(1); int(rid) <= m.Types(); rid++ {
		name, err1 := m.TypeName(rid)
		extends, err2 := m.Extends(rid)
		if err := errors.Join(err1, err2); err != nil {
			out = append(out, err.Error())
			continue
		}
		out = append(out, name+": "+extends)
	}
	return out
}

func open(t *testing.T, b []byte) *clrmeta.Metadata {
	t.Helper()
	m, err := clrmeta.New(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestNames(t *testing.T) {
	t.Parallel()
	large := orders()
	large.Classes = append(large.Classes, clrmetatest.Class{Row: 1<<16 + 1, Name: "Last", In: 2, Extends: "Orders.Ledger`1", Generic: true})
	for _, wide := range []bool{false, true} {
		a := orders()
		a.Wide = wide
		m := open(t, a.Bytes())
		want := []string{
			"<Module>: ",
			"Orders.Cache: System.Object",
			"Orders.KeyHandle: System.Runtime.InteropServices.SafeHandle",
			"a class without a name",
			"Program: Orders.Cache",
			"Orders.Cache+Entry: System.Object",
			"Orders.Cache+Entry+Key: System.Collections.Generic.Dictionary`2+KeyCollection",
			"Orders.Numbers: System.Collections.Generic.List`1",
			"Orders.Ledger`1: Orders.Cache",
			"Orders.Longs: Orders.Ledger`1",
			"Orders.IOrder: ",
		}
		if diff := cmp.Diff(want, names(m)); diff != "" {
			t.Errorf("wide %v (-want +got):\n%s", wide, diff)
		}
	}
	// So many classes make indexes wide.
	m := open(t, large.Bytes())
	name, err := m.TypeName(1<<16 + 1)
	extends, err2 := m.Extends(1<<16 + 1)
	if got := fmt.Sprint(name, " ", extends, err, err2); got != "Orders.Cache+Last Orders.Ledger`1<nil> <nil>" {
		t.Errorf("the last of many classes is %s", got)
	}
}

func TestAssembly(t *testing.T) {
	t.Parallel()
	a := orders()
	a.Module, a.NameAt = "orders.exe", 0x1234
	b := a.Bytes()
	m := open(t, b)
	assembly, err1 := m.Assembly()
	module, err2 := m.Module()
	at, err3 := m.AssemblyName()
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if assembly != "orders" || module != "orders.exe" || at != 0x1234 || !bytes.HasPrefix(b[at:], []byte("orders\x00")) {
		t.Errorf("assembly %q, module %q, name at 0x%x", assembly, module, at)
	}
	a.Name = ""
	a.NameAt = 0
	m = open(t, a.Bytes())
	if assembly, err := m.Assembly(); assembly != "" || err != nil {
		t.Errorf("a module without an assembly has %q, %v", assembly, err)
	}
	if _, err := m.AssemblyName(); err == nil {
		t.Error("a module without an assembly has the place of a name")
	}
}

// Metadata that is wrong has no names instead of wrong ones.
func TestHostile(t *testing.T) {
	t.Parallel()
	a := orders()
	good := a.Bytes()
	for _, tt := range []struct {
		name string
		bad  func(b []byte) []byte
		want string
	}{
		{"empty", func([]byte) []byte { return nil }, "not CLI metadata: no BSJB at the start"},
		{"another file", func(b []byte) []byte { return []byte(strings.Repeat("MZ", 50)) }, "not CLI metadata: no BSJB at the start"},
		{"long version", func(b []byte) []byte { b[14] = 1; return b }, "metadata root at 0xc: a version of 65548 bytes"},
		{"cut off in the stream headers", func(b []byte) []byte { return b[:40] }, "stream headers at 0x28: 4 bytes wanted, 0 left"},
		{"no tables", func(b []byte) []byte { b[bytes.IndexByte(b, '#')+1] = '!'; return b }, "not CLI metadata: no stream of tables"},
		{"tables beyond the end", func(b []byte) []byte { return b[:tables(b)+64] }, "stream headers at 0x1c: the stream of tables reaches beyond the end"},
		{"many rows", func(b []byte) []byte { b[tables(b)+24+3] = 0xff; return b }, "tables at 0x68: 4278190081 rows in table 0x00"},
		{"rows beyond the end", func(b []byte) []byte { b[tables(b)+24+6] = 0xff; return b }, "tables at 0x8a: 16711686 rows of table 0x01 reach beyond the end"},
	} {
		b := tt.bad(bytes.Clone(good))
		if m, err := clrmeta.New(bytes.NewReader(b), int64(len(b))); err == nil || m != nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

// Rows that contradict themselves, one at a time.
func TestHostileRows(t *testing.T) {
	t.Parallel()
	const nested, extendsSpec, extendsRef = 6, 8, 3 // rows of TypeDef
	a := orders()
	good := a.Bytes()
	strings := bytes.Index(good, []byte("\x00orders\x00")) // the heap
	for _, tt := range []struct {
		name string
		rid  uint32
		bad  func(b []byte)
		want string
	}{
		{"a name outside the heap", 2, func(b []byte) { put(b, typeDef(b, 2)+4, 0x7fff) }, "#Strings at 0x7fff: outside the heap"},
		{"a name with a line break", 2, func(b []byte) { b[bytes.Index(b, []byte("Cache\x00"))] = '\n' }, "#Strings at 0x1c: no name"},
		{"a name that is no text", 2, func(b []byte) { b[bytes.Index(b, []byte("Cache\x00"))] = 0xff }, "#Strings at 0x1c: no name"},
		{"a name without an end", 2, func(b []byte) { copy(b[strings+0x1c:], bytes.Repeat([]byte{'x'}, len(b))) }, "#Strings at 0x1c: a name without an end\n#Strings at 0x29: a name without an end"},
		{"nested in itself", nested, func(b []byte) { put(b, nestedClass(b, 1)+2, nested) }, "a class lies in more than 64 others"},
		{"nested nowhere", nested, func(b []byte) { put(b, nestedClass(b, 1), nested-1) }, "nothing says in which class the nested class 6 lies"},
		{"nested in a class that is not there", nested, func(b []byte) { put(b, nestedClass(b, 1)+2, 99) }, "table 0x02 has no row 99"},
		{"derived from a class that is not there", 2, func(b []byte) { put(b, typeDef(b, 2)+8, 99<<2) }, "table 0x02 has no row 99"},
		{"derived from nothing there is", 2, func(b []byte) { put(b, typeDef(b, 2)+8, 1<<2|3) }, "an index that leads to no class"},
		{"a reference that lies in itself", extendsRef, func(b []byte) { put(b, typeRef(b, 2), 2<<2|3) }, "a class lies in more than 64 others"},
		{"a signature that is none", extendsSpec, func(b []byte) { b[bytes.Index(b, []byte{0x15, 0x12})] = 0x1d }, "the signature of class 1 is of another kind"},
		{"a signature of a signature", extendsSpec, func(b []byte) { b[bytes.Index(b, []byte{0x15, 0x12})+2] = 1<<2 | 2 }, "a signature that leads to a signature"},
		{"a signature outside the heap", extendsSpec, func(b []byte) { put(b, typeDef(b, 12), 0x7fff) }, "#Blob at 0x7fff: outside the heap"}, // TypeSpec follows
	} {
		b := bytes.Clone(good)
		tt.bad(b)
		m := open(t, b)
		name, err1 := m.TypeName(tt.rid)
		extends, err2 := m.Extends(tt.rid)
		if err := errors.Join(err1, err2); err == nil || err.Error() != tt.want || err1 != nil && name != "" || err2 != nil && extends != "" {
			t.Errorf("%s: %q, %q, %v, want %s", tt.name, name, extends, err, tt.want)
		}
	}
}

func put(b []byte, at, v int) { b[at], b[at+1] = byte(v), byte(v>>8) }

// Where rows stand: all indexes have two bytes, and six tables have rows.
func typeRef(b []byte, rid int) int { return tables(b) + 24 + 6*4 + 10 + 6*(rid-1) }
func typeDef(b []byte, rid int) int {
	refs := int(b[tables(b)+24+4])
	return typeRef(b, refs+1) + 14*(rid-1)
}
func nestedClass(b []byte, rid int) int {
	classes, specs := int(b[tables(b)+24+8]), int(b[tables(b)+24+12])
	return typeDef(b, classes+1) + 2*specs + 22 + 4*(rid-1)
}

// tables is where the stream of tables begins: its header is the first.
func tables(b []byte) int {
	at := bytes.IndexByte(b, '#') - 8
	return int(b[at]) | int(b[at+1])<<8
}
