package minidump_test

import (
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestDecodeUTF16(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"a\x00b\x00", "ab"},
		{"a\x00\x00\x00", "a\x00"},
		{"\xe9\x00\xac\x20", "é€"},
		{"\x3d\xd8\x00\xde", "\U0001f600"},
		{"\x00\xd8", "\xed\xa0\x80"},
		{"\x00\xd8a\x00", "\xed\xa0\x80a"},
		{"\xff\xdf\x00\xd8", "\xed\xbf\xbf\xed\xa0\x80"},
		{"\x3d\xd8\x3d\xd8\x00\xde", "\xed\xa0\xbd\U0001f600"},
		{"\xfd\xff", "\ufffd"},
		{"a\x00b", "a"}, // half a character
	} {
		if got := minidump.DecodeUTF16([]byte(tt.in)); got != tt.want {
			t.Errorf("%q is %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzDecodeUTF16(f *testing.F) {
	f.Add([]byte("\x3d\xd8\x00\xdea\x00"))
	f.Add([]byte("\x00\xd8\x00\xdc\x00\xd8"))
	f.Fuzz(func(t *testing.T, p []byte) {
		p = p[:len(p)&^1]
		s := minidump.DecodeUTF16(p)
		// Nothing is lost: the text leads back to the bytes.
		var back []byte
		for i := 0; i < len(s); {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				r, n = 0xd000|rune(s[i+1]&0x3f)<<6|rune(s[i+2]&0x3f), 3
			}
			i += n
			if r > 0xffff {
				r -= 0x10000
				back = append(back, byte(r>>10), 0xd8|byte(r>>18), byte(r), 0xdc|byte(r>>8)&3)
			} else {
				back = append(back, byte(r), byte(r>>8))
			}
		}
		if diff := cmp.Diff(p, back); diff != "" && len(p) > 0 {
			t.Errorf("%q (-want +got):\n%s", s, diff)
		}
	})
}

// Names of handles that differ in a surrogate stay different.
func TestHandleNamesOfSurrogates(t *testing.T) {
	d := dumptest.Dump{HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 4, Name: "??"}, {Value: 8, Name: "??"}}}}
	for i, name := range []uint32{0xd801d800, 0xd800d801} {
		anchor := []string{"HandleData[0].ObjectName", "HandleData[1].ObjectName"}[i]
		d.Patches = append(d.Patches, dumptest.PutU32(anchor, 4, name))
	}
	data, err := build(t, d).HandleData()
	if err != nil {
		t.Fatal(err)
	}
	handles, err := data.Slice()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"\xed\xa0\x80\xed\xa0\x81", "\xed\xa0\x81\xed\xa0\x80"}
	if diff := cmp.Diff(want, []string{handles[0].ObjectName, handles[1].ObjectName}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
