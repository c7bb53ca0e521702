package owners

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// A vaSpan is a piece of the address space, from start up to but without end.
type vaSpan struct{ start, end uint64 }

// space is the address space of the process as the owner hunt sees it.
type space struct {
	ptr      int // bytes
	modules  *symbol.Modules
	basis    Basis
	scan     []minidump.MemoryRange // disjoint, ascending: what is searched for handles
	bytes    uint64
	kinds    pointerKinds
	highs    highHalves
	problems []error
}

// newSpace finds out what to search.
func newSpace(f *minidump.File, mem *minidump.Memory, system func(*minidump.Module) bool) (*space, error) {
	s := &space{ptr: f.PointerSize(), basis: BasisMemoryInfo}
	if n := mem.Missing(); n > 0 {
		s.problem("the file is cut off: %d bytes of captured memory are missing", n)
	}
	list, err := f.Modules()
	if err != nil && !errors.Is(err, minidump.ErrNoStream) {
		s.problem("not all modules are known: %w", err)
	}
	s.modules = symbol.NewModules(list)
	if f.WOW64() {
		s.ptr = 4 // the 32-bit half holds the program
	}
	if s.ptr == 0 {
		return nil, &analysis.MissingError{What: "the dump does not say how large a pointer is"}
	}

	images := moduleSpans(list)
	stacks := stackSpans(f)
	private, err := privateSpans(f, stacks)
	if err != nil {
		if !errors.Is(err, minidump.ErrNoStream) {
			s.problem("the list of memory regions cannot be read: %w", err)
		}
		s.basis = BasisLists
		private = subtractSpans(capturedSpans(mem), images)
	}
	private = append(subtractSpans(private, images), variables(f, mem, list, system)...)
	private = subtractSpans(mergeSpans(private), stacks)
	s.choose(captured(mem, private), uint64(f.Size()))
	s.kinds.mark(images, pointsToModule)
	s.kinds.mark(subtractSpans(capturedSpans(mem), images), pointsToMemory)
	s.highs.mark(images)
	s.highs.mark(capturedSpans(mem))
	return s, nil
}

// choose takes the ranges for the search. No sound dump has more captured
// memory than it has bytes; a broken one can list the same bytes many times.
func (s *space) choose(ranges []minidump.MemoryRange, limit uint64) {
	for i, r := range ranges {
		if r.Size > limit-s.bytes {
			s.problem("many ranges of memory share the same bytes of the file; %d of them are not searched", len(ranges)-i)
			return
		}
		s.bytes += r.Size
		s.scan = append(s.scan, r)
	}
}

func (s *space) problem(format string, args ...any) {
	s.problems = append(s.problems, fmt.Errorf(format, args...))
}

func moduleSpans(list []minidump.Module) []vaSpan {
	var spans []vaSpan
	for i := range list {
		spans = append(spans, vaSpan{uint64(list[i].BaseOfImage), uint64(list[i].End())})
	}
	return mergeSpans(spans)
}

func capturedSpans(mem *minidump.Memory) []vaSpan {
	var spans []vaSpan
	for _, r := range mem.Ranges() {
		spans = append(spans, vaSpan{uint64(r.Start), uint64(r.End())})
	}
	return mergeSpans(spans)
}

// stackSpans returns the stacks and TEBs, where old values lie about.
func stackSpans(f *minidump.File) []vaSpan {
	const tebSize = 0x2000
	threads, _ := f.Threads() // those that can be read are worth leaving out
	var spans []vaSpan
	for _, t := range threads {
		at := uint64(t.Stack.StartOfMemoryRange)
		spans = append(spans,
			vaSpan{at, at + uint64(t.Stack.Memory.DataSize)},
			vaSpan{uint64(t.Teb), uint64(t.Teb) + tebSize})
	}
	return mergeSpans(spans)
}

