package owners

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

const (
	// windowSize is the memory that is read and searched at a time, in bytes;
	// small enough to be still in the cache when it is searched.
	windowSize = 128 << 10
	// passes is how often the memory is gone through at most.
	passes = 9 + maxChain
	// workers search different windows at the same time. The number does
	// not depend on the machine, so that neither does the result.
	workers = 4
)

// hunt is the state of one call of Find.
type hunt struct {
	mem       *minidump.Memory
	space     *space
	targets   *targets
	maxOffset int

	files *symbol.Code // image files; nil without

	progress func(done, total int64)
	mu       sync.Mutex // guards done
	done     int64      // bytes read in all passes

	early     int        // windows that foresight goes by; 0 without
	foreseen  *foresight // nil without
	hits      uint64     // words equal to a handle of a set that is sought
	explained bitmap     // handles whose owner was found
	rarest    rarest
	images    *images
}

// A window is a piece of memory with some of its surroundings.
type window struct {
	n          int // its number
	data       []byte
	start      uint64 // address of data[0]
	begin, end int    // the part of data that no other window covers
}

// A windowSpan are the windows from one number up to but without another.
type windowSpan struct{ from, to int }

var allWindows = windowSpan{0, math.MaxInt}

// eachWindow reads the windows of a span, each with the given number of bytes
// before and after it as far as they were captured. It calls visit on several
// goroutines; worker is the number of each, and the same worker always gets the
// same windows, by ascending address.
func (h *hunt) eachWindow(ctx context.Context, span windowSpan, before, after int, visit func(worker int, w *window)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			r := windowReader{hunt: h, before: before, after: after}
			for n, at := range h.space.windows() {
				if n >= span.to {
					return
				}
				if n%workers != worker || n < span.from {
					continue
				}
				if err := ctx.Err(); err != nil {
					return
				}
				w, err := r.read(n, at)
				if err != nil {
					cancel(err)
					return
				}
				visit(worker, w)
				h.read(int64(at.size))
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// A windowReader reads windows into its buffer, which is as large as it has to be.
type windowReader struct {
	hunt          *hunt
	buf           []byte
	before, after int
	w             window
}

// read reads a window and what surrounds it.
func (r *windowReader) read(n int, at windowAt) (*window, error) {
	from := at.skip - min(at.skip, uint64(r.before))
	from += at.misaligned(from, r.hunt.space.ptr)
	to := min(at.skip+at.size+uint64(r.after), at.in.Size)
	if uint64(len(r.buf)) < to-from {
		r.buf = make([]byte, to-from)
	}
	r.w = window{
		n: n, data: r.buf[:to-from], start: uint64(at.in.Start) + from,
		begin: int(at.skip - from), end: int(at.skip - from + at.size),
	}
	_, err := r.hunt.mem.ReadRange(r.w.data, at.in, from)
	return &r.w, err
}

// read passes the progress on.
func (h *hunt) read(n int64) {
	if h.progress == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.done += n
	h.progress(h.done, passes*int64(h.space.bytes))
}

// finish reports the end, which comes early if there is nothing to look for.
func (h *hunt) finish() {
	h.read(passes*int64(h.space.bytes) - h.done)
}

// run hunts from the surest kind to the least: for objects that begin with a
// word that points into a module, for arrays in the variables of modules, for
// objects that begin with another address, for records, and for arrays in the
// heap; then for handles in halves of words. Each is needed only if enough
// handles remain. Last it looks for what refers to them all.
func (h *hunt) run(ctx context.Context) (owners []Owner, examined int, err error) {
	h.images = &images{hunt: h, known: map[uint64]*targetInfo{}}
	h.explained = make(bitmap, h.targets.fieldSlots()/64+1)
	found, err := h.collect(ctx)
	if err != nil {
		return nil, 0, err
	}
	claims, err := h.rounds(ctx, found)
	if err != nil {
		return nil, 0, err
	}
	h.foreseen = nil // all that it knows was asked for
	guessed, err := h.guessArrays(ctx, found.runs)
	if err != nil {
		return nil, 0, err
	}
	links := h.newLinker(slices.Concat(claims, guessed))
	rest, err := h.collectRest(ctx, links)
	if err != nil {
		return nil, 0, err
	}
	records, err := h.records(ctx, &rest.records, h.space.ptr)
	if err != nil {
		return nil, 0, err
	}
	claims = append(append(claims, records...), h.arrays(ctx, found.runs, false)...)
	if h.space.ptr == 8 {
		halves, err := h.rounds(ctx, &rest.halves)
		if err != nil {
			return nil, 0, err
		}
		records, err := h.records(ctx, &rest.halfRecords, 4)
		if err != nil {
			return nil, 0, err
		}
		claims = append(append(append(claims, halves...), records...), h.arrays(ctx, rest.halves.runs, false)...)
	}
	if err := h.link(ctx, claims, links); err != nil {
		return nil, 0, err
	}
	if err := h.keepers(ctx, claims); err != nil {
		return nil, 0, err
	}
	if err := ctx.Err(); err != nil {
		return nil, 0, err // image files may have been passed over
	}
	for _, c := range claims {
		owners = append(owners, c.Owner)
	}
	slices.SortFunc(owners, compareOwners)
	return owners, found.counts.atLeast(minHandles), nil
}

// finds are what a pass collects of one width of handles.
type finds struct {
	width  int
	list   []candidate // constellations of a pointer
	counts bitCounts
	runs   []run
}

// rounds looks for the kinds that pointers and variables show.
func (h *hunt) rounds(ctx context.Context, f *finds) ([]*claim, error) {
	var modules, memory []candidate
	for _, c := range f.list {
		if _, ok := h.space.modules.Find(vaOf(c.word)); ok {
			modules = append(modules, c)
		} else {
			memory = append(memory, c)
		}
	}
	c := &crowd{
		places: h.places(f.width), atLeast: f.counts.atLeast,
		prior: counterPrior, shifts: maxShifts, tolerance: shiftTolerance,
	}
	objects := func(list []candidate) ([]*claim, error) {
		asked := h.enoughLeft()
		l := look{list: h.survivors(c, list, asked), crowd: c, asked: asked, wordSize: h.space.ptr, width: f.width}
		fields, err := h.inspect(ctx, l)
		return h.choose(ctx, c, fields, KindObject), cmp.Or(err, ctx.Err())
	}
	claims, err := objects(modules)
	if err != nil {
		return nil, err
	}
	claims = append(claims, h.arrays(ctx, f.runs, true)...)
	others, err := objects(memory)
	return append(claims, others...), err
}

// places is how many places there are for a constellation of a pointer and a
// field of the given width.
func (h *hunt) places(width int) float64 {
	return float64(h.space.bytes) / float64(width) * float64(h.maxOffset) / float64(width)
}
