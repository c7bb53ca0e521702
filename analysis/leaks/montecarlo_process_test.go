package leaks

import (
	"container/heap"
	"math"
	"math/rand/v2"
)

// A world is a process that opens and closes handles in continuous time. Its
// unit of time is the interval between two dumps. A value that was closed is
// given out again: the one closed last first, as Windows does, or the one
// closed first.
type world struct {
	rand *rand.Rand
	fifo bool
	free []uint64
	next uint64
	held map[uint64]int // kind by value
	now  float64
	ends expiries
}

// An expiry is when a handle will be closed.
type expiry struct {
	at    float64
	value uint64
}

type expiries []expiry

func (e expiries) Len() int           { return len(e) }
func (e expiries) Less(i, j int) bool { return e[i].at < e[j].at }
func (e expiries) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *expiries) Push(x any)        { *e = append(*e, x.(expiry)) }
func (e *expiries) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

func newWorld(seed uint64, fifo bool) *world {
	return &world{rand: rand.New(rand.NewPCG(seed, 99)), fifo: fifo, held: map[uint64]int{}, next: 4}
}

func (w *world) open(kind int) uint64 {
	v := w.next
	switch n := len(w.free); {
	case n == 0:
		w.next += 4
	case w.fifo:
		v, w.free = w.free[0], w.free[1:]
	default:
		v, w.free = w.free[n-1], w.free[:n-1]
	}
	w.held[v] = kind
	return v
}

// openFor opens a handle that will be closed after a time.
func (w *world) openFor(kind int, life float64) {
	v := w.open(kind)
	if !math.IsInf(life, 1) {
		heap.Push(&w.ends, expiry{w.now + life, v})
	}
}

func (w *world) close(v uint64) {
	delete(w.held, v)
	w.free = append(w.free, v)
}

func (w *world) poisson(mean float64) int {
	if mean > 500 {
		return max(0, int(mean+math.Sqrt(mean)*w.rand.NormFloat64()+0.5))
	}
	limit, n, p := math.Exp(-mean), 0, 1.0
	for {
		if p *= w.rand.Float64(); p <= limit {
			return n
		}
		n++
	}
}

// A source opens handles in each step of time.
type source func(w *world, step float64)

// A life is a random time for which a handle is open.
type life func(r *rand.Rand) float64

func exponential(mean float64) life {
	return func(r *rand.Rand) float64 { return mean * r.ExpFloat64() }
}

// pareto has a heavy tail: most are closed soon, some hardly ever.
func pareto(mean, a float64) life {
	least := mean * (a - 1) / a
	return func(r *rand.Rand) float64 { return least / math.Pow(1-r.Float64(), 1/a) }
}

// churn keeps about n handles open, each for a time of the given mean, that are
// opened in batches. rate, if not nil, is the load by time.
func churn(kind int, n float64, l life, mean, batch float64, rate func(t float64) float64) source {
	return func(w *world, step float64) {
		opens := n / mean * step
		if rate != nil {
			opens *= rate(w.now)
		}
		for range w.poisson(opens / batch) {
			for range 1 + int(w.rand.ExpFloat64()*(batch-1)+0.5) {
				w.openFor(kind, l(w.rand))
			}
		}
	}
}

// leak opens handles for good, in batches.
func leak(kind int, perInterval, batch float64) source {
	return func(w *world, step float64) {
		for range w.poisson(perInterval / batch * step) {
			n := 1
			if batch > 1 {
				n = max(1, int(w.rand.ExpFloat64()*batch+0.5))
			}
			for range n {
				w.openFor(kind, math.Inf(1))
			}
		}
	}
}

// cache is filled by the requests that miss it.
func cache(kind int, capacity, requests float64) source {
	n := 0.0
	return func(w *world, step float64) {
		for range w.poisson(requests * step * max(0, 1-n/capacity)) {
			w.openFor(kind, math.Inf(1))
			n++
		}
	}
}

// pool grows by demand up to its cap.
func pool(kind, most int, requests float64) source {
	n := 0
	return func(w *world, step float64) {
		for range w.poisson(requests * step) {
			if n < most {
				n++
				w.openFor(kind, math.Inf(1))
			}
		}
	}
}

// relabel closes handles of one kind, and opens one of another for each.
func relabel(from, to int, perInterval float64) source {
	return func(w *world, step float64) {
		for range w.poisson(perInterval * step) {
			for v := uint64(4); v < w.next; v += 4 {
				if kind, ok := w.held[v]; ok && kind == from {
					w.close(v)
					w.openFor(to, math.Inf(1))
					break
				}
			}
		}
	}
}

// run lets time pass.
func (w *world) run(time float64, sources []source) {
	const step = 1.0 / 20
	for end := w.now + time; w.now < end-step/2; w.now += step {
		for len(w.ends) > 0 && w.ends[0].at <= w.now {
			w.close(heap.Pop(&w.ends).(expiry).value)
		}
		for _, i := range w.rand.Perm(len(sources)) {
			sources[i](w, step)
		}
	}
}
