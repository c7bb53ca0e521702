package owners

import "time"

// derived is the part of neighbours in memory whose difference is that of their
// places, in fields that follow from the place.
const derived = 0.7

// derivedFromHandle reports whether the field is the handle in other words, or
// another handle: values are given to the next taker, too.
func (c *comparison) derivedFromHandle(s *sampled, f markField) bool {
	n := 0
	for i := range s.new {
		if v, ok := s.new[i].new.value(f); ok {
			h := s.new[i].value
			if v&^3 == h || v == h>>2 || v == h>>2-1 || v == uint64(^uint32(h)) || c.values.of(v)&valueNew != 0 {
				n++
			}
		}
	}
	return 2*n > len(s.new)
}

// derivedFromPlace reports whether the field grows with the place, as an index
// does. That of objects which were made one after another does so too; but then
// others take their places sooner or later.
func (c *comparison) derivedFromPlace(s *sampled, f markField) bool {
	ratios := map[float64]int{}
	most := 0
	var last uint64
	var at uint64
	for i := range s.new {
		v, ok := s.new[i].new.value(f)
		if !ok {
			continue
		}
		if at != 0 && s.new[i].new.at != at {
			ratio := float64(int64(v-last)) / float64(s.new[i].new.at-at)
			ratios[ratio]++
			most = max(most, ratios[ratio])
		}
		last, at = v, s.new[i].new.at
	}
	return float64(most) >= derived*float64(len(s.new)-1)
}

// passedOn reports whether numbers may be given to the next object when one is
// gone, as indices are: they are close together, and there are not many more new
// ones than there are more objects.
func (c *comparison) passedOn(class *holderClass, now map[uint64]uint64, largest uint64) bool {
	old, new := len(class.places[0].held), len(class.places[1].held)
	low, high := ^uint64(0), uint64(0)
	for v := range now {
		low, high = min(low, v), max(high, v)
	}
	return high-low < 4*uint64(new) && high <= largest+uint64(max(new-old, 0)+max(minHandles, new/8))
}

// isTime reports whether the field is a time: of the last use perhaps, and not
// of the creation.
func (c *comparison) isTime(s *sampled, f markField, largest uint64, now map[uint64]uint64) bool {
	const years = 30 * 365 * 24 * 3600
	seconds := uint64(max(c.time.Unix(), 0))
	near := func(v uint64) bool { return v+years > seconds && v < seconds+years }
	fileTime := func(v uint64) bool { return near(v/1e7 - 11644473600) } // 100 ns since 1601
	newest, times := uint64(0), 0
	for v := range now {
		newest = max(newest, v)
		if near(v) || f.size == 8 && (fileTime(v) || near(v/1e3) || near(v/1e6)) {
			times++
		}
	}
	if 2*times > len(now) {
		return true
	}
	// The lower half of a time.
	times = 0
	for i := range s.new {
		x := &s.new[i].new
		for _, off := range [...]int{f.off, f.off - 4} {
			if v, ok := x.value(markField{off, 8}); ok && f.size == 4 && (fileTime(v) || near(v/1e3) || near(v/1e6)) {
				times++
			}
		}
	}
	if 2*times > len(s.new) {
		return true
	}
	// A clock that began somewhere goes on by what is between the dumps.
	for _, unit := range [...]time.Duration{time.Second, time.Millisecond, time.Microsecond, 100 * time.Nanosecond, time.Nanosecond} {
		ticks := float64(c.elapsed) / float64(unit)
		if went := float64(newest - min(newest, largest)); ticks >= 8 && went >= 0.8*ticks && went <= 1.05*ticks {
			return true
		}
	}
	return false
}
