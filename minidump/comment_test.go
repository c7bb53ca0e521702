package minidump_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestComments(t *testing.T) {
	ansi, wide := "leaks since Tuesday", "undicht seit Dienstag – 日本"
	for _, tt := range []struct {
		name string
		dump dumptest.Dump
		want []string
	}{
		{"none", dumptest.Dump{}, nil},
		{"ANSI", dumptest.Dump{CommentA: &ansi}, []string{ansi}},
		{"Unicode", dumptest.Dump{CommentW: &wide}, []string{wide}},
		{"both", dumptest.Dump{CommentA: &ansi, CommentW: &wide}, []string{ansi, wide}},
		{"without terminators", dumptest.Dump{Streams: []dumptest.RawStream{
			{Type: dumptest.CommentStreamA, Data: []byte("abc")}, {Type: dumptest.CommentStreamW, Data: []byte("d\x00e\x00")},
		}}, []string{"abc", "de"}},
		{"more behind the terminators", dumptest.Dump{Streams: []dumptest.RawStream{
			{Type: dumptest.CommentStreamA, Data: []byte("abc\x00d")}, {Type: dumptest.CommentStreamW, Data: []byte("d\x00\x00\x00e\x00")},
		}}, []string{"abc", "d"}},
		{"half a character", dumptest.Dump{Streams: []dumptest.RawStream{{Type: dumptest.CommentStreamW, Data: []byte("d\x00e")}}}, []string{"d"}},
		{"no UTF-8", dumptest.Dump{Streams: []dumptest.RawStream{{Type: dumptest.CommentStreamA, Data: []byte("a\xffb")}}}, []string{"a\uFFFDb"}},
		{"empty", dumptest.Dump{Streams: []dumptest.RawStream{{Type: dumptest.CommentStreamA}}}, []string{""}},
		{"an empty one in front", dumptest.Dump{Streams: []dumptest.RawStream{
			{Type: dumptest.CommentStreamA}, {Type: dumptest.CommentStreamA, Data: []byte("good")},
		}}, []string{"good"}},
	} {
		got, err := build(t, tt.dump).Comments()
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tt.name, err, diff)
		}
	}
	d := dumptest.Dump{NoSystemInfo: true, CommentW: &wide}
	d.TruncateAt = int64(len(d.Bytes())) - 8
	got, err := build(t, d).Comments()
	if diff := cmp.Diff([]string{"undicht seit Dienstag –"}, got); diff != "" || err == nil || !strings.Contains(err.Error(), "CommentStreamW") {
		t.Errorf("cut: %v (-want +got):\n%s", err, diff)
	}
	d = dumptest.Dump{NoSystemInfo: true, CommentA: &ansi, CommentW: &wide}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	got, err = openFaulty(t, faulty{data: d.Bytes(), bad: layout["CommentW"], end: layout["End"]}).Comments()
	if diff := cmp.Diff([]string{ansi}, got); diff != "" || !errors.Is(err, errBadSector) {
		t.Errorf("a bad sector: %v (-want +got):\n%s", err, diff)
	}
}
