package leaks

import (
	"testing"
)

func TestShapeOf(t *testing.T) {
	for _, c := range []struct {
		counts []uint64
		want   Shape
	}{
		{[]uint64{65602}, ShapeFlat},
		{[]uint64{100, 119}, ShapeFlat},
		{[]uint64{100, 120}, ShapeRise},
		{[]uint64{120, 100}, ShapeFalling},
		{[]uint64{100, 119, 101, 110, 100}, ShapeFlat},
		{[]uint64{0, 350, 700}, ShapeSteady},
		{[]uint64{20000, 20030, 20061}, ShapeSteady},
		{[]uint64{100, 180, 310, 390, 500}, ShapeSteady},
		{[]uint64{0, 20, 60, 120, 200, 300, 420}, ShapeSteady}, // accelerates
		{[]uint64{0, 900, 1000}, ShapeStep},
		{[]uint64{0, 800, 1000}, ShapeSaturating},
		{[]uint64{0, 700, 1100, 1300, 1390, 1400}, ShapeSaturating},
		{[]uint64{10, 12, 400, 405, 407, 410}, ShapeStep},
		{[]uint64{10, 12, 11, 400}, ShapeJump},
		{[]uint64{50, 6000, 2000, 60}, ShapeBurst},
		{[]uint64{50, 6000, 3000}, ShapeBurst},
		{[]uint64{100, 900, 200, 950, 300, 1000}, ShapeSawtooth},
		{[]uint64{900, 100, 800}, ShapeSawtooth},
		{[]uint64{900, 500, 100}, ShapeFalling},
		{[]uint64{0, 30, 2, 33, 5, 110}, ShapeSteady},
	} {
		hours := make([]float64, len(c.counts))
		ten := make([]uint64, len(c.counts))
		for i := range hours {
			hours[i], ten[i] = float64(i), 10*c.counts[i]
		}
		if got := shapeOf(c.counts, hours); got != c.want {
			t.Errorf("%v is %s, want %s", c.counts, got, c.want)
		}
		if got := shapeOf(ten, nil); c.want != ShapeFlat && got != c.want {
			t.Errorf("%v, without times, is %s, want %s", ten, got, c.want)
		}
	}
}
