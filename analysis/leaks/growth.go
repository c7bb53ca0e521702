package leaks

import (
	"math"
	"slices"
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
// confidence of 95 %.
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

// MeasureGrowth describes a row of counts, the oldest first. hours are their
// times, nil if they are not known. opened and closed are the handles of the
// group that are in the last dump and not in the first, and the other way
// round.
func MeasureGrowth(counts []uint64, hours []float64, opened, closed uint64) Growth {
	g := Growth{Counts: counts, Rate: countingRate(counts, hours, opened, closed)}
	line := regress(counts, hours)
	if line.df >= 2 && hours != nil {
		spread := line.spread(0)
		g.Rate = &Rate{PerHour: line.slope, Low: line.slope - spread, High: line.slope + spread, Basis: RateRegression}
	}
	g.Shape = shapeOf(counts, hours, line.df >= 2 && line.slope > line.spread(1))
	return g
}

// shapeOf finds the shape. rising says that the slope is above zero with a
// confidence of 99 %.
func shapeOf(counts []uint64, hours []float64, rising bool) Shape {
	n := len(counts)
	low, high := slices.Min(counts), slices.Max(counts)
	rang := float64(high - low)
	if n < 2 || rang < flatRange {
		return ShapeFlat
	}
	net := float64(counts[n-1]) - float64(counts[0])
	falls := swings(counts, fallShare*rang)
	if n >= manyDumps && rising && net >= (1-manyFallShare)*rang {
		falls = swings(counts, manyFallShare*rang)
	}
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
	case n >= 4 && !rising && swings(counts, smallFall*rang).downs > 0:
		return ShapeSawtooth // goes up and down by less than the range, and nowhere
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

// countingRate is the rate between the first and the last dump. Handles that
// are opened and closed independently of each other scatter by the root of
// their number.
func countingRate(counts []uint64, hours []float64, opened, closed uint64) *Rate {
	n := len(counts)
	if n < 2 || hours == nil || hours[n-1] <= 0 {
		return nil
	}
	span := hours[n-1]
	net := float64(counts[n-1]) - float64(counts[0])
	spread := 1.96 * math.Sqrt(math.Max(float64(opened)+float64(closed), math.Abs(net)))
	return &Rate{PerHour: net / span, Low: (net - spread) / span, High: (net + spread) / span, Basis: RateCounting}
}

// A line is fitted to counts by least squares.
type line struct {
	slope float64 // per hour, or per dump where times are not known
	sigma float64 // the standard error of slope
	df    int     // degrees of freedom; less than 1: no line
}

func regress(counts []uint64, hours []float64) line {
	n := float64(len(counts))
	var sumX, sumY float64
	for i, c := range counts {
		sumX += at(hours, i)
		sumY += float64(c)
	}
	var xx, xy float64
	for i, c := range counts {
		x := at(hours, i) - sumX/n
		xx += x * x
		xy += x * (float64(c) - sumY/n)
	}
	if n < 3 || xx == 0 {
		return line{}
	}
	l := line{slope: xy / xx, df: len(counts) - 2}
	var rest float64
	for i, c := range counts {
		d := float64(c) - sumY/n - l.slope*(at(hours, i)-sumX/n)
		rest += d * d
	}
	l.sigma = math.Sqrt(rest / float64(l.df) / xx)
	return l
}

// spread is half the interval that holds the true slope with a confidence of
// 95 % (0) or 99 % (1).
func (l line) spread(confidence int) float64 {
	// Two-sided quantiles of Student's t distribution for 1 to 20 degrees of
	// freedom; those of the normal distribution and a correction behind.
	table := [...][2]float64{
		{12.706, 63.657}, {4.303, 9.925}, {3.182, 5.841}, {2.776, 4.604}, {2.571, 4.032},
		{2.447, 3.707}, {2.365, 3.499}, {2.306, 3.355}, {2.262, 3.250}, {2.228, 3.169},
		{2.201, 3.106}, {2.179, 3.055}, {2.160, 3.012}, {2.145, 2.977}, {2.131, 2.947},
		{2.120, 2.921}, {2.110, 2.898}, {2.101, 2.878}, {2.093, 2.861}, {2.086, 2.845},
	}
	if l.df <= len(table) {
		return table[l.df-1][confidence] * l.sigma
	}
	z := [...]float64{1.960, 2.576}[confidence]
	return (z + (z*z*z+z)/(4*float64(l.df))) * l.sigma
}
