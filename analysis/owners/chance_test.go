package owners

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// setOf makes a test of membership.
func setOf(slots []int) func(int) bool {
	in := map[int]bool{}
	for _, s := range slots {
		in[s] = true
	}
	return func(s int) bool { return in[s] }
}

// someSlots draws n distinct multiples of step from 1 to limit-1, ascending.
func someSlots(r *rand.Rand, n, step, limit int) []int {
	var all []int
	for s := step; s < limit; s += step {
		all = append(all, s)
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	some := slices.Clone(all[:min(n, len(all))])
	slices.Sort(some)
	return some
}

// chernoff is above the binomial tail, which the definition adds up, and for a
// tail of some size by a factor of no more than the root of 8n.
func TestChernoff(t *testing.T) {
	tail := func(k, n int, p float64) float64 {
		sum := 0.0
		for i := k; i <= n; i++ {
			choose := 1.0
			for j := range i {
				choose *= float64(n-j) / float64(j+1)
			}
			sum += choose * math.Pow(p, float64(i)) * math.Pow(1-p, float64(n-i))
		}
		return sum
	}
	for n := 1; n <= 24; n++ {
		for k := 0; k <= n; k++ {
			for _, p := range []float64{0.01, 0.1, 0.25, 0.5, 0.9, 1} {
				bound, exact := math.Exp(chernoff(k, n, p)), tail(k, n, p)
				if bound < exact*(1-1e-9) {
					t.Errorf("%d of %d at %v: %v is below %v", k, n, p, bound, exact)
				}
				if float64(k) > p*float64(n) && bound > exact*math.Sqrt(8*float64(n)) {
					t.Errorf("%d of %d at %v: %v is far above %v", k, n, p, bound, exact)
				}
			}
		}
	}
	if got := chernoff(3, 5, 0); !math.IsInf(got, -1) {
		t.Errorf("what cannot be: %v", got)
	}
}

func TestLatticeStep(t *testing.T) {
	for _, slots := range [][]int{{1}, {2, 4, 8}, {12, 20, 4}, {8, 16, 6}, {64}, {96, 32}} {
		step := 1
		for all := true; all; {
			for _, s := range slots {
				all = all && s%(2*step) == 0
			}
			if all {
				step *= 2
			}
		}
		if got := latticeStep(slots); got != step {
			t.Errorf("%v: %d, want %d", slots, got, step)
		}
	}
}

// drawChance lies between the mean of Chernoff's bound over all scales, which
// is added up here in small steps, and the bound for a scale that ends with the
// largest hit, if all members were below it.
func TestDrawChance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		limit := 200 + r.IntN(2000)
		step := 1 << r.IntN(4)
		handles := someSlots(r, 10+r.IntN(limit/step), step, limit*4/5)
		hits := handles
		if len(hits) > 40 {
			hits = hits[:8+r.IntN(32)]
		}
		n := len(hits) + r.IntN(50)
		got := drawChance(hits, n, limit, setOf(handles))

		lattice := latticeStep(hits)
		var there []int // of the lattice
		for _, h := range handles {
			if h%lattice == 0 {
				there = append(there, h)
			}
		}
		all := math.Log(largestScale / smallestScale)
		const width = 0.0005 // of the logarithm of the scale
		mean := 0.0
		first := math.Log(float64(hits[len(hits)-1]))
		for at := first; at < first+all && at < math.Log(largestScale/4); at += width { // a slot is four of a scale
			scale := min(math.Exp(at), float64(limit))
			found, _ := slices.BinarySearch(there, int(scale)+1)
			mean += math.Exp(chernoff(len(hits), n, float64(found)/math.Floor(scale/float64(lattice)))) * width / all
		}
		likeliest := chernoff(len(hits), n, float64(len(there))/math.Floor(math.Exp(first)/float64(lattice)))
		if want := math.Log(mean); got < want-0.02 || got > likeliest {
			t.Errorf("%d: %d of %d numbers, limit %d: %v is not between %v and %v", i, len(hits), n, limit, got, want, likeliest)
		}
	}
	if got := drawChance(nil, 10, 100, setOf(nil)); got != 0 {
		t.Errorf("without hits: %v", got)
	}
}

