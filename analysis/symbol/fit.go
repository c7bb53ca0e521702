package symbol

import (
	"cmp"
	"iter"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// Fit shortens the longest of names if all that is said of the addresses would
// be out of proportion to the dump and its symbol files. uses says how often each
// address is written; one that is not among them counts once. What is cut has "…"
// for its mark, and Options.Limited is called. Up to 256 bytes of each use are
// never cut, so that the names of programs come through as they are.
func (s *Session) Fit(names Names, uses iter.Seq2[minidump.VA, int]) {
	counts := make(map[minidump.VA]int64, len(names))
	for addr, n := range uses {
		counts[addr] += int64(n)
	}
	s.budget.fit(names, counts)
}

// longText is an address of which more is said than costs nothing.
type longText struct {
	addr         minidump.VA
	length, uses int64
}

func (b *budget) fit(names Names, uses map[minidump.VA]int64) {
	var long []longText
	total := int64(0)
	for addr, l := range names {
		if n := l.textLength(); n > freeText {
			long = append(long, longText{addr, n, max(uses[addr], 1)})
			total += (n - freeText) * max(uses[addr], 1)
		}
	}
	if b.charge(&b.used, total, baseText, perByte) {
		return
	}
	left := max(0, baseText+perByte*b.size.Load()-b.used.Load())
	// Every text may have up to some length; the shorter ones leave more for the
	// others.
	slices.SortFunc(long, func(x, y longText) int { return cmp.Compare(x.length, y.length) })
	all := int64(0)
	for _, t := range long {
		all += t.uses
	}
	most := int64(freeText)
	for _, t := range long {
		if most = freeText + left/all; t.length > most {
			break
		}
		left -= (t.length - freeText) * t.uses
		all -= t.uses
	}
	b.used.Store(baseText + perByte*b.size.Load())
	b.say(saidCut)
	for _, t := range long {
		if t.length > most {
			names[t.addr] = names[t.addr].shortened(most)
		}
	}
}

// textLength is about how many bytes are written of an address.
func (l *Location) textLength() int64 {
	n := int64(len(l.Module) + len(l.Function) + len(l.File))
	for i := range l.Others {
		n += int64(len(l.Others[i].Module))
	}
	for i := range l.Inlined {
		n += l.Inlined[i].textLength()
	}
	return n
}

func (i *Inline) textLength() int64 { return callSize + int64(len(i.Function)+len(i.File)) }

// shortened returns a location of which about n bytes are written: the start of
// its names, and as many of the innermost calls as there is room for.
func (l Location) shortened(n int64) Location {
	l.Module = cut(l.Module, int(n/4))
	l.Others = slices.Clone(l.Others)
	for i := range l.Others {
		l.Others[i].Module = cut(l.Others[i].Module, int(n/4))
	}
	l.File = cut(l.File, int(n/4))
	l.Function = cut(l.Function, int(max(n/2, n-l.textLength()+int64(len(l.Function)))))
	left := n - int64(len(l.Module)+len(l.Function)+len(l.File))
	for i := range l.Inlined {
		if left -= l.Inlined[i].textLength(); left < 0 {
			l.Inlined = append(slices.Clone(l.Inlined[:i]), Inline{Function: cutMark})
			break
		}
	}
	return l
}
