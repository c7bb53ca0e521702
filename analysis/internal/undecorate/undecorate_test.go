package undecorate

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	tests := []struct{ decorated, name string }{
		{"", ""},
		{"main", "main"},
		{"RegSetValueW", "RegSetValueW"},
		{"?", "?"},
		{"?Run@Task@ns@@QEAAXXZ", "ns::Task::Run"},
		{"?Run@Task@ns@@QEAAXXZtrailing", "?Run@Task@ns@@QEAAXXZtrailing"},
		{"?Run@Task@ns@@QEAAXX", "?Run@Task@ns@@QEAAXX"},
		{"?f@f@a@@YAXU1@@Z", "a::f::f"}, // a name is remembered once
		{"??_7X@@6B@", "X::`vftable'"},
		{".?AVFoo@ns@@", "ns::Foo"},
		{".?AW4Color@@", "Color"},
		{"??_R0?AVFoo@@@8", "Foo `RTTI Type Descriptor'"},
		{"??@0f1e2d3c4b5a69788796a5b4c3d2e1f0@", "??@0f1e2d3c4b5a69788796a5b4c3d2e1f0@"},

		// Anonymous namespaces: what clang writes, what Visual C++ writes, and what could be of either, where that makes
		// no difference to the name and where it does.
		{"?f@I@?A0x12@n@@QEAAXPEAU1?A0x12@2@@Z", "n::`anonymous namespace'::I::f"},
		{"?f@I@?A0x12@n@@QEAAXPEAU123@@Z", "n::`anonymous namespace'::I::f"},
		{"?f@I@?A0x12@n@m@@QEAAXPEAUJ@2@@Z", "m::n::`anonymous namespace'::I::f"},
		{"??BI@?A0x12@n@m@@QEBAPEAUJ@1@XZ", "??BI@?A0x12@n@m@@QEBAPEAUJ@1@XZ"},

		// The same in the qualified names of symbol records.
		{"?A0x1b2c3d4e::helper", "`anonymous namespace'::helper"},
		{"n::?A0x1b2c3d4e::I::f", "n::`anonymous namespace'::I::f"},
		{"std::vector<?A0x12ab::Item,std::allocator<?A0x12ab::Item> >::push", "std::vector<`anonymous namespace'::Item,std::allocator<`anonymous namespace'::Item> >::push"},
		{"?A0xhelper::f", "?A0xhelper::f"},
		{"?f@?A0x12::g", "?f@?A0x12::g"},

		// What Visual C++ makes besides, with the readings of llvm-undname where it has one.
		{"?main@@$$FYAHXZ", "main"}, // managed
		{"?f@@$$J0YAXXZ", "f"},      // extern "C"
		{"?x@?1??f@@9@4HA", "`f'::`2'::x"},
		{"??$?BH@Foo@@QAEHXZ", "Foo::operator<int> int"},
		{"??$?BH@Foo@@QAEPAHXZ", "Foo::operator<int> int *"},
		{"??$?B$$A6AHI@Z@T@@QBEP6AHI@ZXZ", "T::operator<int __cdecl(unsigned int)> int (__cdecl *)(unsigned int)"},
		{"??BFoo@@QAEP6AHI@ZXZ", "Foo::operator int (__cdecl *)(unsigned int)"},
		{"??__Ex@@YAXXZ", "`dynamic initializer for 'x''"},
		{"??__E?x@Y@@2HA@@YAXXZ", "`dynamic initializer for `Y::x''"},
		{"??__F?x@Y@@0V1@A@@YAXXZ", "`dynamic atexit destructor for `Y::x''"},
		{"??__E?inst@?1??get@Y@@SAAAV2@XZ@4V2@A@@YAXXZ", "`dynamic initializer for ``Y::get'::`2'::inst''"},
		{"??__E?x@Y@@QAEXXZ@@YAXXZ", "??__E?x@Y@@QAEXXZ@@YAXXZ"}, // of a function
		{"??__E?x@Y@@2HA@YAXXZ", "??__E?x@Y@@2HA@YAXXZ"},
		{"?f@@YA?A_PXZ", "f"},
		{"?f@@YA?A_TXZ", "f"},
		{"??$f@_P@@YAXXZ", "f<auto>"},
		{"?f@@YA?A?<auto>@@XZ", "f"},
		{"??R<lambda_1>@@QBE?A?<auto>@@H@Z", "<lambda_1>::operator()"},
		{"??$f@$MH04@@YAXXZ", "f<5>"},
		{"??$f@$M$$T0A@@@YAXXZ", "f<0>"},
		{"??$f@$MPEAH1?x@@3HA@@YAXXZ", "f<&x>"},
		{"??$f@$MHH@@YAXXZ", "??$f@$MHH@@YAXXZ"},
		{"??_9X@@$BA@AA", "X::`vcall'{0,{flat}}"},
		{"??_9X@@$BIA@AE", "X::`vcall'{128,{flat}}"},
		{"??_9X@@$B7AE", "X::`vcall'{8,{flat}}"},
		{"??_9X@@$B7BE", "??_9X@@$B7BE"},
		{"??_B?1??f@@YAXXZ@51", "`f'::`2'::`local static guard'{2}"},
		{"??_B?1??f@@YAXXZ@4IA", "`f'::`2'::`local static guard'"},
		{"??_B?1??f@@YAXXZ@5", "`f'::`2'::`local static guard'"},
		{"??__J?1??f@@YAXXZ@51", "`f'::`2'::`local static thread guard'{2}"},
		{"??_B?1??f@@YAXXZ@6", "??_B?1??f@@YAXXZ@6"},
		{"??_KX@@QAEXXZ", "X::`virtual displacement map'"},
		{"??_TX@@QAEXXZ", "X::`local vftable constructor closure'"},
		{"??_7X@@6BA@@B@C@@@", "X::`vftable'{for `A's `C::B'}"},
		{"??_7X@ns@@6BA@1@B@1@@", "ns::X::`vftable'{for `ns::A's `ns::B'}"},
		{"??_7X@@6BA@@", "??_7X@@6BA@@"},

		// Itanium, as MinGW makes them, with the underscore of 32-bit Windows too, and both forms of Rust.
		{"_ZN2ns4Task3RunEi", "ns::Task::Run"},
		{"__ZN2ns4Task3RunEi", "ns::Task::Run"},
		{"_ZN2ns4RingIiLj8EE4pushEi", "ns::Ring<int, 8u>::push"},
		{"_ZN3std2io5Write9write_all17h0123456789abcdefE", "std::io::Write::write_all"},
		{"_RNvCs1234_7mycrate3foo", "mycrate::foo"},
		{"_ZN", "_ZN"},
		{"_Z", "_Z"},
	}
	for _, test := range tests {
		if got := Name(test.decorated); got != test.name {
			t.Errorf("%s is %q, want %q", test.decorated, got, test.name)
		}
	}
}