// shiftShare counts the shifts after which at most one hit in fifty misses.
func TestShiftShare(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	run := func(from, n, step int) (slots []int) {
		for i := range n {
			slots = append(slots, from+i*step)
		}
		return slots
	}
	cases := map[string][2][]int{ // the hits, the handles
		"a counter within a run":   {run(100, 60, 1), run(1, 400, 1)},
		"the run itself":           {run(100, 60, 1), run(100, 60, 1)},
		"twos within a run":        {run(100, 60, 2), run(2, 400, 2)},
		"twos within twos and one": {run(100, 60, 2), append(run(2, 300, 2), 601)},
		"more hits than are tried": {run(1, 600, 1), run(1, 700, 1)},
	}
	for i := range 20 {
		handles := someSlots(r, 200, 1+r.IntN(3), 900)
		cases[fmt.Sprint("drawn ", i)] = [2][]int{handles[:20+r.IntN(20)], handles}
	}
	for name, run := range cases {
		hits, member := run[0], setOf(run[1])
		const slots = 1000
		step := latticeStep(hits)
		tried := hits
		if len(hits) > maxShifted {
			tried = nil
			for i := range maxShifted {
				tried = append(tried, hits[i*len(hits)/maxShifted])
			}
		}
		good, of := 0, 0
		for shift := -slots / step; shift <= slots/step; shift++ {
			if shift < -maxShifts || shift > maxShifts {
				continue
			}
			missed := 0
			for _, h := range tried {
				if !member(h + shift*step) {
					missed++
				}
			}
			of++
			if 50*missed <= len(tried) {
				good++
			}
		}
		c := &crowd{shifts: maxShifts, tolerance: shiftTolerance}
		if got, want := c.shiftShare(hits, slots, member), float64(good)/float64(of); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// expectedByChance is the number of handles times the share of decoys found,
// half of one more.
func TestExpectedByChance(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 40 {
		slots := 50 + r.IntN(1500)
		handles := someSlots(r, 8+r.IntN(slots/2), 1, slots)
		numbers := make(bitmap, (slots+slots/4+minDecoys)/64+2)
		for _, s := range someSlots(r, r.IntN(slots), 1, slots+slots/4) {
			numbers.set(uint64(s))
		}
		member := setOf(handles)
		k := len(hitsOf(numbers, member))
		var decoys []int
		for s := 1; s < slots; s++ {
			if !member(s) {
				decoys = append(decoys, s)
			}
		}
		for s := slots; len(decoys) < minDecoys; s++ {
			decoys = append(decoys, s)
		}
		found := len(hitsOf(numbers, setOf(decoys)))
		want := min(math.Round(float64(len(handles))*(float64(found)+0.5)/float64(len(decoys)+1)*100)/100, float64(k))
		if got := expectedByChance(numbers, slots, len(handles), k, member); got != want {
			t.Errorf("%d: %v, want %v", i, got, want)
		}
	}
}

func TestLogAdd(t *testing.T) {
	for _, c := range [][2]float64{{0, 0}, {-1, -30}, {-700, -701}, {math.Inf(-1), -2}, {-2, math.Inf(-1)}} {
		want := math.Log(math.Exp(c[0]) + math.Exp(c[1]))
		if got := logAdd(c[0], c[1]); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v: %v, want %v", c, got, want)
		}
	}
}

// A dense set has those for rivals that hold half as many.
func TestRivals(t *testing.T) {
	var counts bitCounts
	c := &crowd{places: 1 << 20 / 8 * 256 / 8, atLeast: counts.atLeast}
	const slots = 1000
	// A sparse set: all constellations there may be, by the least of handles.
	if got, want := c.rivals(100, 10, slots), float64(1<<20/8)*256/8/minHandles; got != want {
		t.Errorf("sparse: %v, want %v", got, want)
	}
	for i := range counts {
		counts[i] = 1
	}
	// A dense set of which a field of 100 numbers would show 12 is taken for
	// sparse, from 16 on only those with half as many bits are rivals.
	if got := c.rivals(100, 500, slots); got != float64(1<<20/8)*256/8/minHandles {
		t.Errorf("few numbers: %v", got)
	}
	want := 0
	for bits := bitsOf(8, math.MaxInt); bits <= tallyBits; bits++ {
		want++
	}
	if got := c.rivals(128, 500, slots); got != float64(want) {
		t.Errorf("dense: %v, want %v", got, want)
	}
}
