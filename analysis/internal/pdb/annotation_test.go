package pdb_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/pdb/pdbtest"
)

// TestAnnotations runs the programs that say which code of a function an inlined
// call has, and of which lines. The call is to a function of a.c, line 100; file 8
// is b.h.
func TestAnnotations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		program []byte
		want    map[uint32]string // lines by offset; the offsets around are not the call's
	}{
		{"nothing", nil, nil},
		{"an end", []byte{0, 3, 4, 4, 4}, nil},
		{"offset and length", []byte{3, 4, 4, 2}, map[uint32]string{4: "a.c:100", 5: "a.c:100"}},
		{"offset from the base", []byte{1, 4, 4, 2}, map[uint32]string{4: "a.c:100", 5: "a.c:100"}},
		{"base of offsets", []byte{2, 8, 3, 1, 4, 2}, map[uint32]string{9: "a.c:100", 10: "a.c:100"}},
		{"line forwards", []byte{6, 4, 3, 4, 4, 1}, map[uint32]string{4: "a.c:102"}},
		{"line backwards", []byte{6, 5, 3, 4, 4, 1}, map[uint32]string{4: "a.c:98"}},
		{"file", []byte{5, 8, 3, 4, 4, 1}, map[uint32]string{4: "b.h:100"}},
		{"offset and line", []byte{11, 0x24, 4, 1}, map[uint32]string{4: "a.c:101"}}, // the upper bits are the line
		{"offset and line backwards", []byte{11, 0x34, 4, 1}, map[uint32]string{4: "a.c:99"}},
		{"length and offset", []byte{12, 2, 5}, map[uint32]string{5: "a.c:100", 6: "a.c:100"}},
		{"two rows", []byte{3, 4, 6, 2, 3, 2, 4, 1}, map[uint32]string{4: "a.c:100", 5: "a.c:100", 6: "a.c:101"}},
		{"two rows in one step each", []byte{11, 4, 11, 0x22, 4, 1}, map[uint32]string{4: "a.c:100", 5: "a.c:100", 6: "a.c:101"}},
		{"a gap", []byte{3, 4, 4, 1, 6, 2, 3, 2, 4, 1}, map[uint32]string{4: "a.c:100", 7: "a.c:101"}},
		{"closed by a length with offset", []byte{3, 4, 12, 1, 3}, map[uint32]string{4: "a.c:100", 5: "a.c:100", 6: "a.c:100", 7: "a.c:100"}},
		{"two bytes", []byte{3, 0x80, 4, 4, 0x80, 1}, map[uint32]string{4: "a.c:100"}},
		{"four bytes", []byte{3, 0xc0, 0, 0, 4, 4, 0xc0, 0, 0, 1}, map[uint32]string{4: "a.c:100"}},
		{"largest of two bytes", []byte{6, 0xbf, 0xfe, 3, 4, 4, 1}, map[uint32]string{4: "a.c:8291"}},
		{"of three bytes set", []byte{6, 0xc0, 0x01, 0x02, 0x04, 3, 4, 4, 1}, map[uint32]string{4: "a.c:33126"}},
		{"no number", []byte{3, 0xe0, 4, 4}, nil},
		{"cut in a number", []byte{3, 4, 4, 0x80}, nil},
		{"cut before a number", []byte{3, 4, 4}, nil},
		{"unknown operation", []byte{9, 1, 3, 4, 4, 1}, map[uint32]string{4: "a.c:100"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := sample()
			p.Modules[0].Procs[1].Sites = []pdbtest.Site{{Inlinee: 0x1000, Annotations: tt.program}}
			p.Functions = []pdbtest.FuncID{{Name: "f", File: `c:\src\a.c`, Line: 100}}
			f := open(t, p.Bytes())
			got := map[uint32]string{}
			for off := range uint32(16) {
				s, _, err := f.Lookup(0x1040 + off)
				if err != nil {
					t.Errorf("offset %d: %v", off, err)
				}
				for _, frame := range s.Inlined {
					got[off] += fmt.Sprintf("%s:%d", frame.File[max(0, len(frame.File)-3):], frame.Line)
				}
			}
			if tt.want == nil {
				tt.want = map[uint32]string{}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%v (-want +got):\n%s", tt.program, diff)
			}
		})
	}
}
