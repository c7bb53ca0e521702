package owners

import (
	"fmt"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// KeptSentence says what is known of values that two dumps have, without a full
// stop: "of 150 values in both dumps, 100 are the same handle and 50 were
// replaced, by what holds them". where is "in both dumps".
func KeptSentence(where string, kept, same, replaced uint64) string {
	values := "of " + words.Plural(kept, "value") + " " + where
	if same+replaced == 0 {
		return values + ", what holds them does not say whether they are the same handles"
	}
	return values + ", " + KeptClause(kept, same, replaced)
}

// KeptClause is the end of [KeptSentence].
func KeptClause(kept, same, replaced uint64) string {
	var parts []string
	if same > 0 {
		parts = append(parts, be(same, "is", "are")+" the same handle")
	}
	if replaced > 0 {
		parts = append(parts, be(replaced, "was", "were")+" replaced")
	}
	s := strings.Join(parts, " and ") + ", by what holds them"
	if unknown := kept - same - replaced; unknown > 0 {
		s += fmt.Sprintf("; of %s it is not known", words.Count(unknown))
	}
	return s
}

// be is "1 was" or "2 were".
func be(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return words.Count(n) + " " + many
}

// Sentence says what distinguishes the objects of the holder, without a full stop:
// "Lease: by what differs between its objects, at +0x10 and +0x18".
func (h *HolderIdentity) Sentence() string {
	if len(h.Marks) == 0 {
		if h.Replaced > 0 {
			return h.Owner.Name() + ": by where its objects are; nothing else distinguishes them"
		}
		return h.Owner.Name() + ": nothing distinguishes its objects"
	}
	marks := make([]string, len(h.Marks))
	for i, m := range h.Marks {
		marks[i] = words.Offset(m.Offset)
		if m.Size == 0 {
			marks[i] = "the text that " + marks[i] + " leads to"
		}
	}
	s := h.Owner.Name() + ": by what differs between its objects, at " + strings.Join(marks, ", ")
	if h.Changed > 0 {
		s += fmt.Sprintf("; %s changed there, replaced or used", be(uint64(h.Changed), "has", "have"))
	}
	return s
}
