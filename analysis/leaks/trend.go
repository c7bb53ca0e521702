package leaks

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// A Trend is what a series says about whether a group grows.
type Trend string

// The trends, and how sure a leak they can be at most.
const (
	TrendNone       Trend = ""                // no growth worth the name
	TrendNoise      Trend = "noise"           // a rise that its coming and going explains
	TrendGrows      Trend = "grows"           // it grows, and goes on
	TrendSlows      Trend = "slows down"      // it grows ever more slowly
	TrendStopped    Trend = "stopped"         // it grew, and stopped
	TrendJump       Trend = "jump"            // nearly all of it came in the last interval
	TrendFell       Trend = "falls back"      // it fell in between by more than chance
	TrendLoad       Trend = "load"            // more are open at a time, but they do not stay
	TrendSwings     Trend = "swings"          // it goes up and down by more than chance
	TrendFew        Trend = "few dumps"       // it grows, and more dumps are needed to be sure
	TrendRelabelled Trend = "re-labelled"     // others of its type fall by what it grows
	TrendOffset     Trend = "offset"          // its type, or the process, does not grow with it
	TrendMoved      Trend = "changed state"   // old handles, whose objects have changed their state
	TrendSmall      Trend = "small"           // it grows, but by few handles
	TrendUnknown    Trend = "cannot be known" // a dump could not be read whole
)

// A growing is the numbers of a group that rises, in the dumps that are
// followed.
type growing struct {
	counts []float64
	times  []float64 // hours, or the numbers of the dumps
	timed  bool      // times are hours
	// kept is how many handles of the earlier dump are in the later one, less
	// those values that were closed and opened again for the same kind.
	kept   func(i, j int) float64
	shared func(i, j int) float64 // the same as it was counted
	alike  float64                // the chance that two of the handles differ in nothing but their values
	flow   func(i, j int) float64 // what came and went of all groups
	moved  float64                // handles of the last dump that were in another group in the first
	typ    []float64              // counts of the type, the group's own among them
	noise  []float64              // variance of the rest of the type's changes, by interval
	total  []float64              // counts of the process
}

func (g *growing) n() int       { return len(g.counts) }
func (g *growing) net() float64 { return g.counts[g.n()-1] - g.counts[0] }

// coming and going add up the handles that came and went from dump to dump.
func (g *growing) coming() (in, out, hidden float64) {
	for i := range g.n() - 1 {
		s := g.shared(i, i+1)
		in += g.counts[i+1] - s
		out += g.counts[i] - s
		hidden += s - g.kept(i, i+1)
	}
	return in, out, hidden
}

// churns reports whether handles of the group come and go, so that its growth
// may be chance. Of a group that does not, every handle that was added stays.
func (g *growing) churns() bool {
	in, out, hidden := g.coming()
	return out >= churnShare*max(1, in) || 2*hidden > hiddenShare*g.net()
}

// covariance is that of the counts, if handles come independently of each
// other and stay for times that are their own: what two dumps share.
func (g *growing) covariance() *mat.SymDense {
	n := g.n()
	k := mat.NewSymDense(n, nil)
	for i := range n {
		k.SetSym(i, i, g.counts[i]+1)
		for j := i + 1; j < n; j++ {
			k.SetSym(i, j, g.kept(i, j))
		}
	}
	return k
}

// A fit is a line through counts of known covariance.
type fit struct {
	slope, variance float64 // of the slope, if the covariance is right
	// plain is the slope of ordinary least squares, and its variance. It is the
	// rate that is shown: the other one trusts an interval without events, such
	// as there is between two batches, for all of the series.
	plain, plainVariance float64
	residual             float64 // what is left, in units of the covariance: n-2 on average
	// watson is the statistic of Durbin and Watson of what is left: 2 if the
	// dumps scatter independently of each other, less if they wander.
	watson float64
}

