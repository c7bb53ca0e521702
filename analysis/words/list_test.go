package words

import "testing"

func TestPlural(t *testing.T) {
	compare(t, []said{
		{"one", Plural(1, "handle"), "1 handle"},
		{"none", Plural(uint64(0), "handle"), "0 handles"},
		{"minus one", Plural(-1, "handle"), "-1 handles"},
		{"separators", Plural(65_602, "handle"), "65,602 handles"},
		{"entry", Plural(2, "entry"), "2 entries"},
		{"key", Plural(2, "key"), "2 keys"},
		{"close", Plural(2, "close"), "2 closes"},
		{"process", Plural(2, "process"), "2 processes"},
		{"breach", Plural(2, "breach"), "2 breaches"},
		{"crash", Plural(2, "crash"), "2 crashes"},
		{"mutex", Plural(2, "mutex"), "2 mutexes"},
		{"two words", Plural(2, "bad reference"), "2 bad references"},
		{"more", Plural(1, "more group"), "1 more group"},
	})
}

func TestLists(t *testing.T) {
	compare(t, []said{
		{"once", Times(1), "once"},
		{"twice", Times(2), "2 times"},
		{"often", Times(uint64(1234)), "1,234 times"},
		{"some", Of(235, 1639, "operation"), "235 of 1,639 operations"},
		{"of one", Of(0, 1, "handle"), "0 of 1 handle"},
		{"one more", More(1, "group"), "… and 1 more group"},
		{"many more", More(1234, "entry"), "… and 1,234 more entries"},
		{"empty list", List(), ""},
		{"list of one", List("a"), "a"},
		{"list of two", List("a", "b"), "a and b"},
		{"list of four", List("a", "b", "c", "d"), "a, b, c and d"},
		{"choice of one", Choice("a"), "a"},
		{"choice of three", Choice("a", "b", "c"), "a, b or c"},
		{"all values", HexList([]uint64{4, 8}, 2), "0x4, 0x8"},
		{"some values", HexList([]uint32{4, 8, 12}, 2), "0x4, 0x8 …"},
		{"no values", HexList([]uint64{}, 2), ""},
		{"none shown", HexList([]uint64{4}, 0), "…"},
	})
}

func TestNames(t *testing.T) {
	type va uint64
	compare(t, []said{
		{"hex", Hex(uint32(0x7e0)), "0x7e0"},
		{"hex of 0", Hex(0), "0x0"},
		{"hex of an address", Hex(va(0xfffff80012345678)), "0xfffff80012345678"},
		{"hex below 0", Hex(int32(-2147483648)), "-0x80000000"},
		{"offset", Offset(24), "+0x18"},
		{"offset 0", Offset(0), "+0x0"},
		{"offset below 0", Offset(-8), "-0x8"},
		{"module", InModule("MyCustomDll", va(0x3070)), "MyCustomDll+0x3070"},
		{"type", Type("Key"), "Key"},
		{"no type", Type(""), "None"},
		{"name", Name(`\Device\Afd`), `\Device\Afd`},
		{"no name", Name(""), "<none>"},
		{"kind", Kind("File", `\Device\Afd`), `File \Device\Afd`},
		{"kind without name", Kind("Key", ""), "Key without name"},
		{"kind without anything", Kind("", ""), "None without name"},
	})
}
