package leaks_test

import (
	"math"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/leaks"
)

// hourly is n times an hour apart.
func hourly(n int) []float64 {
	h := make([]float64, n)
	for i := range h {
		h[i] = float64(i)
	}
	return h
}

func TestMeasureGrowthShape(t *testing.T) {
	for _, c := range []struct {
		counts []uint64
		want   leaks.Shape
	}{
		{[]uint64{65602}, leaks.ShapeFlat},
		{[]uint64{100, 119}, leaks.ShapeFlat},
		{[]uint64{100, 120}, leaks.ShapeRise},
		{[]uint64{120, 100}, leaks.ShapeFalling},
		{[]uint64{100, 119, 101, 110, 100}, leaks.ShapeFlat},
		{[]uint64{0, 350, 700}, leaks.ShapeSteady},
		{[]uint64{20000, 20030, 20061}, leaks.ShapeSteady},
		{[]uint64{100, 180, 310, 390, 500}, leaks.ShapeSteady},
		{[]uint64{0, 20, 60, 120, 200, 300, 420}, leaks.ShapeSteady}, // accelerates
		{[]uint64{0, 900, 1000}, leaks.ShapeStep},
		{[]uint64{0, 800, 1000}, leaks.ShapeSaturating},
		{[]uint64{0, 700, 1100, 1300, 1390, 1400}, leaks.ShapeSaturating},
		{[]uint64{10, 12, 400, 405, 407, 410}, leaks.ShapeStep},
		{[]uint64{10, 12, 11, 400}, leaks.ShapeJump},
		{[]uint64{50, 6000, 2000, 60}, leaks.ShapeBurst},
		{[]uint64{50, 6000, 3000}, leaks.ShapeBurst},
		{[]uint64{100, 900, 200, 950, 300, 1000}, leaks.ShapeSawtooth},
		{[]uint64{900, 100, 800}, leaks.ShapeSawtooth},
		{[]uint64{900, 500, 100}, leaks.ShapeFalling},
		{[]uint64{100, 160, 140, 200}, leaks.ShapeSawtooth},   // no slope that is sure
		{[]uint64{0, 30, 2, 33, 5, 110}, leaks.ShapeSawtooth}, // most growth in one interval, but no jump
		// Noise of 150 around 100 an hour, eight dumps: the slope outweighs it.
		{[]uint64{1000, 1240, 1060, 1410, 1290, 1640, 1450, 1780}, leaks.ShapeSteady},
	} {
		if got := leaks.MeasureGrowth(c.counts, hourly(len(c.counts)), 0, 0).Shape; got != c.want {
			t.Errorf("%v is %s, want %s", c.counts, got, c.want)
		}
	}
}

// The shape must not depend on the unit of the count's size: what holds for
// handles holds for ten times as many.
func TestMeasureGrowthScales(t *testing.T) {
	for _, counts := range [][]uint64{
		{0, 350, 700}, {0, 700, 1100, 1300, 1390, 1400}, {50, 6000, 2000, 60}, {100, 900, 200, 950, 300, 1000}, {10, 12, 11, 400},
	} {
		ten := make([]uint64, len(counts))
		for i, c := range counts {
			ten[i] = 10 * c
		}
		a := leaks.MeasureGrowth(counts, hourly(len(counts)), 0, 0)
		b := leaks.MeasureGrowth(ten, nil, 0, 0)
		if a.Shape != b.Shape {
			t.Errorf("%v is %s, ten times as many without times %s", counts, a.Shape, b.Shape)
		}
	}
}

func TestMeasureGrowthRate(t *testing.T) {
	near := func(a, b float64) bool { return math.Abs(a-b) < 0.01 }
	for _, c := range []struct {
		counts         []uint64
		hours          []float64
		opened, closed uint64
		want           *leaks.Rate
	}{
		{[]uint64{5}, []float64{0}, 0, 0, nil},
		{[]uint64{0, 100}, nil, 100, 0, nil},
		// 100 handles in half an hour; sqrt(100) = 10.
		{[]uint64{0, 100}, []float64{0, 0.5}, 100, 0, &leaks.Rate{PerHour: 200, Low: 160.8, High: 239.2, Basis: leaks.RateCounting}},
		// 250 opened and 150 closed scatter by sqrt(400) = 20.
		{[]uint64{500, 550, 600}, hourly(3), 250, 150, &leaks.Rate{PerHour: 50, Low: 30.4, High: 69.6, Basis: leaks.RateCounting}},
		{[]uint64{0, 30, 60, 90}, hourly(4), 90, 0, &leaks.Rate{PerHour: 30, Low: 30, High: 30, Basis: leaks.RateRegression}},
		// By hand: slope 29, the squares of the rest 45 on two degrees of freedom: 4.303*sqrt(22.5/5).
		{[]uint64{0, 35, 55, 90}, hourly(4), 90, 0, &leaks.Rate{PerHour: 29, Low: 19.87, High: 38.13, Basis: leaks.RateRegression}},
	} {
		got := leaks.MeasureGrowth(c.counts, c.hours, c.opened, c.closed).Rate
		switch {
		case got == nil || c.want == nil:
			if got != c.want {
				t.Errorf("%v: rate %v, want %v", c.counts, got, c.want)
			}
		case !near(got.PerHour, c.want.PerHour) || !near(got.Low, c.want.Low) || !near(got.High, c.want.High) || got.Basis != c.want.Basis:
			t.Errorf("%v: rate %+v, want %+v", c.counts, *got, *c.want)
		}
	}
}

func FuzzMeasureGrowth(f *testing.F) {
	f.Add([]byte{0, 100, 200})
	f.Add([]byte{255, 0, 255, 0, 255, 0, 255, 0, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		counts := make([]uint64, len(data))
		for i, b := range data {
			counts[i] = uint64(b) * uint64(b)
		}
		g := leaks.MeasureGrowth(counts, hourly(len(counts)), 0, 0)
		if g.Shape == "" {
			t.Errorf("%v has no shape", counts)
		}
		if g.Shape.Grows() && g.Net() < 20 {
			t.Errorf("%v grows by %d only", counts, g.Net())
		}
		if r := g.Rate; r != nil && !(r.Low <= r.PerHour && r.PerHour <= r.High) {
			t.Errorf("%v: rate %v", counts, *r)
		}
	})
}
