package symbol

import (
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/dumpscan/dumpscan/analysis/internal/undecorate"
)

// What is left out is marked so: at the end of a name that was cut, and for
// [Inline.Function] where inlined calls are missing.
const cutMark = "…"

const (
	maxName   = 4 << 10   // bytes of a name that are kept
	freeText  = 256       // bytes of a name, or of all that is said of one use of an address, that cost nothing
	freeCalls = 16        // inlined calls of one address that cost nothing
	callSize  = 48        // bytes that an inlined call takes without its texts
	baseText  = 4 << 20   // bytes that cost something and are allowed whatever the size of the files
	perByte   = 8         // bytes of such text for each byte of the dump and of its symbol files
	freeWork  = 128 * 128 // work of a name that costs nothing, in squares of its length
	baseWork  = 1 << 26   // likewise for the work of all names: some tenths of a second at worst
	workByte  = 64        // work for each byte of the files
)

// A budget bounds what the names of a run may cost. A file can make much of
// little: names that lie within one another, thousands of addresses with one
// long name, thousands of inlined calls at each address. Names as programs have
// them cost nothing; what is longer is charged before it is kept, to an account
// in proportion to the real size of the files.
type budget struct {
	size atomic.Int64 // bytes of the dump and of the symbol files that were opened
	kept atomic.Int64 // bytes of long names and many calls in memory
	used atomic.Int64 // bytes of long texts of addresses, each as often as it is used
	work atomic.Int64 // of undecorating

	once   [3]sync.Once
	report func(string) // may be nil

	mu    sync.Mutex
	names map[rawName]string // as they are shown
}

// A rawName is the name that a file has. On 32-bit x86 C names are decorated.
type rawName struct {
	text string
	x86  bool
}

// What is said of names that are not all there, each once.
const (
	saidCut = iota
	saidRaw
	saidExports
)

var limitTexts = [...]string{
	saidCut:     "some names are cut, or lack inlined calls: " + cutMark + " stands for what is longer than 4 KiB, deeper than 256 calls, or more than files of this size can account for",
	saidRaw:     "some decorated names are left as they are: there are more long ones than files of this size can account for",
	saidExports: "some export and unwind tables are not read: those in this dump claim more bytes than it has",
}

func (b *budget) say(what int) {
	if b.report != nil {
		b.once[what].Do(func() { b.report(limitTexts[what]) })
	}
}

// charge takes n from an account, if that has so much.
func (b *budget) charge(account *atomic.Int64, n, base, each int64) bool {
	if n <= 0 {
		return true
	}
	if account.Add(n) <= base+each*b.size.Load() {
		return true
	}
	account.Add(-n)
	return false
}

// name returns a name as it is shown. Each is undecorated once, and all addresses
// share its text.
func (b *budget) name(raw rawName, undecorated bool) string {
	long := len(raw.text) > maxName
	if long {
		raw.text = strings.Clone(cut(raw.text, maxName))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if shown, ok := b.names[raw]; ok {
		return shown
	}
	shown := raw.text
	switch n := int64(len(raw.text)); {
	case long, !undecorated:
	case b.charge(&b.work, n*n-freeWork, baseWork, workByte):
		if raw.x86 {
			shown = undecorate.NameX86(raw.text)
		} else {
			shown = undecorate.Name(raw.text)
		}
	default:
		b.say(saidRaw)
	}
	if len(shown) > maxName {
		shown, long = strings.Clone(cut(shown, maxName)), true
	}
	// The longer of the two stays in memory as well.
	if !b.charge(&b.kept, int64(max(len(shown), len(raw.text)))-freeText, baseText, perByte) {
		b.say(saidCut)
		return strings.Clone(cut(shown, freeText))
	}
	if long {
		b.say(saidCut)
	}
	if b.names == nil {
		b.names = map[rawName]string{}
	}
	b.names[raw] = shown
	return shown
}

// cut shortens a text to n bytes at most, the mark included.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	end := n - len(cutMark)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + cutMark
}
