package owners

import (
	"cmp"
	"context"
	"math"
	"slices"
)

const (
	// minRecords is the least number of handles of a record: the frames of a
	// few threads that wait at one place are records, too.
	minRecords = 16
	// recordPrior is the part of the fields of records that count: more than of
	// objects, since tables of files and of symbols are records.
	recordPrior = 0.05
	// recordPurity is the part of the words of a record that must have a
	// handle in their field, of those whose field is not empty.
	recordPurity = 0.7
	// rarePurity is recordPurity for what holds less than rareShare of a set:
	// offsets in a part of a file may all lie where a part of the handles does.
	rarePurity = 0.95
	rareShare  = 0.1
	// commonWord is how many words of a value, for each handle there is, make
	// it too common.
	commonWord = 16
)

// records looks for objects without a pointer: a number of 4 bytes that always
// stands at the same distance from a handle. Numbers are many, and some are
// everywhere; so nearly all words of a value must lead to a handle.
func (h *hunt) records(ctx context.Context, f *recordFinds, width int) ([]*claim, error) {
	c := &crowd{
		places:  float64(h.space.bytes) / float64(width) * (recordBefore + recordAfter) / 4,
		atLeast: f.counts.atLeast, prior: recordPrior, tolerance: arrayTolerance,
	}
	asked := h.enoughLeft()
	fields, err := h.inspect(ctx, look{
		list: h.survivors(c, f.list, asked), crowd: c, asked: asked, wordSize: 4, width: width,
		most: commonWord*h.targets.totals()[len(h.targets.sets)] + 1<<12,
	})
	return h.choose(ctx, c, fields, KindRecord), cmp.Or(err, ctx.Err())
}

// pure reports whether nearly all words lead to a handle, as far as a set
// demands.
func (h *hunt) pure(f *ownerField, set uint16) bool {
	objects := 0
	for _, s := range f.sets {
		objects += s.objects
	}
	least := recordPurity
	if float64(f.sets[set].objects) < rareShare*float64(h.targets.sets[set].Count) {
		least = rarePurity
	}
	return float64(objects) >= least*float64(f.instances-f.empty)
}

// canonicalRecord picks the word that says most among those of the same
// handles: text before numbers, then what leads nowhere else, then what is
// nearest. Where the start of the objects is known, so many bytes before the
// handle, the words in them come first: what stands before is the heap's.
func canonicalRecord(same []*suspect, start *int) *suspect {
	// The heap marks what follows an object as it marks the object.
	marks := map[uint64]bool{}
	for _, s := range same {
		if s.before(start) > 0 {
			marks[s.field.word] = true
		}
	}
	outside := func(s *suspect) int {
		if marks[s.field.word] {
			return 1
		}
		return 0
	}
	number := func(s *suspect) int {
		if constantText(uint32(s.field.word)) != "" {
			return 0
		}
		return 1
	}
	return slices.MinFunc(same, func(a, b *suspect) int {
		return cmp.Or(
			cmp.Compare(outside(a), outside(b)), cmp.Compare(number(a), number(b)),
			-cmp.Compare(a.before(start), b.before(start)), // among the heap's marks, the one before the object
			cmp.Compare(a.elsewhere(), b.elsewhere()),
			cmp.Compare(math.Abs(float64(a.field.offset)), math.Abs(float64(b.field.offset))), cmp.Compare(a.field.offset, b.field.offset))
	})
}

// elsewhere is how many words lead to no handle of the set.
func (s *suspect) elsewhere() int {
	return s.field.instances - s.field.empty - s.field.sets[s.set].objects
}

// constantText returns a number as the text it is, or "": four characters of
// ASCII, at least two of them letters.
func constantText(v uint32) string {
	letters := 0
	var b [4]byte
	for i := range b {
		b[i] = byte(v >> (8 * i))
		switch {
		case b[i]|0x20 >= 'a' && b[i]|0x20 <= 'z':
			letters++
		case b[i] < ' ' || b[i] > '~':
			return ""
		}
	}
	if letters < 2 {
		return ""
	}
	return string(b[:])
}