// fitLine fits by generalised least squares.
func fitLine(y, t []float64, k *mat.SymDense) fit {
	n := len(y)
	var f fit
	f.plain, f.plainVariance = plainLine(y, t, k)
	var c mat.Cholesky
	trace := 0.0
	for i := range n {
		trace += k.At(i, i) / float64(n)
	}
	// What was taken off for hidden churn can leave less than a covariance.
	for ridge := 1e-6 * (trace + 1); !c.Factorize(k) || c.Cond() > 1e9; ridge *= 10 {
		for i := range n {
			k.SetSym(i, i, k.At(i, i)+ridge)
		}
	}
	solve := func(v []float64) []float64 {
		x := mat.NewVecDense(n, nil)
		c.SolveVecTo(x, mat.NewVecDense(n, v)) // well conditioned by now
		return x.RawVector().Data
	}
	dot := func(a, b []float64) (s float64) {
		for i := range a {
			s += a[i] * b[i]
		}
		return s
	}
	one := slices.Repeat([]float64{1}, n)
	k1, kt, ky := solve(one), solve(t), solve(y)
	a, b, d := dot(one, k1), dot(one, kt), dot(t, kt)
	det := a*d - b*b
	f.slope, f.variance = (a*dot(t, ky)-b*dot(one, ky))/det, a/det
	base := (d*dot(one, ky) - b*dot(t, ky)) / det
	rest := make([]float64, n)
	for i := range rest {
		rest[i] = y[i] - base - f.slope*t[i]
	}
	f.residual = dot(rest, solve(rest))
	steps := 0.0
	for i := 1; i < n; i++ {
		steps += (rest[i] - rest[i-1]) * (rest[i] - rest[i-1])
	}
	f.watson = steps / max(dot(rest, rest), 1e-9)
	return f
}

// plainLine fits by ordinary least squares.
func plainLine(y, t []float64, k *mat.SymDense) (slope, variance float64) {
	weights, sum := make([]float64, len(t)), 0.0
	for i := range t {
		weights[i] = t[i] - stat.Mean(t, nil)
		sum += weights[i] * weights[i]
	}
	for i := range weights {
		weights[i] /= sum
		slope += weights[i] * y[i]
	}
	w := mat.NewVecDense(len(weights), weights)
	return slope, mat.Inner(w, k, w)
}

// A dispersion is how much more than independent events the handles of a
// process scatter: 1 is not more.
type dispersion struct{ sum, freedom float64 }

// add learns from one group that churns.
func (d *dispersion) add(f fit, dumps int) {
	if dumps > 2 {
		d.sum += min(f.residual, maxDispersion*maxDispersion*float64(dumps-2))
		d.freedom += float64(dumps - 2)
	}
}

// process is the dispersion of the process.
func (d *dispersion) process() float64 {
	return min(max((d.sum+3)/(d.freedom+2), 1), maxDispersion)
}

// of is that of one group, whose own scatter is shrunk towards the process's.
func (d *dispersion) of(f fit, dumps int) float64 {
	return max(1, (priorFreedom*d.process()+f.residual)/(priorFreedom+float64(dumps-2)))
}

// A judgement is what is known of a group's growth.
type judgement struct {
	trend    Trend
	severity Severity
	// p is the chance that coming and going alone make one of the groups of
	// the process rise like this; 0 of a group that does not churn.
	p          float64
	dispersion float64
	kept       float64 // part of the growth that stays from one dump to the next
}

// judge judges the growth of a group among so many of the process.
func (g *growing) judge(f fit, d *dispersion, groups int) judgement {
	n := g.n()
	switch {
	case g.net() < minGrowth:
		return judgement{trend: TrendNone, severity: SeverityInfo}
	case g.counts[n-1]-g.shared(0, n-1)-g.moved < minNew*g.net():
		return judgement{trend: TrendMoved, severity: SeverityInfo}
	case !g.churns():
		j := g.judgeOnlyGrows()
		j.kept = 1
		return g.offset(j, j.dispersion)
	}
	j := judgement{trend: TrendGrows, severity: SeverityLeak, dispersion: d.of(f, n)}
	z := f.slope / math.Sqrt(j.dispersion*f.variance)
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: priorFreedom + float64(n-2)}
	j.p = min(1, t.Survival(z)*float64(max(groups, 1)))
	j.kept = g.keptShare()
	if j.p > suspectLevel || n <= 3 && j.p > suspectOfThree {
		// What has risen and stopped, or fallen again, is better called that.
		if g.course(&j); j.trend != TrendStopped && j.trend != TrendFell {
			j.trend = TrendNoise
		}
		j.severity = SeverityInfo
		return j
	}
	if j.p > leakLevel {
		j.limit(TrendFew, SeveritySuspect)
	}
	g.course(&j)
	j = g.offset(j, j.dispersion)
	switch {
	case j.accuses() && j.kept < minKeptAtAll && g.keptKnown():
		j.trend, j.severity = TrendLoad, SeverityInfo
	case j.severity != SeverityLeak:
	case g.net() < sureSteady:
		j.limit(TrendSmall, SeveritySuspect)
	case j.kept < minKeptShareOfGrowth:
		j.limit(TrendLoad, SeveritySuspect)
	case f.residual > maxDispersion*float64(n-2) && (n < manyDumps || f.watson < independent):
		j.limit(TrendSwings, SeveritySuspect)
	case n <= 3, n == 4 && j.p > sureLevelOfFour, n == 5 && j.p > sureLevelOfFive:
		j.limit(TrendFew, SeveritySuspect)
	}
	return j
}

