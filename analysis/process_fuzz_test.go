package analysis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
)

// FuzzReadPEBs: what the memory of a process has in place of a TEB and a PEB is
// read twice in the same way, and unfolds to little.
func FuzzReadPEBs(f *testing.F) {
	for _, pointer := range []int{4, 8} {
		s := newScene(0x7efd0000, 0x8000, pointer)
		s.process()
		f.Add(s.data, pointer == 8)
	}
	f.Fuzz(func(t *testing.T, memory []byte, wide bool) {
		s := &scene{base: 0x7efd0000, data: memory, pointer: 4}
		if wide {
			s.pointer = 8
		}
		data := s.dump().Bytes()
		d := testdump.Bytes(t, data)
		pebs, err := analysis.ReadPEBs(d)
		if (err != nil) != (len(pebs) == 0) {
			t.Fatalf("%d PEBs, error %v", len(pebs), err)
		}
		again, _ := analysis.ReadPEBs(d)
		if diff := cmp.Diff(fmt.Sprintf("%+v", deref(pebs)), fmt.Sprintf("%+v", deref(again))); diff != "" {
			t.Errorf("twice (-want +got):\n%s", diff)
		}
		for _, p := range pebs {
			size := 0
			if p.Parameters != nil {
				size += len(strings.Join(p.Parameters.Variables, ""))
			}
			if p.Loader != nil {
				for _, m := range p.Loader.Modules {
					if m.Path != nil {
						size += len(*m.Path)
					}
				}
			}
			if size > 8*len(data) { // a character of two bytes may become three
				t.Errorf("a file of %d bytes unfolds to %d", len(data), size)
			}
		}
	})
}

// deref is what PEBs lead to.
func deref(pebs []analysis.PEB) (all []any) {
	for _, p := range pebs {
		if p.Loader != nil {
			for _, m := range p.Loader.Modules {
				all = append(all, m.Base, m.Path == nil)
			}
		}
		if p.Parameters != nil {
			all = append(all, p.Parameters.Variables)
		}
		all = append(all, p.Missing, p.Problems, p.Heaps)
	}
	return all
}
