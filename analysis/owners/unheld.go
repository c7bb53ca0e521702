package owners

import (
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// Unheld are the handles of a set that no owner holds. A few are in single
// variables, which nothing distinguishes from numbers; if they are many, what
// opened them has dropped them, or hides them.
type Unheld struct {
	Type    string
	Label   string // from Options.Group
	Handles int
	Of      int // handles in the set
}

// String is the set and how many of its handles that are: "Token (362)", "Event
// (8 of 42)".
func (u *Unheld) String() string {
	count := words.Count(u.Handles)
	if u.Handles < u.Of {
		count += " of " + words.Count(u.Of)
	}
	return fmt.Sprintf("%s (%s)", kindOf(u.Type, u.Label), count)
}

// Sentence says that nobody holds the handles, without a full stop; "" if they
// are less than half of the set or too few.
func (u *Unheld) Sentence() string {
	if u.Handles < minHandles || 2*u.Handles < u.Of {
		return ""
	}
	return fmt.Sprintf("no structure in memory holds %s: what opens them drops them, or keeps each in a variable of its own",
		words.Of(u.Handles, u.Of, kindOf(u.Type, u.Label)+" handle"))
}

// unheld counts the handles without an owner, by set.
func (h *hunt) unheld() []Unheld {
	t := h.targets
	all := make([]Unheld, len(t.sets))
	for slot, set := range t.slots {
		if set != slotFree && !h.explained.has(slot) {
			all[set].Handles++
		}
	}
	bySet := map[Set]Unheld{}
	for i, s := range t.sets {
		u := all[i]
		u.Type, u.Label, u.Of = s.Type, s.Label, s.Count
		bySet[s.Set] = u
	}
	var out []Unheld
	for _, s := range t.reported() {
		if u := bySet[s]; u.Handles > 0 {
			out = append(out, u)
		}
	}
	return out
}
