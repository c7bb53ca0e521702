package analysis

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

// A RateBasis tells what the interval of a rate rests on.
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

// What it takes to tell one shape from another. The shares are of the range
// between the lowest and the highest count.
const (
	// A range of fewer handles is no growth worth the name: thread pools and
	// the like come and go by a dozen.
	flatRange = 20
	// A fall by this share of the range ends a rise. A leak of any size
	// stands out once it is more than twice the noise around it.
	fallShare = 0.4
	// From this number of dumps on a significant slope outweighs single falls,
	// up to this share.
	manyDumps     = 8
	manyFallShare = 0.6
	// One interval with this share of the growth makes it a step or a jump, if
	// all other changes together are no more than that part of it.
	stepShare = 0.85
	stepNoise = 0.25
	// Growth that has slowed down to this part is that of a cache.
	slowedDown = 1.0 / 3
)

// MeasureGrowth describes a row of counts, the oldest first. hours are their
// times, nil if they are not known. opened and closed are the handles of the
// group that are in the last dump and not in the first, and the other way
// round.
func MeasureGrowth(counts []uint64, hours []float64, opened, closed uint64) Growth {
	g := Growth{Counts: counts, Rate: countingRate(counts, hours, opened, closed)}
	slope, slopeOK := regress(counts, hours)
	if len(counts) >= 4 && slopeOK && hours != nil {
		g.Rate = &slope
	}
	g.Shape = shapeOf(counts, hours, slope.Low > 0)
	return g
}

// shapeOf finds the shape. rising tells that the slope is significantly above
// zero.
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
	case n >= 4 && !rising:
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

// regress fits a line by least squares. ok is false for fewer than three
// counts.
func regress(counts []uint64, hours []float64) (r Rate, ok bool) {
	n := float64(len(counts))
	if n < 3 {
		return Rate{}, false
	}
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
	if xx == 0 {
		return Rate{}, false
	}
	slope := xy / xx
	var rest float64
	for i, c := range counts {
		d := float64(c) - sumY/n - slope*(at(hours, i)-sumX/n)
		rest += d * d
	}
	spread := student95(len(counts)-2) * math.Sqrt(rest/(n-2)/xx)
	return Rate{PerHour: slope, Low: slope - spread, High: slope + spread, Basis: RateRegression}, true
}

// student95 is the two-sided 95 % quantile of Student's t distribution with
// the given degrees of freedom.
func student95(df int) float64 {
	table := [...]float64{
		12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
		2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
		2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
	}
	if df <= len(table) {
		return table[df-1]
	}
	return 1.96 + 2.5/float64(df) // within 0.002 of the true value from 30 on
}
