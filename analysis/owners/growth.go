package owners

import (
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// Compare finds the owners of an earlier dump of the same process, looked for
// with the same options, among those of r, and sets their Earlier. What holds
// more handles of an accused set than it did is where they pile up.
func (r *Report) Compare(earlier *Report) {
	for i := range r.Owners {
		o := &r.Owners[i]
		held := 0
		for j := range earlier.Owners {
			if e := &earlier.Owners[j]; o.same(e) {
				held = max(held, e.Handles)
			}
		}
		o.Earlier = &held
	}
}

// same reports whether e is the owner in an earlier dump. An array in the heap
// moves when it grows; that of the same form is taken for it.
func (o *Owner) same(e *Owner) bool {
	if o.Type != e.Type || o.Label != e.Label || o.Kind != e.Kind || o.Width != e.Width {
		return false
	}
	switch o.Kind {
	case KindArray:
		return o.Stride == e.Stride
	case KindGlobal:
		return o.Module == e.Module && o.Stride == e.Stride && o.ModuleOffset < e.end() && e.ModuleOffset < o.end()
	case KindRecord:
		return o.Constant == e.Constant && o.distance() == e.distance()
	}
	return o.Module == e.Module && o.ModuleOffset == e.ModuleOffset && (o.Module != "" || o.Address == e.Address) &&
		o.distance() == e.distance()
}

// distance is from the word to the handle, in bytes.
func (o *Owner) distance() int { return o.FieldOffset - o.WordOffset }

// end is where the cells of a global end.
func (o *Owner) end() uint64 { return o.ModuleOffset + uint64(o.Stride*o.Instances) }

// Growth says how many handles the owner held in the earlier dump, without a
// full stop; "" if there is none. file is what that dump is called.
func (o *Owner) Growth(file string) string {
	if o.Earlier == nil {
		return ""
	}
	if *o.Earlier == 0 {
		return fmt.Sprintf("%s hold %s of them, and in %s held none that could be told from chance", o.Name(), words.Count(o.Handles), file)
	}
	return fmt.Sprintf("%s held %s of them in %s, now %s", o.Name(), words.Count(*o.Earlier), file, words.Count(o.Handles))
}