func TestNameX86(t *testing.T) {
	tests := map[string]string{
		"_main":                   "main",
		"_RegSetValueW@24":        "RegSetValueW",
		"@RtlpFree@12":            "RtlpFree",
		"blend@@48":               "blend",
		"main":                    "main",
		"_":                       "_",
		"@4":                      "@4",
		"_x@":                     "_x@",
		"?Run@Task@ns@@QAEXXZ":    "ns::Task::Run",
		"?broken@@":               "?broken@@",
		"__ZN2ns4Task3RunEi":      "ns::Task::Run",
		"??_C@_01FJMABOPO@x?$AA@": "??_C@_01FJMABOPO@x?$AA@",
		"__imp__RegCloseKey@4":    "_imp__RegCloseKey",
		"__real@3f800000":         "__real@3f800000", // a constant of the compiler's
	}
	for decorated, want := range tests {
		if got := NameX86(decorated); got != want {
			t.Errorf("NameX86(%q) = %q, want %q", decorated, got, want)
		}
	}
}

// TestBounds: names that nest deeply or double with every back reference stay raw, and do so at once.
func TestBounds(t *testing.T) {
	deep := "?f@@YAX" + strings.Repeat("PEA", 100_000) + "H@Z"
	if got := Name(deep); got != deep {
		t.Errorf("deep pointers gave %.40q", got)
	}
	nested := "?f@" + strings.Repeat("?1??g@", 50_000)
	if got := Name(nested); got != nested {
		t.Errorf("nested scopes gave %.40q", got)
	}
	// Every type has a parameter list with its predecessor ten times.
	doubling := "?f@@YAX" + "PEAUabcdefghijklmnopqrstuvwxyz@@"
	for i := range 9 {
		doubling += "P6AX" + strings.Repeat(string(rune('0'+i)), 10) + "@Z"
	}
	doubling += "@Z"
	if got := Name(doubling); got != doubling {
		t.Errorf("doubling types gave %.40q, %d bytes", got, len(got))
	}
	if sane := "?f@@YAXP6AX" + strings.Repeat("PEAH", 50) + "@Z@Z"; Name(sane) != "f" {
		t.Errorf("a long list of parameters gave %q", Name(sane))
	}
}
