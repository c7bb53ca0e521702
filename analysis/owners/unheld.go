package owners

// Unheld are the handles of a set that no owner holds. A few are in single
// variables, which nothing distinguishes from numbers; if they are many, what
// opened them has dropped them, or hides them.
type Unheld struct {
	Type    string
	Label   string // from Options.Group
	Handles int
	Of      int // handles in the set
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
