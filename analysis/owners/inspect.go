package owners

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// A look is what a pass looks at.
type look struct {
	list     []candidate
	crowd    *crowd
	asked    func(set uint16) bool
	wordSize int // bytes of the word that objects have in common
	width    int // bytes of the field
	most     int // words of a value from which on it is too common; 0 without limit
}

// inspect looks at the fields of all objects that have the words of a list. It
// is a pass, but for what was foreseen, and for what a part of the windows shows
// to be numbers.
func (h *hunt) inspect(ctx context.Context, l look) ([]*ownerField, error) {
	if len(l.list) == 0 {
		return nil, nil
	}
	seen := h.foreseen.of(&l)
	fields, number := make([]*ownerField, len(l.list)), map[*ownerField]int{}
	for i, c := range l.list {
		if fields[i] = seen.field(c.constellation); fields[i] == nil {
			fields[i] = h.newField(c.constellation, l.width)
		}
		number[fields[i]] = i
	}
	var views [workers][]fieldView
	for worker := range views {
		views[worker] = make([]fieldView, len(fields))
	}
	join := func(s *inspection) {
		for worker := range views {
			for i, f := range s.fields {
				if n, ok := number[f]; ok {
					views[worker][n].join(&s.views[worker][i])
				}
			}
		}
	}
	left := fields
	for _, span := range [...]windowSpan{{0, h.early}, {h.early, 2 * h.early}, {2 * h.early, 4 * h.early}, {4 * h.early, math.MaxInt}} {
		if len(left) == 0 || span.from == span.to {
			continue
		}
		s := h.newInspection(&l, left)
		if err := s.pass(ctx, span); err != nil {
			return nil, err
		}
		join(s)
		if span.from == 0 {
			join(seen.inspected())
		}
		left = slices.DeleteFunc(slices.Clone(left), func(f *ownerField) bool {
			if seen.field(f.constellation) != nil {
				return true
			}
			f.common = h.early > 0 && !h.convincing(l.crowd, &l.list[number[f]], l.asked, h.strangers(f))
			return f.common
		})
	}
	for worker := range views {
		for i, f := range fields {
			v := &views[worker][i]
			v.common = v.common || l.most > 0 && v.instances > l.most
			f.merge(v)
		}
	}
	return slices.DeleteFunc(fields, func(f *ownerField) bool { return f.common }), nil
}

// strangers counts the numbers of a field that are no open handles.
func (h *hunt) strangers(f *ownerField) int {
	open := func(slot int) bool { return slot < len(h.targets.slots) && h.targets.slots[slot] != slotFree }
	return f.others.count() + f.multiples.count() - len(hitsOf(f.multiples, open))
}

func (h *hunt) newField(c constellation, width int) *ownerField {
	return &ownerField{constellation: c, width: width, sets: map[uint16]*fieldSet{}, numbers: newNumbers(h.targets)}
}

// An inspection finds the objects that have certain words, and takes down their
// fields.
type inspection struct {
	*hunt
	look    *look
	fields  []*ownerField
	offsets []int                // by field
	views   [workers][]fieldView // by field
	index   *wordIndex
}

func (h *hunt) newInspection(l *look, fields []*ownerField) *inspection {
	s := &inspection{hunt: h, look: l, fields: fields, index: newWordIndex(fields)}
	for _, f := range fields {
		s.offsets = append(s.offsets, int(f.offset))
	}
	for i := range s.views {
		s.views[i] = make([]fieldView, len(fields))
	}
	return s
}

// pass reads what is needed of a span of windows.
func (s *inspection) pass(ctx context.Context, span windowSpan) error {
	before, after := 0, 0
	for _, offset := range s.offsets {
		before, after = max(before, -offset), max(after, offset+s.look.width)
	}
	return s.eachWindow(ctx, span, before, after, s.visit)
}

func (s *inspection) visit(worker int, w *window) {
	v := fieldVisitor{inspection: s, views: s.views[worker], window: w, slots: s.targets.fieldSlots()}
	if s.look.wordSize == 4 {
		s.index.each32(w, v.object)
	} else {
		s.index.each64(w, v.object)
	}
}

// fieldView is what one worker found in one field.
type fieldView struct {
	instances, empty int
	common           bool
	sets             map[uint16]*fieldSet
}

// join adds what was found in later windows.
func (v *fieldView) join(later *fieldView) {
	v.instances += later.instances
	v.empty += later.empty
	v.common = v.common || later.common
	for id, s := range later.sets {
		all := v.set(id)
		all.objects += s.objects
		all.examples = append(all.examples, s.examples...)
		all.examples = all.examples[:min(len(all.examples), ownerExamples)]
		all.places = append(all.places, s.places...)
		all.places = all.places[:min(len(all.places), maxPlaces)]
	}
}

// set returns what is known of a set of handles.
func (v *fieldView) set(id uint16) *fieldSet {
	s := v.sets[id]
	if s == nil {
		if v.sets == nil {
			v.sets = map[uint16]*fieldSet{}
		}
		s = &fieldSet{}
		v.sets[id] = s
	}
	return s
}

func (f *ownerField) merge(v *fieldView) {
	f.instances += v.instances
	f.empty += v.empty
	f.common = f.common || v.common
	for id, s := range v.sets {
		all := f.sets[id]
		if all == nil {
			all = &fieldSet{}
			f.sets[id] = all
		}
		all.objects += s.objects
		all.examples = append(all.examples, s.examples...)
		slices.SortFunc(all.examples, func(a, b Example) int { return cmp.Compare(a.Object, b.Object) })
		all.examples = all.examples[:min(len(all.examples), ownerExamples)]
		all.places = append(all.places, s.places...)
	}
}

// A fieldVisitor takes down the fields of the objects in one window.
type fieldVisitor struct {
	*inspection
	views  []fieldView
	window *window
	slots  int // of the numbers
}

// object is called for a word at data[i] that belongs to the given fields.
func (v *fieldVisitor) object(i int, fields []int) {
	for _, n := range fields {
		at := i + v.offsets[n]
		if at < 0 || at+v.look.width > len(v.window.data) {
			continue // the field was not captured
		}
		view := &v.views[n]
		if v.look.most > 0 && view.instances >= v.look.most {
			view.common = true
			continue
		}
		view.instances++
		value := readValue(v.window.data[at:], v.look.width)
		if value == 0 || value == ^uint64(0) {
			view.empty++
			continue
		}
		v.fields[n].add(value, v.slots)
		if id := v.targets.set(value); id != slotFree {
			view.set(id).add(value, v.window.start+uint64(i), v.offsets[n])
		}
	}
}

// add takes down a handle so far behind the word of an object.
func (s *fieldSet) add(handle, object uint64, offset int) {
	s.objects++
	if len(s.examples) < ownerExamples {
		s.examples = append(s.examples, Example{Object: vaOf(object), Handle: handle})
	}
	if len(s.places) < maxPlaces {
		s.places = append(s.places, object+uint64(int64(offset)))
	}
}