// accuses reports whether the growth is suspicious at least. A group that was
// not judged, since there is one dump, is not.
func (j *judgement) accuses() bool {
	return j.severity == SeverityLeak || j.severity == SeveritySuspect
}

// limit makes a judgement no worse than a severity.
func (j *judgement) limit(t Trend, s Severity) {
	if j.severity.rank() < s.rank() {
		j.trend, j.severity = t, s
	}
}

// keptShare is the part of the growth that is still there in the next dump. It
// tells a leak from a load that grows.
func (g *growing) keptShare() float64 {
	n := g.n() - 1
	if n < 2 {
		return 1
	}
	kept, counts := make([]float64, n), g.counts[:n]
	for i := range kept {
		kept[i] = g.kept(i, i+1)
	}
	_, up := stat.LinearRegression(g.times[:n], counts, nil, false)
	_, stays := stat.LinearRegression(g.times[:n], kept, nil, false)
	if up <= 0 {
		return 1 // it only rose in the last interval; see course
	}
	return min(max(stays/up, 0), 1)
}

// keptKnown reports whether other groups open and close so much that they show
// how many values are used again: else nobody knows what stays.
func (g *growing) keptKnown() bool {
	known := 0
	for i := range g.n() - 1 {
		s := g.shared(i, i+1)
		in, out := g.counts[i+1]-s, g.counts[i]-s
		if others := g.flow(i, i+1) - (in+out)/2; others >= (in+out)/4 {
			known++
		}
	}
	return 2*known > g.n()-1
}

// A phase is the growth in the early and in the late part of a series.
type phase struct {
	early, late         float64 // per unit of time
	earlyTime, lateTime float64
	biggest, deepest    float64 // the largest rise, and the largest fall
	variance            float64 // of late - early, for a dispersion of 1
}

// phases splits the series; variance is that of the change in each interval.
func (g *growing) phases(variance func(i int) float64) phase {
	n := g.n() - 1
	turn := n - max(1, n/3)
	var p phase
	p.earlyTime, p.lateTime = g.times[turn]-g.times[0], g.times[n]-g.times[turn]
	p.early, p.late = (g.counts[turn]-g.counts[0])/p.earlyTime, (g.counts[n]-g.counts[turn])/p.lateTime
	for i := range n {
		x, time := g.counts[i+1]-g.counts[i], p.earlyTime
		if p.biggest, p.deepest = max(p.biggest, x), max(p.deepest, -x); i >= turn {
			time = p.lateTime
		}
		p.variance += variance(i) / (time * time)
	}
	return p
}

