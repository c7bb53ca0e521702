package leaks

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
)

// A generated is a series of dumps of a [world].
type generated struct {
	shots []map[uint64]int // kind by value
	types []int            // of each kind
	leaky int              // the kind that leaks; -1 none
}

// A maker makes the process of a scenario: sources that run from the start, and
// those that begin shortly before the first dump or with it.
type maker func(m *making)

type making struct {
	*world
	types         []int
	before, after []source
	dumps         int
	leaky         int
}

func (m *making) kind(typ int) int {
	m.types = append(m.types, typ)
	return len(m.types) - 1
}

func (m *making) anyKind() int { return m.kind(m.rand.IntN(6)) }

// leaks makes a kind that leaks.
func (m *making) leaks() int {
	m.leaky = m.anyKind()
	return m.leaky
}

// some is a random number in a range.
func (m *making) some(from, to float64) float64 { return from + (to-from)*m.rand.Float64() }

// mean is a random mean time of life, from a tenth of an interval to one and a
// half.
func (m *making) mean() float64 { return math.Exp(m.some(-2.5, 0.5)) }

// warmUp is how long a process has run before the first dump.
const warmUp = 5

// healthy and leaking are what the table has a row for.
var healthy = []struct {
	name string
	make maker
}{
	{"noise", func(m *making) {}},
	{"cache that fills", func(m *making) {
		size := m.some(300, 1800)
		m.after = append(m.after, cache(m.anyKind(), size, size*m.some(1.5, 5)/float64(m.dumps-1)))
	}},
	{"pool that grows", func(m *making) {
		most := 100 + m.rand.IntN(400)
		m.after = append(m.after, pool(m.anyKind(), most, float64(most)/m.some(0.3, 0.6)/float64(m.dumps-1)))
	}},
	{"re-labelled", func(m *making) {
		typ := m.rand.IntN(6)
		from, to := m.kind(typ), m.kind(typ)
		for range 600 + m.rand.IntN(400) + 100*m.dumps {
			m.open(from)
		}
		m.after = append(m.after, relabel(from, to, m.some(40, 140)))
	}},
	{"load that comes and goes", func(m *making) {
		phase, period, depth := m.some(0, 2*math.Pi), m.some(3, 11), m.some(0.3, 0.7)
		mean := m.mean() / 3
		m.before = append(m.before, churn(m.anyKind(), m.some(300, 600), exponential(mean), mean, 1, func(t float64) float64 {
			return 1 + depth*math.Sin(phase+2*math.Pi*t/period)
		}))
	}},
	{"load that wanders", func(m *making) {
		x, last, mean := 0.0, -1.0, m.mean()/3
		m.before = append(m.before, churn(m.anyKind(), m.some(300, 600), exponential(mean), mean, 1, func(t float64) float64 {
			if t-last >= 0.1 {
				last, x = t, 0.97*x+0.12*m.rand.NormFloat64()
			}
			return math.Exp(x)
		}))
	}},
	{"burst", func(m *making) {
		kind, size := m.anyKind(), 100+m.rand.IntN(600)
		at, done := m.some(warmUp, warmUp+float64(m.dumps-1)), false
		m.before = append(m.before, churn(kind, 40, exponential(0.5), 0.5, 1, nil), func(w *world, _ float64) {
			if !done && w.now >= at {
				done = true
				for range size {
					w.openFor(kind, exponential(1.2)(w.rand))
				}
			}
		})
	}},
}

// mixed is a leak in a group of 200 that come and go.
func mixed(perInterval float64) maker {
	return func(m *making) {
		kind, mean := m.leaks(), m.mean()
		m.before = append(m.before, churn(kind, 200, exponential(mean), mean, 1, nil))
		m.after = append(m.after, leak(kind, perInterval, 1))
	}
}

