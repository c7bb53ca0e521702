package leaks

import (
	"context"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// followHandles goes through the dumps of a series once more, and judges the
// growth of its groups and types.
func (p *Process) followHandles(ctx context.Context, o *Options, dumps *dumpReader) error {
	chosen := spaced(len(p.Series.Snapshots))
	f := newFollower(len(p.Kinds), len(p.Types), slices.Max(p.Total.Counts))
	groupOf, typeOf := p.groupsOfRows()
	find, match := p.table.Finder(), analysis.NewHandleMatcher(!p.table.NamesIgnored, !p.table.StatesIgnored)
	for _, i := range chosen {
		f.dump()
		err := dumps.handles(ctx, p.Series.Snapshots[i], func(h *minidump.Handle) {
			if !f.follows(h.Handle) {
				return
			}
			if row := find.Row(h); row >= 0 { // else it is damaged, and was read differently the second time
				f.add(match.ID(h), groupOf[row], typeOf[row])
			}
		})
		if err != nil {
			return err
		}
	}
	p.judge(f, chosen)
	if err := p.identify(ctx, o, dumps, f, chosen); err != nil {
		return err
	}
	return ctx.Err()
}

// groupsOfRows finds the group and the type of each row of the table.
func (p *Process) groupsOfRows() (groups, types []int32) {
	groups, types = make([]int32, len(p.table.Rows)), make([]int32, len(p.table.Rows))
	for i := range groups {
		groups[i] = -1
	}
	for g := range p.Kinds {
		for _, row := range p.Kinds[g].rows {
			groups[row] = int32(g)
		}
	}
	for t := range p.Types {
		for _, row := range p.Types[t].rows {
			types[row] = int32(t)
		}
	}
	return groups, types
}

// judge measures all groups by what the follower has seen in some dumps.
func (p *Process) judge(f *follower, chosen []int) {
	x := f.flows()
	times := p.times(chosen)
	n := len(chosen)
	groups := make([]growing, len(p.Kinds))
	fits := make([]fit, len(p.Kinds))
	var d dispersion
	alike := f.alike(false)
	for g := range p.Kinds {
		groups[g] = p.growing(&p.Kinds[g], x.groups, g, alike[g], chosen, times)
		fits[g] = fitLine(groups[g].counts, times, groups[g].covariance())
		if _, out, _ := groups[g].coming(); out >= minChurn {
			d.add(fits[g], n)
		}
	}
	noise := make([][]float64, len(p.Types))
	for t := range noise {
		noise[t] = make([]float64, n)
	}
	_, typeOf := p.groupsOfRows()
	typeOfGroup := func(g int) int { return int(typeOf[p.Kinds[g].rows[0]]) }
	for g := range groups {
		for i := range n - 1 {
			noise[typeOfGroup(g)][i] += d.process() * groups[g].noiseAt(i)
		}
	}
	explained := make([]float64, len(p.Types)) // growth of each type by groups that were judged by themselves
	for g := range groups {
		t := typeOfGroup(g)
		gr := &groups[g]
		gr.typ = p.countsIn(&p.Types[t], chosen)
		gr.noise = make([]float64, n)
		for i := range n - 1 {
			gr.noise[i] = max(0, noise[t][i]-d.process()*gr.noiseAt(i))
		}
		p.Kinds[g].conclude(gr, fits[g], &d, len(groups), f, g, false, chosen)
		if gr.net() >= minGrowth && p.Kinds[g].judged.trend != TrendNoise {
			explained[t] += gr.net()
		}
	}
	alike = f.alike(true)
	for t := range p.Types {
		gr := p.growing(&p.Types[t], x.types, t, alike[t], chosen, times)
		gr.typ, gr.noise = gr.counts, make([]float64, n)
		p.Types[t].conclude(&gr, fitLine(gr.counts, times, gr.covariance()), &d, len(p.Types), f, t, true, chosen)
		if gr.net()-explained[t] < unexplained*gr.net() {
			p.Types[t].judged = judgement{trend: TrendNone, severity: SeverityInfo} // its groups were
		}
	}
}

// noiseAt is the variance of the group's change in an interval, if it does not
// grow.
func (g *growing) noiseAt(i int) float64 {
	s := g.shared(i, i+1)
	in, out, hidden := g.counts[i+1]-s, g.counts[i]-s, s-g.kept(i, i+1)
	return 2 * (max(0, min(in, out)) + hidden)
}

// times are the times of dumps, or their numbers where those are not known.
func (p *Process) times(chosen []int) []float64 {
	times := make([]float64, len(chosen))
	for i, c := range chosen {
		times[i] = at(p.Series.Hours, c)
	}
	return times
}

// countsIn are the counts of a group in some dumps.
func (p *Process) countsIn(g *Group, chosen []int) []float64 {
	counts := make([]float64, len(chosen))
	for i, c := range chosen {
		counts[i] = float64(g.Counts[c])
	}
	return counts
}

// growing collects the numbers of one group or type; alike is that of the
// follower.
func (p *Process) growing(g *Group, pairs [][]*pairing, at int, alike float64, chosen []int, times []float64) growing {
	gr := growing{alike: alike, counts: p.countsIn(g, chosen), times: times, timed: p.Series.Hours != nil, total: p.countsIn(&p.Total, chosen)}
	n := len(chosen)
	gr.moved = pairs[0][n-1].moved[at]
	gr.shared = func(i, j int) float64 {
		// Of a large dump the shared handles are an estimate.
		return min(pairs[i][j].shared[at], gr.counts[i], gr.counts[j])
	}
	gr.flow = func(i, j int) float64 { return pairs[i][j].flow }
	gr.kept = func(i, j int) float64 {
		s := gr.shared(i, j)
		in, out := gr.counts[j]-s, gr.counts[i]-s
		rest := max(1, gr.flow(i, j)-(in+out)/2)
		return p.keptOf(g.Held, s, alike*in*out/rest, chosen[i], chosen[j])
	}
	return gr
}

// conclude judges a group, and fills in what is shown of it.
func (g *Group) conclude(gr *growing, line fit, d *dispersion, groups int, f *follower, at int, ofType bool, chosen []int) {
	g.judged = gr.judge(line, d, groups)
	g.passes()
	if gr.timed {
		scatter := d.of(line, gr.n())
		if !gr.churns() && g.judged.dispersion > 0 {
			scatter = g.judged.dispersion
		}
		g.Rate = rateOf(line, scatter, gr.counts, gr.times)
	}
	if gr.net() >= minGrowth {
		t := f.turnover(at, ofType, chosen)
		t.Identified = gr.alike < identified
		g.Turnover = &t
	}
}
