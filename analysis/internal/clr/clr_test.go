package clr_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/clr"
	"github.com/dumpscan/dumpscan/analysis/internal/clrmeta/clrmetatest"
)

// forms are the processes there are.
func forms(t *testing.T, test func(t *testing.T, p *process)) {
	t.Parallel()
	for _, ptr := range []int{8, 4} {
		for _, flags := range []bool{false, true} {
			for _, loaded := range []bool{true, false} {
				t.Run(fmt.Sprintf("%d bits, token in flags %v, images %v", 8*ptr, flags, loaded), func(t *testing.T) {
					test(t, newProcess(ptr, flags, loaded))
				})
			}
		}
	}
}

func (p *process) want(t *testing.T, at uint64, want *clr.Class) {
	t.Helper()
	if diff := cmp.Diff(want, p.class(at)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestClass(t *testing.T) {
	forms(t, func(t *testing.T, p *process) {
		p.want(t, p.object, &clr.Class{Name: "System.Object", Module: "System.Private.CoreLib.dll", Assembly: "System.Private.CoreLib", Size: 2 * p.ptr})
		entry := p.methodTable(table{row: 3, base: 5 * p.ptr, parent: p.object, module: p.orders, flags: 0x00100000})
		p.want(t, entry, &clr.Class{Name: "Orders.Cache+Entry", Module: "orders.dll", Assembly: "orders", Size: 4 * p.ptr})
		late := p.methodTable(table{row: 4, base: 6 * p.ptr, parent: entry, module: p.orders})
		p.want(t, late, &clr.Class{Name: "Orders.Late", Module: "orders.dll", Assembly: "orders", Size: 5 * p.ptr})
		text := p.methodTable(table{row: 7, base: 2*p.ptr + 6, parent: p.object, module: p.core, flags: 0x80000002})
		p.want(t, text, &clr.Class{Name: "System.String", Module: "System.Private.CoreLib.dll", Assembly: "System.Private.CoreLib", Size: p.ptr + 6, Component: 2})
	})
}

func TestArray(t *testing.T) {
	forms(t, func(t *testing.T, p *process) {
		array := p.methodTable(table{row: 6, parent: p.object, module: p.core})
		entry := p.methodTable(table{row: 3, parent: p.object, module: p.orders})
		name := func(at uint64) string {
			c := p.class(at)
			if c == nil {
				return ""
			}
			return fmt.Sprintf("%s %s %d", c.Name, c.Module, c.Component)
		}
		of := func(element uint64, dimensions int) uint64 {
			flags := uint32(0x800a0000)
			if dimensions > 0 {
				flags = 0x80080000
			}
			return p.methodTable(table{flags: flags | uint32(p.ptr), base: 3*p.ptr + 8*dimensions, parent: array, module: p.core, slots: []uint64{element}})
		}
		entries := of(entry, 0)
		for _, tt := range []struct {
			at   uint64
			want string
		}{
			{entries, fmt.Sprintf("Orders.Cache+Entry[] orders.dll %d", p.ptr)},
			{of(entries, 0), fmt.Sprintf("Orders.Cache+Entry[][] orders.dll %d", p.ptr)},
			{of(entry, 2), fmt.Sprintf("Orders.Cache+Entry[,] orders.dll %d", p.ptr)},
			{of(entry|2, 0), ""}, // a TypeDesc: a pointer, a type parameter
			{of(0, 0), ""},
			{p.methodTable(table{flags: 0x800a0008, parent: p.object, module: p.core, slots: []uint64{entry}}), ""}, // derived from another class
		} {
			if got := name(tt.at); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		}
	})
}

// Precompiled code has distances to modules and cells with the addresses of
// parents.
func TestPrecompiled(t *testing.T) {
	forms(t, func(t *testing.T, p *process) {
		want := &clr.Class{Name: "Orders.Cache", Module: "orders.dll", Assembly: "orders", Size: 2 * p.ptr}
		at := p.methodTable(table{row: 2, parent: p.object})
		p.put(at+16+uint64(p.ptr), p.orders-(at+16+uint64(p.ptr))) // negative
		p.want(t, at, want)
		cell := p.add(make([]byte, 8), 8)
		p.put(cell, p.object)
		p.want(t, p.methodTable(table{row: 2, flags: 0x00800000, parent: cell, module: p.orders}), want)
		p.want(t, p.methodTable(table{row: 2, flags: 0x00800000, parent: cell - 16, module: p.orders}), want)
		p.want(t, p.methodTable(table{row: 2, parent: cell, module: p.orders}), nil)
	})
}

// A generic class up to .NET 7 has the module that made it, the one of its
// definition in a slot of the canonical MethodTable.
func TestGenericOverride(t *testing.T) {
	t.Parallel()
	const generic = 0x10
	for _, ptr := range []int{8, 4} {
		for _, tt := range []struct {
			name     string
			slots    uint16
			virtuals int
			at       int // of the module among the slots
		}{
			{"alone", 0x10, 3, 0},
			{"behind the arguments", 0x11, 3, 1},
			{"behind the interfaces' place", 0x12, 3, 0},
			{"behind a dispatch map", 0x14, 3, 1},
			{"behind both fixed places", 0x13, 9, 2 + 2},
			{"behind all", 0x1f, 17, 2 + 3 + 2},
			{"one place left for a dispatch map", 0x15, 4, 2 + 1},
		} {
			p := newProcess(ptr, false, true)
			slots := make([]uint64, 12)
			slots[tt.at] = p.core
			canonical := p.methodTable(table{flags: generic, more: tt.slots, virtuals: tt.virtuals, row: 20, parent: p.object, module: p.orders, slots: slots})
			want := &clr.Class{Name: "System.Collections.Generic.List`1", Module: "System.Private.CoreLib.dll", Assembly: "System.Private.CoreLib", Size: 2 * ptr}
			if diff := cmp.Diff(want, p.class(canonical)); diff != "" {
				t.Errorf("%s, %d bits: (-want +got):\n%s", tt.name, 8*ptr, diff)
			}
			cell := p.add(make([]byte, 8), 8)
			p.put(cell, canonical)
			for _, to := range []uint64{canonical | 1, canonical | 2, cell | 3} {
				at := p.methodTable(table{flags: generic, row: 20, parent: p.object, module: p.orders, canonical: to})
				if diff := cmp.Diff(want, p.class(at)); diff != "" {
					t.Errorf("%s, %d bits, by the canonical one: (-want +got):\n%s", tt.name, 8*ptr, diff)
				}
			}
			// A class that is derived from it names it in a signature.
			numbers := p.methodTable(table{row: 6, parent: canonical, module: p.orders})
			if c := p.class(numbers); c == nil || c.Name != "Orders.Numbers" {
				t.Errorf("%s, %d bits: what is derived from it is %v", tt.name, 8*ptr, c)
			}
		}
	}
}

// What contradicts itself has no name.
func TestContradictions(t *testing.T) {
	forms(t, func(t *testing.T, p *process) {
		entry := p.methodTable(table{row: 3, parent: p.object, module: p.orders})
		copied := p.add(make([]byte, 64*8), 8) // a Module whose name is a copy
		p.put(copied+uint64(p.ptr), p.add([]byte("orders\x00"), 8))
		loop := p.methodTable(table{row: 3, module: p.orders})
		p.put(loop+16, loop)
		long := p.object
		for range 400 {
			long = p.methodTable(table{row: 2, parent: long, module: p.orders})
		}
		for _, tt := range []struct {
			name string
			at   uint64
		}{
			{"no address", 0},
			{"outside of memory", 0x6666_6660},
			{"no multiple of a pointer", entry + 2},
			{"an odd size", p.methodTable(table{row: 3, base: 3*p.ptr + 1, parent: p.object, module: p.orders})},
			{"too small", p.methodTable(table{row: 3, base: 2 * p.ptr, parent: p.object, module: p.orders})},
			{"too large", p.methodTable(table{row: 3, base: 1 << 30, parent: p.object, module: p.orders})},
			{"a row that is not there", p.methodTable(table{row: 50, parent: p.object, module: p.orders})},
			{"a row without a class", p.methodTable(table{row: 7, parent: p.object, module: p.orders})},
			{"another parent", p.methodTable(table{row: 4, parent: p.object, module: p.orders})},
			{"a parent of another row", p.methodTable(table{row: 2, parent: entry, module: p.orders})},
			{"no parent", p.methodTable(table{row: 3, module: p.orders})},
			{"no parent, and of the core", p.methodTable(table{row: 7, module: p.core})},
			{"a parent of itself", loop},
			{"four hundred parents", long},
			{"no module", p.methodTable(table{row: 3, parent: p.object})},
			{"a module that is none", p.methodTable(table{row: 3, parent: p.object, module: entry})},
			{"a module with a copied name", p.methodTable(table{row: 3, parent: p.object, module: copied})},
			{"generic by its flags alone", p.methodTable(table{flags: 0x10, row: 3, parent: p.object, module: p.orders})},
			{"generic by its name alone", p.methodTable(table{row: 5, parent: p.object, module: p.orders})},
		} {
			if c := p.class(tt.at); c != nil {
				t.Errorf("%s: %+v", tt.name, c)
			}
		}
		if c := p.class(entry); c == nil {
			t.Error("the class that the others are made from has no name")
		}
	})
}

// System.Object counts in the core library alone.
func TestObjectElsewhere(t *testing.T) {
	t.Parallel()
	p := newProcess(8, false, true)
	other := p.assembly(clrmetatest.Assembly{Name: "fake", Classes: []clrmetatest.Class{{Row: 5, Namespace: "System", Name: "Object"}}}, true, 1)
	object := p.methodTable(table{row: 5, module: other})
	if c := p.class(object); c != nil {
		t.Errorf("%+v", c)
	}
	if c := p.class(p.methodTable(table{row: 3, parent: object, module: p.orders})); c != nil {
		t.Errorf("what is derived from it: %+v", c)
	}
}

// Where both places of a token give a class, nobody knows which it is.
func TestTwoTokens(t *testing.T) {
	t.Parallel()
	p := &process{ptr: 8, base: 0x1_4000_0000}
	p.add(make([]byte, 64), 8)
	p.core = p.assembly(clrmetatest.Assembly{Name: "mscorlib", Classes: []clrmetatest.Class{
		{Row: 1 << 8, Namespace: "System", Name: "Object"}, {Row: 1, Namespace: "System", Name: "Object"},
		{Row: 2, Name: "One", Extends: "System.Object"}, {Row: 2 << 8, Name: "Other", Extends: "System.Object"},
		{Row: 3, Name: "Same", Extends: "System.Object"}, {Row: 3 << 8, Name: "Same", Extends: "System.Object"},
	}}, true, 1)
	object := p.methodTable(table{row: 1, module: p.core})
	if c := p.class(p.methodTable(table{row: 2, parent: object, module: p.core})); c != nil {
		t.Errorf("two names: %+v", c)
	}
	if c := p.class(p.methodTable(table{row: 3, parent: object, module: p.core})); c == nil || c.Name != "Same" {
		t.Errorf("one name twice: %+v", c)
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		class         clr.Class
		offset, bytes int
		want          bool
	}{
		{clr.Class{Size: 24}, 8, 8, true},
		{clr.Class{Size: 24}, 16, 8, true},
		{clr.Class{Size: 24}, 24, 8, false},
		{clr.Class{Size: 24}, 20, 8, false},
		{clr.Class{Size: 24}, 0, 8, false},
		{clr.Class{Size: 24}, -8, 8, false},
		{clr.Class{Size: 16, Component: 8}, 64, 8, true},
		{clr.Class{Size: 16, Component: 2}, 64, 8, false},
	} {
		if got := tt.class.Holds(tt.offset, tt.bytes); got != tt.want {
			t.Errorf("%+v at %d, %d bytes: %v", tt.class, tt.offset, tt.bytes, got)
		}
	}
}

func TestFramework(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"mscorlib": true, "System": true, "System.Private.CoreLib": true, "Microsoft.Win32.Primitives": true, "WindowsBase": true,
		"orders": false, "Systematic": false, "": false, "Contoso.System": false,
	} {
		if got := clr.Framework(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