// course looks at how a churning group rose.
func (g *growing) course(j *judgement) {
	n := g.n()
	if n < 3 {
		j.limit(TrendFew, SeveritySuspect)
		return
	}
	change := func(i int) float64 { return max(1, g.counts[i]+g.counts[i+1]-2*g.kept(i, i+1)) }
	p := g.phases(change)
	sigma := math.Sqrt(j.dispersion * p.variance)
	switch {
	case p.late < stoppedBelow*p.early && p.early-p.late > 2*sigma:
		j.trend, j.severity = TrendStopped, SeverityInfo
	case p.late < slowsBelow*p.early && p.early-p.late > 1.5*sigma:
		j.limit(TrendSlows, SeveritySuspect)
	case p.biggest == g.counts[n-1]-g.counts[n-2] && p.biggest > jumpShare*g.net():
		j.limit(TrendJump, SeveritySuspect)
	}
	for i := range n - 1 {
		if fall := g.counts[i] - g.counts[i+1]; fall > 0.3*g.net()+3*math.Sqrt(j.dispersion*change(i)) {
			j.trend, j.severity = TrendFell, SeverityInfo
		}
	}
}

// judgeOnlyGrows judges a group of which hardly a handle is ever closed. Its
// growth is no chance: the question is whether it goes on. What comes in
// batches scatters, which its own changes show.
func (g *growing) judgeOnlyGrows() judgement {
	n, net := g.n(), g.net()
	j := judgement{trend: TrendGrows, severity: SeverityLeak, dispersion: 1}
	if n < 3 {
		j.limit(TrendFew, SeveritySuspect)
		return j
	}
	time := g.times[n-1] - g.times[0]
	mean := net / time
	rates, middles := make([]float64, n-1), make([]float64, n-1)
	uneven := 0.0
	for i := range rates {
		step := g.times[i+1] - g.times[i]
		rates[i], middles[i] = (g.counts[i+1]-g.counts[i])/step, g.times[i]+step/2
		uneven += rates[i] * rates[i] * step
	}
	if n > 3 {
		base, slope := stat.LinearRegression(middles, rates, nil, false)
		rest := 0.0
		for i := range rates {
			d := rates[i] - base - slope*middles[i]
			rest += d * d * (g.times[i+1] - g.times[i])
		}
		j.dispersion = max(1, (3+rest/mean)/(3+float64(n-3)))
	}
	p := g.phases(func(int) float64 { return 0 })
	sigma := math.Sqrt(j.dispersion * (max(p.late, 1/p.lateTime)/p.lateTime + max(p.early, 1/p.earlyTime)/p.earlyTime))
	spread := float64(n-1) * mean * net / uneven // intervals over which the growth is spread
	switch {
	case p.late <= 0.05*p.early, p.late < stoppedBelow*p.early && p.early-p.late > 2*sigma:
		j.trend, j.severity = TrendStopped, SeverityInfo
	case p.deepest > 0.3*net:
		j.trend, j.severity = TrendFell, SeverityInfo
	case p.late < slowsBelow*p.early && p.early-p.late > 1.5*sigma:
		j.limit(TrendSlows, SeveritySuspect)
	case p.biggest > jumpShare*net:
		j.limit(TrendJump, SeveritySuspect)
	case spread < minSpread, n > 4 && spread < minSpreadShare*float64(n-1):
		j.limit(TrendFew, SeveritySuspect)
	case net < sureSteady:
		j.limit(TrendSmall, SeveritySuspect)
	}
	return j
}

// offset looks at whether the group's type, and the process, grow with it.
func (g *growing) offset(j judgement, dispersion float64) judgement {
	if j.severity == SeverityInfo {
		return j
	}
	n, net := g.n(), g.net()
	if grown := g.typ[n-1] - g.typ[0]; grown < offsetShare*net {
		rises, mirrored := 0, 0
		for i := range n - 1 {
			x := g.counts[i+1] - g.counts[i]
			if x <= 0 {
				continue
			}
			rises++
			own := max(1, g.counts[i]+g.counts[i+1]-2*g.kept(i, i+1))
			if math.Abs(g.typ[i+1]-g.typ[i]) <= 0.35*x+2*math.Sqrt(dispersion*own+g.noise[i]) {
				mirrored++
			}
		}
		if 4*mirrored >= 3*rises {
			j.trend, j.severity = TrendRelabelled, SeverityInfo
			return j
		}
		j.limit(TrendOffset, SeveritySuspect)
	}
	rest := g.total[n-1] - g.total[0] - net
	if g.total[n-1]-g.total[0] < offsetShare*net && -rest > 3*math.Sqrt(dispersion*max(1, g.total[0])) {
		j.limit(TrendOffset, SeveritySuspect)
	}
	return j
}