var leaking = []struct {
	name string
	make maker
}{
	{"leak of 25 to 125", func(m *making) { m.after = append(m.after, leak(m.leaks(), m.some(25, 125), 1)) }},
	{"leak of 12", func(m *making) { m.after = append(m.after, leak(m.leaks(), 12, 1)) }},
	{"leak of 60 in batches", func(m *making) { m.after = append(m.after, leak(m.leaks(), 60, m.some(15, 30))) }},
	{"150 lost among 200", mixed(150)},
	{"60 lost among 200", mixed(60)},
	{"20 lost among 200", mixed(20)},
	{"batches among 100", func(m *making) {
		kind, mean := m.leaks(), m.mean()
		m.before = append(m.before, churn(kind, 100, exponential(mean), mean, 1, nil))
		m.after = append(m.after, leak(kind, 60, 10))
	}},
}

// background is what every process has beside: kinds that never change, and
// kinds that come and go, some in batches, some with a heavy tail.
func (m *making) background() {
	for range 12 {
		kind := m.anyKind()
		for range 20 + m.rand.IntN(150) {
			m.open(kind)
		}
	}
	for range 6 {
		mean, batch := math.Exp(m.some(-3, 1)), 1.0
		l := exponential(mean)
		if m.rand.IntN(3) == 0 {
			l = pareto(mean, m.some(1.3, 2.3))
		}
		if m.rand.IntN(3) == 0 {
			batch = m.some(2, 8)
		}
		m.before = append(m.before, churn(m.anyKind(), m.some(15, 215), l, mean, batch, nil))
	}
}

// generate makes a series.
func generate(scenario maker, dumps int, seed uint64) *generated {
	m := &making{world: newWorld(seed, seed%2 == 0), dumps: dumps, leaky: -1}
	m.background()
	scenario(m)
	m.run(warmUp, m.before)
	all := slices.Concat(m.before, m.after)
	g := &generated{types: m.types, leaky: m.leaky}
	for i := range dumps {
		if i > 0 {
			m.run(1, all)
		}
		shot := make(map[uint64]int, len(m.held))
		for v, kind := range m.held {
			shot[v] = kind
		}
		g.shots = append(g.shots, shot)
	}
	return g
}

// judged runs the verdict's arithmetic on a series, without any dump.
func judged(g *generated) *Process {
	n := len(g.shots)
	p := &Process{Series: &analysis.Series{}, table: &analysis.KindTable{}}
	p.Total.Counts = make([]uint64, n)
	for i := range n {
		p.Series.Snapshots = append(p.Series.Snapshots, &analysis.Snapshot{Time: time.Unix(int64(3600*i), 0)})
		p.Series.Hours = append(p.Series.Hours, float64(i))
	}
	p.Types = make([]Group, 6)
	for t := range p.Types {
		p.Types[t] = Group{HandleKind: analysis.HandleKind{Type: strconv.Itoa(t)}, Growth: Growth{Counts: make([]uint64, n)}}
	}
	p.Kinds = make([]Group, len(g.types))
	p.table.Rows = make([]analysis.KindRow, len(g.types))
	for k := range p.Kinds {
		p.Kinds[k] = Group{HandleKind: analysis.HandleKind{Type: strconv.Itoa(g.types[k])}, Growth: Growth{Counts: make([]uint64, n)}, rows: []int{k}}
		p.Types[g.types[k]].rows = append(p.Types[g.types[k]].rows, k)
		p.Types[g.types[k]].Kinds++
	}
	for i, shot := range g.shots {
		p.Total.Counts[i] = uint64(len(shot))
		for _, k := range shot {
			p.Kinds[k].Counts[i]++
			p.Types[g.types[k]].Counts[i]++
		}
	}
	f := newFollower(len(p.Kinds), len(p.Types), slices.Max(p.Total.Counts))
	chosen := spaced(n)
	for _, i := range chosen {
		f.dump()
		for v, k := range g.shots[i] {
			f.add(analysis.HandleID{Value: v, Object: uint64(k)}, int32(k), int32(g.types[k]))
		}
	}
	p.judge(f, chosen)
	return p
}

