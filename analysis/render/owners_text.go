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
		if o.Class != "" {
			fmt.Fprintf(b, "  class       %s\n", words.Escape(o.Class))
		}
		if o.Symbol != "" {
			fmt.Fprintf(b, "  symbol      %s\n", words.Escape(o.Symbol))
		}
		fmt.Fprintf(b, "  %-10s  %s\n", o.things(), o.count())
		fmt.Fprintf(b, "  evidence    %s\n\n", words.Escape(o.Evidence))
	}
	if r.Omitted > 0 {
		fmt.Fprintf(b, "%s\n\n", words.More(r.Omitted, "owner"))
	}
	for i, set := range r.Unowned {
		b.WriteString([]string{"no owner found: ", ", "}[min(i, 1)] + words.Escape(set.String()))
	}
	if len(r.Unowned) > 0 {
		b.WriteByte('\n')
	}
	if len(r.Sets) == 0 {
		b.WriteString("the dump has no such handles\n")
		return nil
	}
	chosen := "private and writable memory"
	if r.Scan.Basis == owners.BasisLists {
		chosen = "all memory but modules and stacks, since the dump does not say which is private"
	}
	fmt.Fprintf(b, "searched %s in %s: %s\n", words.Bytes(r.Scan.Bytes), words.Plural(r.Scan.Ranges, "range"), chosen)
	return nil
}

// things is what holds the handles. Only what begins with a pointer to data or
// to shared memory is known to be an object.
func (o *Owner) things() string {
	if o.Target == owners.TargetVtable || o.Target == owners.TargetMemory {
		return "objects"
	}
	return "places"
}

// count says how many of them there are, and where.
func (o *Owner) count() string {
	var b strings.Builder
	b.WriteString(words.Count(o.Objects))
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

// String is a set and its size: "Key (706)".
func (s OwnerSet) String() string {
	name := words.Type(s.Type)
	if s.Label != "" {
		name += " " + s.Label
	}
	return fmt.Sprintf("%s (%s)", name, words.Count(s.Count))
}

// csv writes a row for each owner.
func (r *OwnersReport) csv(b *bufio.Writer) error {
	w := csv.NewWriter(b)
	w.Write([]string{"type", "module", "moduleOffset", "address", "target", "class", "symbol", "fieldOffset",
		"handles", "of", "objects", "instances", "empty", "expectedByChance", "confidence"})
	for i := range r.Owners {
		o := &r.Owners[i]
		w.Write([]string{words.CSVCell(o.Type), words.CSVCell(o.Module), optional(o.ModuleOffset, words.Hex[Hex]), words.Hex(o.Address),
			string(o.Target), words.CSVCell(o.Class), words.CSVCell(o.Symbol), strconv.Itoa(o.FieldOffset),
			strconv.Itoa(o.Handles), strconv.Itoa(o.Of), strconv.Itoa(o.Objects), strconv.Itoa(o.Instances), strconv.Itoa(o.Empty),
			strconv.FormatFloat(o.ExpectedByChance, 'f', -1, 64), strconv.FormatFloat(o.Confidence, 'f', -1, 64)})
	}
	w.Flush()
	return w.Error()
}
