package dumpfile

import "testing"

func TestSplitName(t *testing.T) {
	isFile := func(files ...string) func(string) bool {
		return func(name string) bool {
			for _, f := range files {
				if f == name {
					return true
				}
			}
			return false
		}
	}
	for _, tt := range []struct {
		name         string
		files        func(string) bool
		file, member string
	}{
		{"x.zip:w.dmp", isFile("x.zip"), "x.zip", "w.dmp"},
		{`C:\x.zip:w.dmp`, isFile(`C:\x.zip`, "C"), `C:\x.zip`, "w.dmp"},
		{`C:\x.zip`, isFile("C"), "", ""},
		{`a:\x.zip`, isFile("a"), "", ""},
		{`z:\x.zip`, isFile("z"), "", ""},
		{`A:/x.zip`, isFile("A"), "", ""},
		{`Z:/x.zip`, isFile("Z"), "", ""},
		{`@:/x`, isFile("@"), "@", "/x"},
		{"`:/x", isFile("`"), "`", "/x"},
		{`[:/x`, isFile("["), "[", "/x"},
		{`{:\x`, isFile("{"), "{", `\x`},
		{`1:/x`, isFile("1"), "1", "/x"},
		{"c:/x.zip:a/w.dmp", isFile("c:/x.zip"), "c:/x.zip", "a/w.dmp"},
		{"c:x.zip:w.dmp", isFile("c:x.zip"), "c:x.zip", "w.dmp"},
		{"c:w.dmp", isFile("c"), "c", "w.dmp"},
		{"x.zip:12:30.dmp", isFile("x.zip"), "x.zip", "12:30.dmp"},
		{"a:b.zip:w", isFile("a", "a:b.zip"), "a:b.zip", "w"},
		{"x.zip:", isFile("x.zip"), "", ""},
		{":x", isFile(""), "", ""},
		{"-:w.dmp", isFile(), "-", "w.dmp"},
		{"x.dmp", isFile("x.dmp"), "", ""},
	} {
		file, member, ok := splitName(tt.name, tt.files)
		if file != tt.file || member != tt.member || ok != (tt.file != "") {
			t.Errorf("splitName(%q) = %q, %q, %v, want %q, %q", tt.name, file, member, ok, tt.file, tt.member)
		}
	}
}
