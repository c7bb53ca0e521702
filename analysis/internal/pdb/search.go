package pdb

import "sync/atomic"

// hint is where a binary search ended. Addresses are mostly asked for in ascending order, so the next search begins
// there, and reads two or three entries instead of twenty. It changes what is read, never what is found.
type hint struct{ at atomic.Int64 }

// search returns how many of n sorted entries begin at or before an address; begins says it of one of them.
func (h *hint) search(n int64, begins func(i int64) (bool, error)) (int64, error) {
	lo, hi := int64(0), n // the first lo entries begin there, those from hi on do not
	for at, step := min(h.at.Load(), n-1), int64(1); at >= lo && at < hi; step *= 2 {
		ok, err := begins(at)
		if err != nil {
			return 0, err
		}
		if !ok {
			hi = at
			break
		}
		lo = at + 1
		at = min(at+step, n-1)
	}
	for lo < hi {
		mid := lo + (hi-lo)/2
		ok, err := begins(mid)
		if err != nil {
			return 0, err
		}
		if ok {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	h.at.Store(max(lo-1, 0))
	return lo, nil
}
