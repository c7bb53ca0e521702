package render

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// text writes a sentence for each owner and what it rests on, and then the
// types without an owner.
func (r *OwnersReport) text(b *bufio.Writer, style Style) error {
	for i := range r.Owners {
		o := &r.Owners[i]
		fmt.Fprintf(b, "%s\n", style.Bold(words.Escape(o.Sentence)))
		if o.Class != "" && o.Target != owners.TargetClass { // that is in the sentence
			fmt.Fprintf(b, "  class       %s\n", words.Escape(o.Class))
		}
		if o.Symbol != "" {
			fmt.Fprintf(b, "  symbol      %s\n", words.Escape(o.Symbol))
		}
		fmt.Fprintf(b, "  %-10s  %s\n", o.things(), o.count())
		for j := range o.Referrers {
			fmt.Fprintf(b, "  %-10s  %s\n", []string{"led to by", ""}[min(j, 1)], words.Escape(o.Referrers[j].Sentence))
		}
		for j := range o.Chain {
			fmt.Fprintf(b, "  %-10s  %s\n", []string{"those by", ""}[min(j, 1)], words.Escape(o.Chain[j].Sentence))
		}
		fmt.Fprintf(b, "  evidence    %s\n\n", words.Escape(o.Evidence))
	}
	if r.Omitted > 0 {
		fmt.Fprintf(b, "%s\n\n", words.More(r.Omitted, "owner"))
	}
	var unheld []string
	for _, u := range r.Unheld {
		if 2*u.Handles >= u.Of { // of the others, the owners say it
			unheld = append(unheld, u.Name)
		}
	}
	if len(unheld) > 0 {
		fmt.Fprintf(b, "no owner found: %s\n", words.Escape(strings.Join(unheld, ", ")))
	}
	if len(r.Sets) == 0 {
		b.WriteString("the dump has no such handles\n")
		return nil
	}
	chosen := "private and writable memory, and the variables of modules"
	if r.Scan.Basis == owners.BasisLists {
		chosen = "all memory but stacks and what modules cannot write, since the dump does not say which is private"
	}
	fmt.Fprintf(b, "searched %s in %s: %s\n", words.Bytes(r.Scan.Bytes), words.Plural(r.Scan.Ranges, "range"), chosen)
	return nil
}

// things is what holds the handles. Of what only stands behind a pointer, it is
// not known to be an object.
func (o *Owner) things() string {
	switch {
	case o.Kind == owners.KindArray || o.Kind == owners.KindGlobal:
		return "cells"
	case o.Start || o.Target == owners.TargetClass || o.Target == owners.TargetVtable || o.Target == owners.TargetMemory:
		return "objects"
	}
	return "places"
}

// count says how many of them there are, and where.
func (o *Owner) count() string {
	var b strings.Builder
	b.WriteString(words.Count(o.Objects))
	if o.Objects > o.Handles {
		b.WriteString(" (some hold the same handle)")
	}
	if rest := o.Instances - o.Objects; rest > 0 {
		fmt.Fprintf(&b, " of %s; of the others, %s empty", words.Count(o.Instances), words.Count(o.Empty))
	}
	for i, e := range o.Examples {
		b.WriteString([]string{"; at ", ", "}[min(i, 1)] + words.Hex(e.Object))
	}
	if o.Objects > len(o.Examples) {
		b.WriteString(" …")
	}
	return b.String()
}

// csv writes a row for each owner.
func (r *OwnersReport) csv(b *bufio.Writer) error {
	w := csv.NewWriter(b)
	w.Write([]string{"type", "kind", "module", "moduleOffset", "address", "target", "class", "classModule", "keeper", "keeperModule", "symbol", "constant", "text",
		"fieldOffset", "wordOffset", "width", "stride", "handles", "of", "objects", "instances", "empty", "expectedByChance", "confidence"})
	for i := range r.Owners {
		o := &r.Owners[i]
		w.Write([]string{words.CSVCell(o.Type), string(o.Kind), words.CSVCell(o.Module), optional(o.ModuleOffset, words.Hex[Hex]), optional(o.Address, words.Hex[Hex]),
			string(o.Target), words.CSVCell(o.Class), words.CSVCell(o.ClassModule), words.CSVCell(o.Keeper), words.CSVCell(o.KeeperModule), words.CSVCell(o.Symbol), optional(o.Constant, words.Hex[Hex]), words.CSVCell(o.ConstantText),
			strconv.Itoa(o.FieldOffset), strconv.Itoa(o.WordOffset), strconv.Itoa(o.Width), strconv.Itoa(o.Stride),
			strconv.Itoa(o.Handles), strconv.Itoa(o.Of), strconv.Itoa(o.Objects), strconv.Itoa(o.Instances), strconv.Itoa(o.Empty),
			strconv.FormatFloat(o.ExpectedByChance, 'f', -1, 64), strconv.FormatFloat(o.Confidence, 'f', -1, 64)})
	}
	w.Flush()
	return w.Error()
}