// privateSpans returns the private writable memory by the MemoryInfoList,
// without the allocations that hold a stack.
func privateSpans(f *minidump.File, stacks []vaSpan) ([]vaSpan, error) {
	infos, err := f.MemoryInfos()
	if err != nil {
		return nil, err
	}
	type region struct {
		vaSpan
		allocation uint64
	}
	var regions []region
	stackOf := map[uint64]bool{}
	for m, err := range infos.All() {
		if err != nil {
			return nil, err
		}
		if m.State != minidump.MemCommit || m.Type != minidump.MemPrivate || !m.Protect.Writable() {
			continue
		}
		r := region{vaSpan{uint64(m.BaseAddress), uint64(m.BaseAddress) + m.RegionSize}, uint64(m.AllocationBase)}
		regions = append(regions, r)
		i, _ := slices.BinarySearchFunc(stacks, r.start, func(s vaSpan, at uint64) int { return cmp.Compare(s.end, at+1) })
		if i < len(stacks) && stacks[i].start < r.end {
			stackOf[r.allocation] = true
		}
	}
	if _, err := infos.Len(); err != nil {
		return nil, err
	}
	var spans []vaSpan
	for _, r := range regions {
		if !stackOf[r.allocation] {
			spans = append(spans, r.vaSpan)
		}
	}
	return mergeSpans(spans), nil
}

// mergeSpans sorts spans and joins those that touch. Empty ones and those that
// wrap around the address space vanish.
func mergeSpans(spans []vaSpan) []vaSpan {
	slices.SortFunc(spans, func(a, b vaSpan) int { return cmp.Compare(a.start, b.start) })
	out := spans[:0]
	for _, s := range spans {
		switch {
		case s.end <= s.start:
		case len(out) > 0 && s.start <= out[len(out)-1].end:
			last := &out[len(out)-1]
			last.end = max(last.end, s.end)
		default:
			out = append(out, s)
		}
	}
	return out
}

// subtractSpans returns what of a lies outside b. Both are merged.
func subtractSpans(a, b []vaSpan) []vaSpan {
	var out []vaSpan
	for _, s := range a {
		for len(b) > 0 && b[0].end <= s.start {
			b = b[1:]
		}
		at := s.start
		for i := 0; i < len(b) && b[i].start < s.end; i++ {
			if b[i].start > at {
				out = append(out, vaSpan{at, b[i].start})
			}
			at = max(at, b[i].end)
		}
		if at < s.end {
			out = append(out, vaSpan{at, s.end})
		}
	}
	return out
}

// captured returns the captured pieces of the spans, each byte once. Pieces
// that follow one another in memory and in the file are one.
func captured(mem *minidump.Memory, spans []vaSpan) []minidump.MemoryRange {
	var out []minidump.MemoryRange
	next := uint64(0) // what lies below was taken from an earlier range
	for _, r := range mem.Ranges() {
		start, end := max(uint64(r.Start), next), uint64(r.End())
		if end <= start {
			continue
		}
		i, _ := slices.BinarySearchFunc(spans, start, func(s vaSpan, at uint64) int { return cmp.Compare(s.end, at+1) })
		for ; i < len(spans) && spans[i].start < end; i++ {
			from, to := max(start, spans[i].start), min(end, spans[i].end)
			piece := minidump.MemoryRange{
				Start: minidump.VA(from), Size: to - from, Offset: r.Offset + int64(from-uint64(r.Start)),
			}
			if n := len(out); n > 0 && out[n-1].End() == piece.Start && out[n-1].Offset+int64(out[n-1].Size) == piece.Offset {
				out[n-1].Size += piece.Size
				continue
			}
			out = append(out, piece)
		}
		next = end
	}
	return out
}

// windowAt is the place of a window in a range.
type windowAt struct {
	in         minidump.MemoryRange
	skip, size uint64 // bytes
}

// misaligned returns how far it is from an offset in the range to the next
// address that is aligned.
func (w windowAt) misaligned(offset uint64, ptr int) uint64 {
	return -(uint64(w.in.Start) + offset) % uint64(ptr)
}

// windows numbers the windows that make up what is searched.
func (s *space) windows() iter.Seq2[int, windowAt] {
	return func(yield func(int, windowAt) bool) {
		n := 0
		for _, r := range s.scan {
			at := windowAt{in: r}
			for at.skip = at.misaligned(0, s.ptr); at.skip < r.Size; at.skip += windowSize {
				at.size = min(windowSize, r.Size-at.skip)
				if !yield(n, at) {
					return
				}
				n++
			}
		}
	}
}
