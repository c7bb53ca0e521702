package main

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/minidump"
)

// handleQuery answers one call of the handles command.
type handleQuery struct {
	*app
	ctx    context.Context
	opts   *handlesFlags
	dump   *dump
	data   *analysis.HandleList
	filter *analysis.HandleFilter
	by     analysis.GroupKey
}

func (q *handleQuery) run() error {
	if q.by != 0 {
		return q.groups()
	}
	compare, err := handleOrder(q.opts.sort, q.opts.listing)
	if err != nil {
		return err
	}
	switch {
	case q.opts.json:
		return q.writeJSON(compare)
	case q.opts.csv && q.opts.listing:
		return q.listCSV(compare)
	case q.opts.csv:
		s, err := q.summarize()
		if err != nil {
			return err
		}
		return render.SummaryCSV(q.stdout, q.types(s))
	case q.opts.listing:
		return q.list(compare)
	}
	return q.summary()
}

// handles iterates over the selection. What could not be read is complained
// about at the end.
func (q *handleQuery) handles(parts minidump.HandleParts) iter.Seq[*minidump.Handle] {
	return func(yield func(*minidump.Handle) bool) {
		q.complain(q.dump.name, q.data.Select(*q.filter).Walk(q.ctx, parts, yield))
	}
}

// summarize counts the selection and reports what could not be read.
func (q *handleQuery) summarize() (*analysis.HandleSummary, error) {
	s, err := analysis.Summarize(q.ctx, q.data.Select(*q.filter), 0)
	if s == nil {
		return nil, err
	}
	q.complain(q.dump.name, err)
	if s.Total == 0 && q.filter.Handle != 0 {
		return nil, fmt.Errorf("%s: no open handle %#x", q.dump.name, q.filter.Handle)
	}
	return s, q.ctx.Err()
}

// types are the rows of the summary in the order that was asked for.
func (q *handleQuery) types(s *analysis.HandleSummary) []analysis.TypeCount {
	types := s.Types
	if q.opts.windbg {
		types = s.WinDbgTypes()
	}
	switch q.opts.sort {
	case "count":
		slices.SortStableFunc(types, func(a, b analysis.TypeCount) int { return cmp.Compare(b.Count, a.Count) })
	case "type":
		slices.SortFunc(types, func(a, b analysis.TypeCount) int { return cmp.Compare(a.Type, b.Type) })
	}
	if q.opts.limit > 0 && !q.opts.listing && q.opts.limit < uint64(len(types)) {
		types = types[:q.opts.limit]
	}
	return types
}

func (q *handleQuery) text() *render.HandleText {
	return render.NewHandleText(q.stdout, render.HandleTextOptions{
		PointerSize: q.dump.PointerSize(), Flags: q.opts.flags, WinDbg: q.opts.windbg, Style: q.style,
	})
}

