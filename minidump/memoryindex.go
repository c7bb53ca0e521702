package minidump

import "sort"

// A memoryIndex says which range holds an address. Ranges may overlap and
// nest, a million in one of a hostile file, and a look-up must not try them
// one after the other: the index splits the address space where the answer
// changes, at most twice for each range.
type memoryIndex []memorySplit

type memorySplit struct {
	start VA
	entry int // in the ranges; -1 for addresses that were not captured
}

// newMemoryIndex indexes ranges by ascending start, none of them empty. Where
// they overlap, the one that starts last holds the address.
func newMemoryIndex(ranges []MemoryRange) memoryIndex {
	x := make(memoryIndex, 0, 2*len(ranges))
	var open []int // ranges that reach beyond the last split, the innermost last
	last := func(i int) VA { return ranges[i].Start + VA(ranges[i].Size-1) }
	// end splits where the innermost open range ends.
	end := func() {
		at := last(open[len(open)-1])
		for len(open) > 0 && last(open[len(open)-1]) <= at {
			open = open[:len(open)-1]
		}
		around := -1
		if len(open) > 0 {
			around = open[len(open)-1]
		}
		if at+1 != 0 { // else it ends with the address space
			x = append(x, memorySplit{at + 1, around})
		}
	}
	for i, r := range ranges {
		for len(open) > 0 && last(open[len(open)-1]) < r.Start {
			end()
		}
		if n := len(x); n > 0 && x[n-1].start == r.Start {
			x[n-1].entry = i
		} else {
			x = append(x, memorySplit{r.Start, i})
		}
		open = append(open, i)
	}
	for len(open) > 0 {
		end()
	}
	return x
}

// find returns the entry of the range that holds va, or -1.
func (x memoryIndex) find(va VA) int {
	i := sort.Search(len(x), func(i int) bool { return x[i].start > va })
	if i == 0 {
		return -1
	}
	return x[i-1].entry
}
