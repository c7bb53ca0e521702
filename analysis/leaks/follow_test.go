package leaks

import "testing"

// TestFollows wants about one in so many of the values that Windows gives,
// whatever their distance, and all of a small dump.
func TestFollows(t *testing.T) {
	for _, largest := range []uint64{1, mostHandles, mostHandles + 1, 4 * mostHandles, 40 * mostHandles} {
		f := newFollower(0, 0, largest)
		for _, step := range []uint64{4, 8, 64, 4096, 1 << 20} {
			const values = 200_000
			followed := 0
			for i := range uint64(values) {
				if f.follows(i * step) {
					followed++
				}
			}
			want := values / int(f.sample)
			if off := max(followed-want, want-followed); off > want/20 || f.sample == 1 && off != 0 {
				t.Errorf("%d of %d values in steps of %d of a dump of %d, want about %d", followed, values, step, largest, want)
			}
		}
	}
}
