package main

import (
	"context"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A handleAnswer answers one call of the handles command.
type handleAnswer struct {
	*app
	q              *handleQuestion
	dump           *dump
	list, selected *analysis.HandleList
	report         *render.HandlesReport
}

// write writes the answer.
func (h *handleAnswer) write(ctx context.Context) error {
	h.report = &render.HandlesReport{
		Dump: render.NewDumpHeader(h.dump.name, analysis.DescribeHeader(h.dump.File)),
		Text: render.HandlesText{Flags: h.q.Flags, WinDbg: h.q.windbg, OneHandle: h.q.OneHandle, Typed: h.q.Handle, By: h.q.by},
	}
	note, err := h.answer(ctx)
	if err != nil {
		return err
	}
	r, format := h.report, h.q.output.format
	if err := h.app.write(r, format); err != nil {
		return err
	}
	if format == render.Text && r.Handles == nil && r.Groups == nil {
		for _, note := range r.Notes {
			h.notef("%s: %s", h.dump.name, note)
		}
	}
	if note != "" && format != render.JSON { // JSON has a field
		h.notef("%s", note)
	}
	return nil
}

// problem is what could not be read of the handles.
func (h *handleAnswer) problem(err error) { h.complain(h.dump.name, err) }

// answer fills the report. The note says what a limit left out.
func (h *handleAnswer) answer(ctx context.Context) (note string, err error) {
	if h.q.by != 0 && h.q.output.format != render.JSON {
		return h.groups(ctx) // which need no other counts
	}
	// The counts come first: they decide whether there is anything to list.
	selected, err := h.summarize(ctx, h.selected)
	if err != nil {
		return "", err
	}
	if selected.Total == 0 {
		if err := h.notFound(ctx); err != nil {
			return "", err
		}
	}
	if err := h.counts(ctx, selected); err != nil {
		return "", err
	}
	switch {
	case h.q.by != 0:
		return h.groups(ctx)
	case h.q.Listing:
		return h.listing(ctx, selected.Total)
	}
	return h.summary(ctx)
}

// notFound says why nothing was selected, if one handle was asked for.
func (h *handleAnswer) notFound(ctx context.Context) error {
	if err := h.selected.NotFound(ctx); err != nil {
		return fmt.Errorf("%s: %w", h.dump.name, err)
	}
	return nil
}

// summarize counts the handles of a list.
func (h *handleAnswer) summarize(ctx context.Context, l *analysis.HandleList) (*analysis.HandleSummary, error) {
	s, err := analysis.Summarize(ctx, l, 0)
	if s == nil {
		return nil, err
	}
	h.problem(err)
	return s, nil
}

// counts puts the numbers of handles of each type into the report: of those that
// were selected, and of all.
func (h *handleAnswer) counts(ctx context.Context, selected *analysis.HandleSummary) (err error) {
	all := selected
	if h.q.output.format == render.JSON && !h.q.filter.Everything() {
		if all, err = h.summarize(ctx, h.list); err != nil {
			return err
		}
	}
	r := h.report
	r.Total, r.Text.Total, r.Notes = all.Total, selected.Total, analysis.HandleNotes(h.dump.File, h.list, all)
	if r.Types, err = h.types(all); err != nil {
		return err
	}
	if r.Text.Selected, err = h.types(selected); err != nil {
		return err
	}
	if types := h.q.filter.Types; len(types) == 1 {
		r.Text.OneType, r.Text.Type = true, analysis.CanonicalType(types[0])
		if len(selected.Types) == 1 {
			r.Text.Type = selected.Types[0].Type // WinDbg may not know how it is spelled
		}
	}
	return nil
}

// types are the rows of a summary, in the order that was asked for if it is the
// answer.
func (h *handleAnswer) types(s *analysis.HandleSummary) ([]render.TypeCount, error) {
	types := s.Types
	if h.q.windbg {
		types = s.WinDbgTypes()
	}
	if !h.q.Listing && h.q.by == 0 {
		if err := analysis.SortTypes(types, h.q.sort); err != nil {
			return nil, usageError{err}
		}
	}
	return render.NewTypeCounts(types), nil
}

// summary limits the types, and says which of them dominates.
func (h *handleAnswer) summary(ctx context.Context) (note string, err error) {
	r, limit := h.report, h.q.limit.n
	if n := uint64(len(r.Types)); limit > 0 && limit < n {
		r.Types, r.Omitted = r.Types[:limit], n-limit
	}
	if n := uint64(len(r.Text.Selected)); limit > 0 && limit < n {
		r.Text.Selected = r.Text.Selected[:limit]
		note = words.Of(limit, n, "type") + " listed (--limit)"
	}
	if !h.q.hints && !(h.style.Terminal && h.q.output.format == render.Text) {
		return note, nil
	}
	d, err := analysis.FindDominant(ctx, h.list)
	if d == nil {
		return note, ctx.Err()
	}
	h.complain(h.dump.name, err)
	var options []string
	if h.q.windbg {
		options = append(options, "--windbg")
	}
	step := d.Next(h.dump.name, options...)
	r.Dominant, r.Next, r.Command = d.Sentence(), step.String(), step.Args
	return note, nil
}

// listing prepares to list handles.
func (h *handleAnswer) listing(ctx context.Context, total uint64) (note string, err error) {
	parts := h.q.Flags.Parts() | minidump.HandleTypeName
	if h.q.output.format != render.Text {
		parts = minidump.HandleAllParts
	}
	limit := h.q.limit.n
	listing, err := h.selected.Listing(parts, h.q.sort, limit)
	if err != nil {
		return "", usageError{err}
	}
	r := h.report
	r.Handles = render.NewHandleStream(func(visit func(*minidump.Handle) bool) error {
		return listing.Walk(ctx, visit)
	}, h.problem)
	if limit > 0 && limit < total {
		r.Omitted = total - limit
		note = words.Of(limit, total, "handle") + " listed (--limit)"
	}
	return note, nil
}

// groups answers --group-by.
func (h *handleAnswer) groups(ctx context.Context) (note string, err error) {
	groups, err := analysis.GroupHandles(ctx, h.selected, h.q.by)
	if groups == nil {
		return "", err
	}
	h.problem(err)
	if len(groups) == 0 {
		if err := h.notFound(ctx); err != nil {
			return "", err
		}
	}
	if err := analysis.SortGroups(groups, h.q.sort); err != nil {
		return "", usageError{err}
	}
	if limit, n := h.q.limit.n, len(groups); limit > 0 && limit < uint64(n) {
		groups = groups[:limit]
		h.report.Omitted = uint64(n) - limit
		note = words.Of(len(groups), n, "group") + " listed (--limit)"
	}
	h.report.Groups = render.NewHandleGroups(groups, h.q.by)
	return note, nil
}
