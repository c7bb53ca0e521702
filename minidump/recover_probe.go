package minidump

import (
	"context"
	"encoding/binary"
	"math"
	"unicode"
	"unicode/utf16"
)

// A candidate is a place in the file that looks like a stream.
type candidate struct {
	DirectoryEntry
	refs     int
	inMemory bool // of the process
	cut      bool // the file ends inside it
}

// A prober looks for streams in a file. Its reads beside the pass over the file
// are charged to a budget, one for each type of stream, because a hostile file
// may look like a stream at each of its bytes.
type prober struct {
	ctx       context.Context
	f         *File
	win       *windows
	probes    map[StreamType]func(off int64) (candidate, bool)
	allowance int64 // bytes, for a type
	spent     map[StreamType]int64
	budget    int64 // bytes, for what is being done
	found     map[StreamType][]candidate
	settled   []DirectoryEntry // streams that are believed
	memory    captured
	begin     int64 // where behind the beginning of the file a header stands; 0: nowhere
	threads   map[uint32]bool
	next      bool // sample gives the record behind the one that it gave before
}

func newProber(ctx context.Context, f *File) *prober {
	p := &prober{
		ctx: ctx, f: f, win: newWindows(f.r, f.size), allowance: 16<<20 + f.size,
		spent: map[StreamType]int64{}, found: map[StreamType][]candidate{},
	}
	p.probes = map[StreamType]func(off int64) (candidate, bool){
		HandleDataStream:          p.handles,
		HandleOperationListStream: p.operations,
		ThreadInfoListStream:      p.threadInfos,
		UnloadedModuleListStream:  p.unloaded,
		MemoryInfoListStream:      p.memoryInfos,
		ModuleListStream:          p.modules,
		ThreadListStream:          p.threadList,
		ThreadNamesStream:         p.threadNames,
		MemoryListStream:          p.memoryList,
		Memory64ListStream:        p.memory64,
		SystemInfoStream:          p.system,
		MiscInfoStream:            p.misc,
		ExceptionStream:           p.exception,
	}
	return p
}

// bytes returns n bytes at off until the next call, or nil if the file does not
// have them. n is at most maxString+4.
func (p *prober) bytes(off int64, n int) []byte {
	const call = 64 // what a call costs, in bytes
	if p.budget -= int64(call + n); p.budget < 0 || off < 0 || off > p.f.size-int64(n) {
		return nil
	}
	b, err := p.win.at(off, n)
	if err != nil {
		return nil
	}
	return b
}

// copyOf is bytes for what must outlive the next call.
func (p *prober) copyOf(off int64, n int) []byte { return append([]byte(nil), p.bytes(off, n)...) }

// A verdict says what a reference leads to.
type verdict int

const (
	nothing verdict = iota // nothing is said: no reference, an empty string, or past the end of a file that was cut
	right
	wrong
)

// text says whether a MINIDUMP_STRING stands at rva. A name of Windows may hold
// anything, but hardly ever does.
func (p *prober) text(rva uint64) verdict {
	switch {
	case rva == 0:
		return nothing
	case rva < headerSize || rva > math.MaxUint32:
		return wrong
	case int64(rva) >= p.f.size:
		return nothing
	}
	head := p.bytes(int64(rva), 4)
	if head == nil {
		return nothing
	}
	n := binary.LittleEndian.Uint32(head)
	switch {
	case n == 0:
		return nothing
	case n > maxString || n%2 != 0:
		return wrong
	}
	b := p.bytes(int64(rva)+4, int(min(n, 512))) // so much is enough to know a text
	switch {
	case b == nil:
		return nothing
	case isText(b):
		return right
	case mostlyASCII(b):
		return nothing
	}
	return wrong
}

// mostlyASCII reports whether UTF-16 may be a name of which a part was made to
// hide or to harm.
func mostlyASCII(b []byte) bool {
	n := 0
	for i := 0; i+1 < len(b); i += 2 {
		if b[i+1] == 0 && b[i] >= ' ' && b[i] < 0x7f {
			n++
		}
	}
	return n > len(b)/4
}

// isText reports whether UTF-16 is printable, but for NULs at its end.
func isText(b []byte) bool {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	for len(u) > 0 && u[len(u)-1] == 0 {
		u = u[:len(u)-1]
	}
	for i, r := range utf16.Decode(u) {
		if r == unicode.ReplacementChar && i < len(u)-1 || r != ' ' && !unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return false
		}
	}
	return len(u) > 0
}

// A tally counts what references of a sample lead to.
type tally struct{ right, wrong, looked int }

// of estimates how many references of n records are right.
func (t *tally) of(n uint64) int {
	return int(min(uint64(t.right)*n/uint64(max(t.looked, 1)), math.MaxInt32))
}

func (t *tally) add(v verdict) {
	switch v {
	case right:
		t.right++
	case wrong:
		t.wrong++
	}
}

// ok reports whether the references are those of a stream: a few may be damaged.
func (t *tally) ok() bool { return t.right >= 4*t.wrong }

// maybe is ok while there are more to come.
func (t *tally) maybe() bool { return t.wrong <= 2 || t.ok() }

// sampled is how many records of a long list are looked at: half of them from
// its beginning, the others spread over it.
const sampled = 128

// there is how many of the n records at off are in the file.
func (p *prober) there(off, stride int64, n uint64) uint64 {
	return min(n, uint64(max(p.f.size-off, 0)/stride))
}

// sample calls do with the offsets of some of the n records at off that are in
// the file, until it returns false. It reports whether it never did.
func (p *prober) sample(off, stride int64, n uint64, do func(record []byte) bool) bool {
	n = p.there(off, stride, n)
	step := uint64(1)
	for i := uint64(0); i < n && p.ctx.Err() == nil; i += step {
		p.next = step == 1
		if i == sampled/2 {
			step = max((n-i)/(sampled/2), 1)
		}
		record := p.copyOf(off+int64(i)*stride, int(stride))
		if len(record) == 0 {
			return p.budget > 0 // what cannot be read says nothing
		}
		if !do(record) {
			return false
		}
	}
	return true
}

// entry makes a candidate of size bytes.
func entry(t StreamType, off int64, size uint64, refs int) (candidate, bool) {
	if off > math.MaxUint32 || size > math.MaxUint32 {
		return candidate{}, false // no directory could name it
	}
	return candidate{DirectoryEntry: DirectoryEntry{t, Location{DataSize: uint32(size), RVA: uint32(off)}}, refs: refs}, true
}

// most is how many candidates of one type are remembered: those with the most
// references.
const most = 64

// note remembers a candidate.
func (p *prober) note(c candidate) {
	all := p.found[c.StreamType]
	for _, o := range all {
		if o.DirectoryEntry == c.DirectoryEntry {
			return
		}
	}
	if len(all) < most {
		p.found[c.StreamType] = append(all, c)
		return
	}
	least := 0
	for i := range all {
		if all[i].refs < all[least].refs {
			least = i
		}
	}
	if c.refs > all[least].refs {
		all[least] = c
	}
}

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
