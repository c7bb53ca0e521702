package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// Text writes the owners for people: a sentence for each and what it rests on,
// and then the types without an owner.
func (r *OwnersReport) Text(w io.Writer, style Style) error {
	b := bufio.NewWriter(w)
	for i := range r.Owners.Owners {
		o := &r.Owners.Owners[i]
		fmt.Fprintf(b, "%s\n", style.Bold(OwnerSentence(o)))
		if o.Class != "" {
			fmt.Fprintf(b, "  class       %s\n", words.Escape(o.Class))
		}
		fmt.Fprintf(b, "  objects     %s\n", ownerObjects(o))
		fmt.Fprintf(b, "  by chance   about %s to be expected; confidence %s %%\n\n",
			humanize.Ftoa(o.ExpectedByChance), humanize.FtoaWithDigits(100*o.Confidence, 4))
	}
	if others := r.unowned(); others != "" {
		fmt.Fprintf(b, "no owner found: %s\n", others)
	}
	if len(r.Owners.Sets) == 0 {
		b.WriteString("the dump has no such handles\n")
		return b.Flush()
	}
	s := &r.Owners.Scan
	chosen := "private and writable memory"
	if s.Basis == owners.BasisLists {
		chosen = "all memory but modules and stacks, since the dump does not tell which is private"
	}
	fmt.Fprintf(b, "searched %s in %s: %s\n", humanize.IBytes(s.Bytes), countOf(uint64(s.Ranges), "range"), chosen)
	return b.Flush()
}

// OwnerSentence says who holds the handles, safe for a terminal.
func OwnerSentence(o *owners.Owner) string {
	kind := typeLabel(o.Type)
	if o.Label != "" {
		kind += " " + o.Label
	}
	return words.Escape(fmt.Sprintf("%s of %s %s handles sit at +%d %s",
		count(uint64(o.Handles)), count(uint64(o.Of)), kind, o.FieldOffset, ownerPlace(o)))
}

func ownerPlace(o *owners.Owner) string {
	place := fmt.Sprintf("%s+%#x", o.Module, o.ModuleOffset)
	switch o.Target {
	case owners.TargetVtable:
		if o.Class != "" {
			place += " (" + o.Class + ")"
		}
		return "of objects whose first word is " + place
	case owners.TargetCode:
		return "behind a pointer to the code at " + place
	case owners.TargetMemory:
		return fmt.Sprintf("of objects that begin with the address %s, outside all modules: a class of the CLR, or an object they share", o.Address)
	}
	return "behind a pointer to " + place
}

// ownerObjects tells how many objects there are, and where.
func ownerObjects(o *owners.Owner) string {
	var b strings.Builder
	b.WriteString(count(uint64(o.Objects)))
	if rest := o.Instances - o.Objects; rest > 0 {
		fmt.Fprintf(&b, " of %s; of the others, %s empty", count(uint64(o.Instances)), count(uint64(o.Empty)))
		if o.Empty == 1 {
			b.WriteString(" one")
		}
	}
	for i, e := range o.Examples {
		b.WriteString([]string{"; at ", ", "}[min(i, 1)] + e.Object.String())
	}
	if o.Objects > len(o.Examples) {
		b.WriteString(" ...")
	}
	return b.String()
}

// unowned lists the sets of which no owner was found, with their sizes.
func (r *OwnersReport) unowned() string {
	type set struct{ typ, label string }
	owned := map[set]bool{}
	for i := range r.Owners.Owners {
		o := &r.Owners.Owners[i]
		owned[set{o.Type, o.Label}] = true
	}
	var names []string
	for _, s := range r.Owners.Sets {
		if owned[set{s.Type, s.Label}] {
			continue
		}
		name := words.Escape(typeLabel(s.Type))
		if s.Label != "" {
			name += " " + words.Escape(s.Label)
		}
		names = append(names, fmt.Sprintf("%s (%s)", name, count(uint64(s.Count))))
	}
	return strings.Join(names, ", ")
}
