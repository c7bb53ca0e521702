package waits

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// waiting is a thread that waits for a Mutant of another one, or of nobody.
func waiting(thread, owner uint32) Wait {
	return Wait{ThreadID: thread, Objects: []Object{{Handle: uint64(thread) * 4, Type: "Mutant", Thread: owner, Process: 1}}}
}

func TestChains(t *testing.T) {
	both := waiting(7, 8)
	both.Objects = append(both.Objects, Object{Handle: 0x99, Type: "Event"})
	elsewhere := waiting(1, 2)
	elsewhere.Objects[0].Process = 9
	for _, tt := range []struct {
		name    string
		waits   []Wait
		process uint32
		want    []string
	}{
		{name: "nothing"},
		{name: "an owner that does not wait", waits: []Wait{waiting(1, 2)}},
		{
			name: "a chain", waits: []Wait{waiting(1, 2), waiting(2, 3)}, process: 1,
			want: []string{"thread 1 waits for Mutant 0x4, which thread 2 owns; thread 2 waits for Mutant 0x8, which thread 3 owns"},
		},
		{
			name: "two", waits: []Wait{waiting(1, 2), waiting(2, 1)}, process: 1,
			want: []string{"closed: thread 1 waits for Mutant 0x4, which thread 2 owns; thread 2 waits for Mutant 0x8, which thread 1 owns"},
		},
		{
			name: "itself", waits: []Wait{waiting(5, 5)},
			want: []string{"closed: thread 5 waits for Mutant 0x14, which thread 5 owns"},
		},
		{
			name: "into a deadlock", waits: []Wait{waiting(4, 2), waiting(1, 2), waiting(2, 1)}, process: 1,
			want: []string{
				"closed: thread 2 waits for Mutant 0x8, which thread 1 owns; thread 1 waits for Mutant 0x4, which thread 2 owns",
				"thread 4 waits for Mutant 0x10, which thread 2 owns",
			},
		},
		{
			name: "a tree", waits: []Wait{waiting(1, 3), waiting(2, 3), waiting(3, 4)}, process: 1,
			want: []string{
				"thread 1 waits for Mutant 0x4, which thread 3 owns; thread 3 waits for Mutant 0xc, which thread 4 owns",
				"thread 2 waits for Mutant 0x8, which thread 3 owns",
			},
		},
		{name: "one of several is enough", waits: []Wait{both, waiting(8, 7)}},
		{name: "a thread of another process", waits: []Wait{elsewhere, waiting(2, 1)}, process: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, describeChains(chains(tt.waits, tt.process))); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestChainsOfMany would not end if every thread's chain were walked to its end.
func TestChainsOfMany(t *testing.T) {
	const n = 200_000
	var list []Wait
	for i := uint32(1); i <= n; i++ {
		list = append(list, waiting(i, i+1), waiting(n+1+i, i))
	}
	total := 0
	for _, c := range chains(list, 1) {
		total += len(c.Waits)
	}
	if total > 2*n {
		t.Errorf("%d links of %d waits", total, len(list))
	}
}
