package leaks

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Shape is how the number of handles of a group went over a series of dumps.
type Shape string

// The shapes. Two dumps can only show whether there was growth.
const (
	ShapeFlat       Shape = "flat"             // no change worth the name
	ShapeRise       Shape = "rise"             // more in the second of two dumps
	ShapeSteady     Shape = "steady"           // grows all the time: a leak looks like this
	ShapeStep       Shape = "step"             // rose once, and stayed there
	ShapeJump       Shape = "jump"             // rose in the last interval only
	ShapeSaturating Shape = "saturating cache" // grew, ever more slowly
	ShapeSawtooth   Shape = "sawtooth"         // falls back again and again
	ShapeBurst      Shape = "burst"            // rose, and drained again
	ShapeFalling    Shape = "falling"
)

// Grows reports whether the shape is one of ongoing growth.
func (s Shape) Grows() bool { return s == ShapeRise || s == ShapeSteady || s == ShapeJump }

// A Rate is a growth per hour with the interval that holds the true one with a
// confidence of 95 %, as far as the time stamps of the dumps go: they are whole
// seconds, so that High is infinite for two dumps a second apart.
type Rate struct {
	PerHour   float64
	Low, High float64
	Basis     RateBasis
}

// A RateBasis says what the interval of a rate rests on.
type RateBasis string

// The bases.
const (
	// The counts of four and more dumps and how they scatter around a line.
	RateRegression RateBasis = "regression"
	// The handles opened and closed between two or three dumps, which scatter
	// as independent events do.
	RateCounting RateBasis = "counting"
)

// rateOf makes a rate of a line through counts at times in hours. Up to three
// dumps the rate is the plain one between the first and the last.
func rateOf(line fit, dispersion float64, counts, hours []float64) *Rate {
	n := len(hours)
	span := hours[n-1] - hours[0]
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: priorFreedom + float64(n-2)}
	half := t.Quantile(0.975) * math.Sqrt(dispersion*line.plainVariance)
	r := &Rate{PerHour: (counts[n-1] - counts[0]) / span, Basis: RateCounting}
	if n >= 4 {
		r.PerHour, r.Basis = line.plain, RateRegression
	}
	// The true span is up to a second longer or shorter.
	const second = 1.0 / 3600
	bound := func(perHour float64, sign float64) float64 {
		if sign*perHour < 0 {
			return perHour * span / (span + second)
		}
		if span <= second {
			return math.Copysign(math.Inf(1), sign)
		}
		return perHour * span / (span - second)
	}
	r.Low, r.High = bound(r.PerHour-half, -1), bound(r.PerHour+half, 1)
	return r
}

// A Growth describes the number of handles of a group in a row of dumps.
type Growth struct {
	Counts []uint64
	Shape  Shape
	Rate   *Rate // nil without times
}

// Net is the count in the last dump less that in the first.
func (g *Growth) Net() int64 { return int64(g.Last()) - int64(g.First()) }

// First is the count in the first dump.
func (g *Growth) First() uint64 { return g.Counts[0] }

// Last is the count in the last dump.
func (g *Growth) Last() uint64 { return g.Counts[len(g.Counts)-1] }

func (g *Growth) low() uint64  { return slices.Min(g.Counts) }
func (g *Growth) high() uint64 { return slices.Max(g.Counts) }

// shapeOf finds the shape of a row of counts, the oldest first. hours are their
// times, nil if they are not known.
func shapeOf(counts []uint64, hours []float64) Shape {
	n := len(counts)
	low, high := slices.Min(counts), slices.Max(counts)
	rang := float64(high - low)
	if n < 2 || rang < flatRange {
		return ShapeFlat
	}
	net := float64(counts[n-1]) - float64(counts[0])
	falls := swings(counts, fallShare*rang)
	switch {
	case falls.downs > 0 && falls.upAfterDown:
		return ShapeSawtooth
	case falls.downs > 0 && falls.ups > 0:
		return ShapeBurst
	case falls.downs > 0:
		return ShapeFalling
	case n == 2:
		return ShapeRise
	case net < flatRange:
		return ShapeFlat
	}
	switch step := findStep(counts, net); {
	case step == n-1:
		return ShapeJump
	case step > 0:
		return ShapeStep
	case slowing(counts, hours):
		return ShapeSaturating
	}
	return ShapeSteady
}

// findStep returns the dump before which nearly all of the net growth came,
// while little happened otherwise; 0 if there is none.
func findStep(counts []uint64, net float64) (step int) {
	biggest, moved := 0.0, 0.0
	for i := 1; i < len(counts); i++ {
		d := float64(counts[i]) - float64(counts[i-1])
		moved += math.Abs(d)
		if d > biggest {
			biggest, step = d, i
		}
	}
	if biggest < stepShare*net || moved-biggest > stepNoise*biggest {
		return 0
	}
	return step
}

// swung counts the turns of a row of counts.
type swung struct {
	ups, downs  int
	upAfterDown bool
}

// swings counts moves by at least threshold from the last turning point.
func swings(counts []uint64, threshold float64) swung {
	var s swung
	low, high := float64(counts[0]), float64(counts[0])
	direction := 0
	for _, c := range counts[1:] {
		v := float64(c)
		low, high = min(low, v), max(high, v)
		if direction >= 0 && high-v >= threshold {
			s.downs++
			direction, low = -1, v
		} else if direction <= 0 && v-low >= threshold {
			s.ups++
			s.upAfterDown = s.upAfterDown || direction < 0
			direction, high = 1, v
		}
	}
	return s
}

// slowing reports whether the growth in the last part of a row is a small part
// of what it was before.
func slowing(counts []uint64, hours []float64) bool {
	n := len(counts)
	// Three blocks of dumps; the mean of a block stands for its noise.
	k := max(n/3, 1)
	mean := func(from, to int) (count, time float64) {
		for i := from; i < to; i++ {
			count += float64(counts[i])
			time += at(hours, i)
		}
		return count / float64(to-from), time / float64(to-from)
	}
	c0, t0 := mean(0, k)
	c1, t1 := mean(k, n-k)
	c2, t2 := mean(n-k, n)
	return (c2-c1)/(t2-t1) < slowedDown*(c1-c0)/(t1-t0)
}

// at is the time of a dump, or its number where times are not known.
func at(hours []float64, i int) float64 {
	if hours == nil {
		return float64(i)
	}
	return hours[i]
}