// An outcome counts what the verdict makes of series of one scenario.
type outcome struct{ series, leak, named, falseLeak, falseSuspect, silent int }

func (o *outcome) add(g *generated) {
	p := judged(g)
	o.series++
	worst := SeverityInfo
	for k := range p.Kinds {
		gr := &p.Kinds[k]
		s := cmp.Or(gr.judged.severity, SeverityInfo)
		if k != g.leaky {
			if s.rank() < worst.rank() {
				worst = s
			}
			continue
		}
		if s == SeverityLeak {
			o.leak++
		}
		if s != SeverityInfo {
			o.named++
		} else if why, _ := p.whyInnocent(gr); why == "" && gr.Net() >= minGrowth {
			o.silent++
		}
	}
	switch worst {
	case SeverityLeak:
		o.falseLeak++
		o.falseSuspect++
	case SeveritySuspect:
		o.falseSuspect++
	}
}

// TestScenarioTable holds the verdict against generated processes, and prints
// what it makes of them (-v): how many of a hundred healthy processes it
// accuses, and how many leaks it finds. DUMPSCAN_SERIES is the number of series
// for each cell, DUMPSCAN_SEED makes others.
func TestScenarioTable(t *testing.T) {
	t.Parallel()
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return n
		}
		return otherwise
	}
	otherwise := 3
	if testing.Verbose() { // somebody reads the table
		otherwise = 12
	}
	series, seed := number("DUMPSCAN_SERIES", otherwise), number("DUMPSCAN_SEED", 0)
	sizes := []int{3, 4, 6, 10}
	table := func(scenario maker, row int) []outcome {
		cells := make([]outcome, len(sizes))
		var wait sync.WaitGroup
		for c, n := range sizes {
			wait.Go(func() {
				for i := range series {
					cells[c].add(generate(scenario, n, uint64(seed)*1e9+uint64(row)*1e6+uint64(n)*1e4+uint64(i)))
				}
			})
		}
		wait.Wait()
		return cells
	}
	percent := func(part, whole int) string { return fmt.Sprintf("%4.0f", 100*float64(part)/float64(whole)) }
	t.Logf("%d series a cell; per cent LEAK / LEAK or SUSPECT, with %v dumps", series, sizes)
	var all, mix outcome
	for row, s := range healthy {
		line := fmt.Sprintf("%-26s", s.name)
		for _, o := range table(s.make, row) {
			line += percent(o.falseLeak, o.series) + " /" + percent(o.falseSuspect, o.series)
			all.series += o.series
			all.falseLeak += o.falseLeak
		}
		t.Log(line)
	}
	for row, s := range leaking {
		line := fmt.Sprintf("%-26s", s.name)
		for c, o := range table(s.make, len(healthy)+row) {
			line += percent(o.leak, o.series) + " /" + percent(o.named, o.series)
			all.series += o.series
			all.falseLeak += o.falseLeak
			if all.silent += o.silent; s.name == "60 lost among 200" && sizes[c] >= 4 {
				mix.series += o.series
				mix.named += o.named
			}
		}
		t.Log(line)
	}
	t.Logf("healthy groups called a leak: in %d of %d processes; of 60 an interval lost among 200, from four dumps on, %d of %d named", all.falseLeak, all.series, mix.named, mix.series)
	// One more than the share that is allowed: the series are few.
	if allowed := all.series/100 + 1; all.falseLeak > allowed {
		t.Errorf("%d healthy processes of %d are called leaking, more than 1 %%", all.falseLeak, all.series)
	}
	if missed := mix.series - mix.named; missed > mix.series/100+1 {
		t.Errorf("%d of %d leaks of 60 among 200 are not named, more than 1 %%", missed, mix.series)
	}
	if all.silent > 0 {
		t.Errorf("nothing is said of %d groups that grow", all.silent)
	}
}
