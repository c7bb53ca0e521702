package htrace

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// A Pair is the traces of two dumps of one process. An error without a trace
// says why there is none; with one it says what could not be read.
type Pair struct {
	Earlier, Later       *Trace
	EarlierErr, LaterErr error
	// Disagree is set if each dump by itself says that it stores its operations
	// in another order than the other, and the overlap does not say which is
	// right. Each is read as it says then.
	Disagree bool
}

// ReadPair reads the traces of two dumps of one process, as [Read] does for
// one. Programs that write two dumps store both in the same order: what one of
// them does not show the other may, and the later trace must continue the
// earlier one, as long as the ring has not overwritten all that both hold. An
// earlier dump without a trace is no error: tracing began after it. The error
// is that of ctx.
func ReadPair(ctx context.Context, earlier, later *minidump.File, order Order) (*Pair, error) {
	p := &Pair{}
	p.Later, p.LaterErr = scanTrace(ctx, later)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	p.Earlier, p.EarlierErr = scanTrace(ctx, earlier)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var missing *analysis.MissingError
	if errors.As(p.EarlierErr, &missing) {
		p.EarlierErr = nil
	}
	p.orient(order)
	if p.Later != nil {
		p.Later, p.LaterErr = p.Later.replayed(ctx, later, p.LaterErr)
	}
	if p.Earlier != nil {
		p.Earlier, p.EarlierErr = p.Earlier.replayed(ctx, earlier, p.EarlierErr)
	}
	return p, ctx.Err()
}

// Notes say what is remarkable about the two traces: sentences without a full
// stop. The names are those of the dumps.
func (p *Pair) Notes(earlier, later string) []string {
	switch {
	case p.Earlier == nil && p.EarlierErr == nil:
		return []string{earlier + " has no handle operations: tracing began after it, and every operation is new"}
	case p.Disagree:
		return []string{fmt.Sprintf("%s seems to store its operations %s, %s %s", earlier, p.Earlier.Order, later, p.Later.Order)}
	}
	return nil
}

// sureOverlap is how many operations two traces have to share for their
// overlap alone to decide: a program that opens and closes in one rhythm makes
// records that look alike in both directions.
const sureOverlap = 8

// orient decides on the order of both traces.
func (p *Pair) orient(order Order) {
	if p.Earlier == nil || p.Later == nil || order != "" {
		for _, t := range []*Trace{p.Earlier, p.Later} {
			if t != nil {
				t.orient(order)
			}
		}
		return
	}
	first, why := p.Earlier.Evidence.decide()
	second, whySecond := p.Later.Evidence.decide()
	old, young := p.overlaps()
	better, overlap, less := OldestFirst, old, young
	if young > old {
		better, overlap, less = NewestFirst, young, old
	}
	silent, silentSecond := why == OrderByDefault, whySecond == OrderByDefault
	switch {
	case overlap > 2*less && (overlap >= sureOverlap || silent && silentSecond):
		first, why = overrule(first, why, better)
		second, whySecond = overrule(second, whySecond, better)
	case silent && !silentSecond:
		first, why = second, OrderByPair
	case silentSecond && !silent:
		second, whySecond = first, OrderByPair
	}
	p.Disagree = first != second
	p.Earlier.turn(first, why)
	p.Later.turn(second, whySecond)
}

// overrule is what a dump says by itself if it says the same as the overlap,
// and else the overlap.
func overrule(order Order, why OrderReason, better Order) (Order, OrderReason) {
	if order == better && why != OrderByDefault {
		return order, why
	}
	return better, OrderByOverlap
}

// overlaps returns how many operations both traces hold if they are stored
// oldest first, and newest first.
func (p *Pair) overlaps() (old, young int) {
	old = p.Later.overlap(p.Earlier)
	slices.Reverse(p.Later.records)
	slices.Reverse(p.Earlier.records)
	young = p.Later.overlap(p.Earlier)
	slices.Reverse(p.Later.records)
	slices.Reverse(p.Earlier.records)
	return old, young
}
