package leaks

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// mostCorrelated is how many types of a process are looked at, those that grow
// most: a process with more that leak has other worries.
const mostCorrelated = 10

// correlate looks for types that grow hand in hand in two processes, among
// those in which a group was accused. It says how they go together and not
// which is the cause.
func correlate(all []*Process, findings []Finding) (found []Finding) {
	type key struct {
		process analysis.ProcessIdentity
		typ     string
	}
	accused := map[key]bool{}
	for i := range findings {
		if f := &findings[i]; f.Group != nil && f.Severity != SeverityInfo {
			accused[key{f.Process, f.Group.Type}] = true
		}
	}
	types := make([][]*Group, len(all))
	for i, p := range all {
		for k := range p.Types {
			if t := &p.Types[k]; accused[key{p.Series.ProcessIdentity, t.Type}] {
				types[i] = append(types[i], t)
			}
		}
		slices.SortStableFunc(types[i], func(a, b *Group) int { return cmp.Compare(b.Net(), a.Net()) })
		types[i] = types[i][:min(len(types[i]), mostCorrelated)]
	}
	for i, p := range all {
		for j, q := range all[i+1:] {
			for _, a := range types[i] {
				for _, b := range types[i+1+j] {
					if f, ok := together(p, q, a, b); ok {
						found = append(found, f)
					}
				}
			}
		}
	}
	return found
}

// together compares the growth of two types in two processes.
func together(p, q *Process, a, b *Group) (f Finding, ok bool) {
	x, y := overlap(p.Series, q.Series, a.Counts, b.Counts)
	if len(x) < 3 {
		return f, false
	}
	r, basis := pearson(x, y), "counts"
	if len(x) >= 5 {
		// Any two things that grow go together; the ups and downs of their
		// growth show more.
		if dr := pearson(increments(x), increments(y)); !math.IsNaN(dr) {
			r, basis = dr, "growth between dumps"
		}
	}
	if !(r >= minCorrelation) {
		return f, false
	}
	n := len(x)
	f = Finding{
		Rule: "grows-together", Severity: SeverityInfo, Process: p.Series.ProcessIdentity, Group: a,
		Sentence: fmt.Sprintf("%s in %s grows with %s in %s: %s",
			words.Type(a.Type), p.Series, words.Type(b.Type), q.Series, pace(x[n-1]-x[0], y[n-1]-y[0],
				words.Type(a.Type)+" in "+p.Series.Name(), words.Type(b.Type)+" in "+q.Series.Name())),
		Evidence: []string{fmt.Sprintf("correlation of the %s at %d times: %.2f", basis, n, r),
			"a correlation shows that they go together, not which one is the cause"},
		Next: say("look for the place where one asks the other for the object, such as a logon for a token; the one that asks is to close it"),
	}
	return f, true
}

// pace says how many of one come with how many of the other: "1 Key in
// lsass.exe for 26 Token in w3wp.exe".
func pace(x, y float64, a, b string) string {
	if x >= y {
		return fmt.Sprintf("1 %s for %s %s", b, words.Decimal(x/y), a)
	}
	return fmt.Sprintf("1 %s for %s %s", a, words.Decimal(y/x), b)
}

// overlap returns two rows of counts at the times of the first one that lie
// within the second one, which is interpolated.
func overlap(p, q *analysis.Series, a, b []uint64) (x, y []float64) {
	if p.Hours == nil || q.Hours == nil {
		return nil, nil
	}
	shift := p.First().Time.Sub(q.First().Time).Hours()
	// Dumps of two processes are taken one after the other: allow for a
	// little beyond the ends.
	last := q.Hours[len(q.Hours)-1]
	slack := 0.02 * last
	for i, h := range p.Hours {
		t := h + shift
		if t < -slack || t > last+slack {
			continue
		}
		x = append(x, float64(a[i]))
		y = append(y, interpolate(q.Hours, b, min(max(t, 0), last)))
	}
	return x, y
}

func interpolate(hours []float64, counts []uint64, t float64) float64 {
	i := 1
	for i < len(hours)-1 && hours[i] < t {
		i++
	}
	part := (t - hours[i-1]) / (hours[i] - hours[i-1])
	return float64(counts[i-1]) + part*(float64(counts[i])-float64(counts[i-1]))
}

func increments(x []float64) []float64 {
	d := make([]float64, len(x)-1)
	for i := range d {
		d[i] = x[i+1] - x[i]
	}
	return d
}

// pearson is the coefficient of correlation; NaN if one row does not change.
func pearson(x, y []float64) float64 {
	var mx, my float64
	for i := range x {
		mx += x[i] / float64(len(x))
		my += y[i] / float64(len(y))
	}
	var xx, yy, xy float64
	for i := range x {
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
		xy += (x[i] - mx) * (y[i] - my)
	}
	return xy / math.Sqrt(xx*yy)
}
