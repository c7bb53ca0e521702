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
