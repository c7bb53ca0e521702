package breakpad

import (
	"cmp"
	"slices"
)

// sortPiece is how many records are sorted or merged between two looks whether to
// go on: some hundredths of a second.
const sortPiece = 1 << 17

// byAddress orders records by address, and those of one address as the file does. A
// file in order, as dump_syms writes it, is only looked through. Millions out of order
// take seconds: goOn is asked on the way, and its error ends that.
func byAddress(rs []record, goOn func() error) ([]record, error) {
	order := func(a, b record) int { return cmp.Or(cmp.Compare(a.addr, b.addr), cmp.Compare(a.off, b.off)) }
	if slices.IsSortedFunc(rs, order) {
		return rs, goOn()
	}
	for i := 0; i < len(rs); i += sortPiece {
		if err := goOn(); err != nil {
			return nil, err
		}
		slices.SortFunc(rs[i:min(i+sortPiece, len(rs))], order)
	}
	to := make([]record, 0, len(rs))
	for size := sortPiece; size < len(rs); size *= 2 {
		to = to[:0]
		for i := 0; i < len(rs); i += 2 * size {
			a, b := rs[i:min(i+size, len(rs))], rs[min(i+size, len(rs)):min(i+2*size, len(rs))]
			for len(a) > 0 || len(b) > 0 {
				if len(b) == 0 || len(a) > 0 && order(a[0], b[0]) <= 0 {
					to, a = append(to, a[0]), a[1:]
				} else {
					to, b = append(to, b[0]), b[1:]
				}
				if len(to)%sortPiece == 0 {
					if err := goOn(); err != nil {
						return nil, err
					}
				}
			}
		}
		rs, to = to, rs
	}
	return rs, nil
}
