package clr_test

import (
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/clr"
)

// Whatever memory holds: a class has a name, a module and a size, and a second
// reader finds the same, in whatever order it is asked.
func FuzzClass(f *testing.F) {
	for _, ptr := range []int{8, 4} {
		for _, flags := range []bool{false, true} {
			for _, loaded := range []bool{false, true} {
				p := newProcess(ptr, flags, loaded)
				first := p.object
				p.methodTable(table{row: 3, parent: p.object, module: p.orders})
				f.Add(p.b, uint32(p.images0()), ptr == 8, uint32(first-p.base))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, imageSize uint32, wide bool, from uint32) {
		p := &process{ptr: 4, base: 0x400_0000, b: data}
		if wide {
			p.ptr, p.base = 8, 0x1_4000_0000
		}
		if imageSize > 0 {
			p.images = []image{{p.base + 4096, uint64(imageSize)}}
		}
		one, two := clr.New(p, p.ptr), clr.New(p, p.ptr)
		const words = 64
		ask := func(i int) uint64 { return p.base + uint64(from) + uint64(i*p.ptr) }
		var found [words]*clr.Class
		for i := range words {
			c := one.Class(ask(i))
			found[i] = c
			if c == nil {
				continue
			}
			if c.Name == "" || c.Module == "" || c.Assembly == "" || c.Size < p.ptr || c.Component < 0 || !utf8.ValidString(c.Name) {
				t.Errorf("%+v", c)
			}
		}
		for i := words - 1; i >= 0; i-- {
			if diff := cmp.Diff(found[i], two.Class(ask(i))); diff != "" {
				t.Errorf("in another order (-one +other):\n%s", diff)
			}
		}
	})
}

// images0 is the size of the first image, or 0.
func (p *process) images0() uint64 {
	if len(p.images) == 0 {
		return 0
	}
	return p.images[0].size
}