// summary prints "!handle 0 0".
func (q *handleQuery) summary() error {
	s, err := q.summarize()
	if err != nil {
		return err
	}
	t := q.text()
	if q.filter.Type != nil {
		t.TypeFooter(q.footerType(s), s.Total)
	} else {
		t.Summary(s, q.types(s))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, note := range handleNotes(q.dump, q.data, s) {
		q.notef("%s: %s", q.dump.name, note)
	}
	return q.hint()
}

// hint prints a sentence about the type that dominates.
func (q *handleQuery) hint() error {
	if !q.opts.hints && !q.style.Terminal {
		return nil
	}
	d, err := analysis.FindDominant(q.ctx, q.data)
	if d == nil {
		return q.ctx.Err()
	}
	_, err = fmt.Fprintf(q.stdout, "\n%s\n", q.style.Bold(render.DominantSentence(d, q.dump.name)))
	return err
}

// footerType is the canonical name of the type that was asked for. Types that
// WinDbg does not know are spelled as the dump does.
func (q *handleQuery) footerType(s *analysis.HandleSummary) string {
	if len(s.Types) == 1 {
		return s.Types[0].Type
	}
	return analysis.CanonicalType(*q.filter.Type)
}

// list prints the handles, and below them how many there are.
func (q *handleQuery) list(compare func(a, b *minidump.Handle) int) error {
	t := q.text()
	printed := uint64(0)
	for h := range q.ordered(q.opts.flags.Parts()|minidump.HandleTypeName, compare) {
		if q.opts.limit == 0 || printed < q.opts.limit {
			printed++
			t.Handle(h)
		}
		if q.ctx.Err() != nil {
			return q.ctx.Err()
		}
	}
	s, err := analysis.Summarize(q.ctx, q.data.Select(*q.filter), 0)
	if s == nil {
		return err
	}
	switch {
	case q.filter.Handle != 0:
		if s.Total == 0 {
			return fmt.Errorf("%s: no open handle %#x", q.dump.name, q.filter.Handle)
		}
	case q.filter.Type != nil:
		t.TypeFooter(q.footerType(s), s.Total)
	default:
		t.Summary(s, q.types(s))
	}
	if printed < s.Total {
		q.notef("%d of %d handles listed (--limit)", printed, s.Total)
	}
	if s.Total == 0 {
		q.misspelled()
	}
	return t.Flush()
}

// misspelled says that the dump has no handle of the type asked for, if that
// may be because of its spelling.
func (q *handleQuery) misspelled() {
	typ := q.filter.Type
	if typ == nil || *typ == "" || analysis.KnownType(*typ) {
		return
	}
	s, err := analysis.Summarize(q.ctx, q.data.Select(analysis.HandleFilter{Type: typ}), 0)
	if err == nil && s.Total == 0 {
		q.notef("%s: no handle is of type %q, which WinDbg does not know either; is it spelled right?", q.dump.name, *typ)
	}
}

// ordered iterates over the selection, in the order of the file if compare is
// nil. Sorting needs the selection in memory.
func (q *handleQuery) ordered(parts minidump.HandleParts, compare func(a, b *minidump.Handle) int) iter.Seq[*minidump.Handle] {
	unsorted := q.handles(parts | sortParts(q.opts.sort))
	if compare == nil {
		return unsorted
	}
	return func(yield func(*minidump.Handle) bool) {
		var all []minidump.Handle
		for h := range unsorted {
			all = append(all, *h)
		}
		slices.SortStableFunc(all, func(a, b minidump.Handle) int { return compare(&a, &b) })
		for i := range all {
			if !yield(&all[i]) {
				return
			}
		}
	}
}

// handleOrder returns the comparison for --sort, nil for the order of the file
// or of the summary.
func handleOrder(sort string, listing bool) (func(a, b *minidump.Handle) int, error) {
	if !listing {
		if sort != "" && sort != "count" && sort != "type" {
			return nil, usagef("--sort of the summary is count or type, not %s", sort)
		}
		return nil, nil
	}
	switch sort {
	case "":
		return nil, nil
	case "handle":
		return func(a, b *minidump.Handle) int { return cmp.Compare(a.Handle, b.Handle) }, nil
	case "type":
		return func(a, b *minidump.Handle) int { return strings.Compare(a.TypeName, b.TypeName) }, nil
	case "name":
		return func(a, b *minidump.Handle) int { return strings.Compare(a.ObjectName, b.ObjectName) }, nil
	case "access":
		return func(a, b *minidump.Handle) int { return cmp.Compare(a.GrantedAccess, b.GrantedAccess) }, nil
	case "handlecount":
		return func(a, b *minidump.Handle) int { return cmp.Compare(b.HandleCount, a.HandleCount) }, nil
	case "pointercount":
		return func(a, b *minidump.Handle) int { return cmp.Compare(b.PointerCount, a.PointerCount) }, nil
	}
	return nil, usagef("--sort of handles is handle, type, name, access, handlecount or pointercount, not %s", sort)
}

func sortParts(sort string) minidump.HandleParts {
	switch sort {
	case "type":
		return minidump.HandleTypeName
	case "name":
		return minidump.HandleObjectName
	}
	return 0
}

// groups answers --group-by.
func (q *handleQuery) groups() error {
	groups, err := analysis.GroupHandles(q.ctx, q.data.Select(*q.filter), q.by)
	if q.ctx.Err() != nil {
		return q.ctx.Err()
	}
	q.complain(q.dump.name, err)
	switch q.opts.sort {
	case "", "count":
	case "type":
		slices.SortStableFunc(groups, func(a, b analysis.HandleGroup) int { return strings.Compare(a.Type, b.Type) })
	default:
		return usagef("--sort of groups is count or type, not %s", q.opts.sort)
	}
	all := len(groups)
	if q.opts.limit > 0 && q.opts.limit < uint64(all) {
		groups = groups[:q.opts.limit]
		q.notef("%d of %d groups listed (--limit)", len(groups), all)
	}
	switch {
	case q.opts.json:
		return q.groupsJSON(groups)
	case q.opts.csv:
		return render.GroupsCSV(q.stdout, groups, q.by)
	}
	return render.GroupsText(q.stdout, groups, q.by, q.style)
}

func (q *handleQuery) listCSV(compare func(a, b *minidump.Handle) int) error {
	handles := q.limited(q.ordered(minidump.HandleAllParts, compare))
	err := render.HandlesCSV(q.stdout, handles)
	return err
}

// limited ends the iteration after --limit handles.
func (q *handleQuery) limited(handles iter.Seq[*minidump.Handle]) iter.Seq[*minidump.Handle] {
	return func(yield func(*minidump.Handle) bool) {
		n := uint64(0)
		for h := range handles {
			if q.ctx.Err() != nil || !yield(h) {
				return
			}
			if n++; n == q.opts.limit {
				return
			}
		}
	}
}

// report collects what every JSON answer of the command begins with.
func (q *handleQuery) report() (*render.HandleReport, error) {
	all, err := analysis.Summarize(q.ctx, q.data, 0)
	if all == nil {
		return nil, err
	}
	if err != nil {
		q.complain(q.dump.name, err)
	}
	r := &render.HandleReport{
		Dump:    render.NewDumpHeader(q.dump.name, analysis.DescribeHeader(q.dump.File)),
		Summary: all,
		Notes:   handleNotes(q.dump, q.data, all),
	}
	r.Types = all.Types
	if q.opts.windbg {
		r.Types = all.WinDbgTypes()
	}
	if err != nil {
		r.Errors = append(r.Errors, err.Error())
	}
	return r, q.ctx.Err()
}

func (q *handleQuery) groupsJSON(groups []analysis.HandleGroup) error {
	r, err := q.report()
	if err != nil {
		return err
	}
	return r.WriteGroups(q.stdout, groups, q.by)
}

func (q *handleQuery) writeJSON(compare func(a, b *minidump.Handle) int) error {
	r, err := q.report()
	if err != nil {
		return err
	}
	if !q.opts.listing {
		return r.WriteSummary(q.stdout)
	}
	n := uint64(0)
	var failed error
	err = r.WriteHandles(q.stdout, func(yield func(*minidump.Handle) bool) {
		for h := range q.limited(q.ordered(minidump.HandleAllParts, compare)) {
			if n++; !yield(h) {
				return
			}
		}
	}, func() error { return failed })
	if n == 0 && q.filter.Handle != 0 {
		return fmt.Errorf("%s: no open handle %#x", q.dump.name, q.filter.Handle)
	}
	return err
}
