package owners

import (
	"context"
	"errors"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// Options say what [Find] looks for. The zero value is the owners of all
// handles, type by type.
type Options struct {
	// Types restricts the hunt to handles of these types, in any case; "None"
	// stands for handles without a type. Empty means all types. Name restricts
	// it to handles whose object has such a name; nil means all. The other
	// handles of the dump serve as counter-examples.
	Types []string
	Name  *analysis.NamePattern
	// Group, if not nil, chooses the handles instead: those for which ok is
	// true, in sets that differ in their type or the label.
	Group func(h *minidump.Handle) (label string, ok bool)
	// Parts is what Group needs to know of a handle beside its type.
	Parts minidump.HandleParts
	// Symbols, if not nil, names what the owners point to, and reads from image
	// files what the dump lacks of its modules. Find does not close it.
	Symbols *symbol.Session
	// System, if not nil, says which modules are the operating system's: their
	// global variables are not searched.
	System func(*minidump.Module) bool
	// MaxOffset is how far before a handle, in bytes, its object may begin;
	// 0 means [DefaultOffset]. It is at most [MaxOffset].
	MaxOffset int
	// Progress, if not nil, is called now and then, from one goroutine at a
	// time, with the bytes that were read and those to be read.
	Progress func(done, total int64)
}

// How far before a handle its object may begin, in bytes.
const (
	DefaultOffset = 256
	MaxOffset     = 4096
)

// Report is the answer of [Find].
type Report struct {
	Sets   []Set    // what was looked for: by descending count, then by type and label
	Owners []Owner  // in the order of Sets, then by descending number of handles
	Unheld []Unheld // sets of which handles remain that no owner holds, in the order of Sets
	Scan   Scan
}

// A Set is a set of handles whose owners were looked for.
type Set struct {
	Type  string
	Label string // from Options.Group
	Count int    // distinct handle values
}

// Scan says what was searched, and what could not be.
type Scan struct {
	PointerSize int      // bytes; 4 for a WOW64 process, whoever dumped it
	MaxOffset   int      // bytes
	Basis       Basis    // how the memory was chosen
	Ranges      int      // pieces of memory searched
	Bytes       uint64   // their size
	Hits        uint64   // words equal to a handle of the dump, but for types that have fewer than 8
	Examined    int      // constellations that hold a few handles, or seem to: the crowd that owners stand out from
	Notes       []string // what is easily misread; sentences without a full stop
	Problems    []error  // what could not be read
}

// Basis says how the memory to search was chosen.
type Basis string

// How memory can be chosen.
const (
	BasisMemoryInfo Basis = "memory info"       // private and writable by the MemoryInfoList
	BasisLists      Basis = "lists of the dump" // captured, outside modules, stacks and TEBs
)

const withPrivateReadWriteMemory = 0x200 // MiniDumpWithPrivateReadWriteMemory

// Find searches the memory of a dump for what holds handles. It needs no trace,
// but handle data and full memory; without these the error is an
// [*analysis.MissingError]. A type that nobody knows is an
// [*analysis.UnknownTypeError]. Other errors are those of reading the dump or of
// ctx.
//
// The private writable memory of the process is read, and the variables of its
// modules. At each aligned, pointer-sized word that equals a handle, the
// pointers in the MaxOffset bytes before it are looked at. A pointer and its
// distance to the handle make a constellation. The few that can be owners at
// all, those that hold at least 8 handles and 1 % of their set among them, are
// looked at again: every word equal to their pointer is found, and what its
// field holds is taken down, handle or not. What chance does not explain (see
// chance.go) is reported, each handle for one owner only.
//
// Runs of handles at one stride of up to 256 bytes make arrays, 70 % of whose
// cells must hold handles; those in the variables of modules come before
// objects that have only a pointer to other memory in common. What remains
// unexplained is searched once more: for a number of 4 bytes that stands at
// the same distance from at least 16 handles, where nearly all numbers of this
// value lead to a handle, for arrays in the heap, and on 64 bits for all of
// that in halves of words. Last come the pointers that lead to the owners, a
// fixed distance before each handle: they show where its object begins, and
// what that belongs to.
//
// Not found are handles in single variables, or in disguise, and owners of fewer
// than 8. A class whose objects count in fours, in the range where handles of
// one type follow one another without a gap, cannot be told from their owner; a
// few objects of a type that has nearly all handles are not told from numbers.
// An object whose class is data outside all modules is known by the address of
// that data alone, unless it is one of .NET: of these the class is named from the
// metadata in memory or in an image file, the start and the size of the objects
// are known with it, and so is what refers to them. If the class comes with .NET,
// as SafeHandle does, the search goes on to the class of the program that keeps
// the objects. Up to six more passes do that.
//
// The memory needed is bounded, whatever the size of the dump: about 100 MiB
// for 16 million handles and 70 MiB at most for constellations.
func Find(ctx context.Context, f *minidump.File, o Options) (*Report, error) {
	if o.MaxOffset == 0 {
		o.MaxOffset = DefaultOffset
	}
	if o.MaxOffset < 0 || o.MaxOffset > MaxOffset {
		return nil, fmt.Errorf("the offset %d is not between 1 and %d", o.MaxOffset, MaxOffset)
	}
	mem, err := memoryOfDump(f)
	if err != nil {
		return nil, err
	}
	targets, err := readTargets(ctx, f, &o)
	if err != nil {
		return nil, err
	}
	return find(ctx, f, mem, targets, &o)
}

// find searches the memory of f for the targets.
func find(ctx context.Context, f *minidump.File, mem *minidump.Memory, targets *targets, o *Options) (*Report, error) {
	h, err := newHunt(f, mem, targets, o)
	if err != nil {
		return nil, err
	}
	return h.report(ctx, o)
}

func newHunt(f *minidump.File, mem *minidump.Memory, targets *targets, o *Options) (*hunt, error) {
	space, err := newSpace(f, mem, o.System)
	if err != nil {
		return nil, err
	}
	return &hunt{
		mem: mem, space: space, targets: targets, maxOffset: o.MaxOffset, progress: o.Progress, early: space.earlyWindows(),
	}, nil
}

// report hunts.
func (h *hunt) report(ctx context.Context, o *Options) (*Report, error) {
	report := &Report{Sets: h.targets.reported(), Scan: Scan{
		PointerSize: h.space.ptr, MaxOffset: o.MaxOffset, Basis: h.space.basis,
		Ranges: len(h.space.scan), Bytes: h.space.bytes,
		Notes: h.targets.notes, Problems: append(h.space.problems, h.targets.problems...),
	}}
	if len(report.Sets) == 0 {
		return report, nil
	}
	if o.Symbols != nil {
		h.files = o.Symbols.Code(ctx)
	}
	var err error
	report.Owners, report.Scan.Examined, err = h.run(ctx)
	if err != nil {
		return nil, err
	}
	report.Unheld = h.unheld()
	if o.Symbols != nil {
		if err := name(ctx, report.Owners, o.Symbols, report.Scan.PointerSize); err != nil {
			return nil, err
		}
	}
	h.finish()
	report.Scan.Hits = h.hits
	return report, nil
}

// memoryOfDump returns the memory of a dump that claims to have the heaps of
// the process.
func memoryOfDump(f *minidump.File) (*minidump.Memory, error) {
	mem, err := f.Memory()
	if mem == nil {
		if errors.Is(err, minidump.ErrNoStream) {
			return nil, &analysis.MissingError{What: "the dump holds no memory", Capture: analysis.CaptureMemory}
		}
		return nil, err
	}
	if !f.Has(minidump.Memory64ListStream) && f.Flags&(minidump.WithFullMemory|withPrivateReadWriteMemory) == 0 {
		var n uint64
		for _, r := range mem.Ranges() {
			n += r.Size
		}
		return nil, &analysis.MissingError{
			What: fmt.Sprintf("the dump holds stacks and selected memory only, %s in %s, not the heaps",
				words.Bytes(n), words.Plural(len(mem.Ranges()), "range")),
			Capture: analysis.CaptureMemory,
		}
	}
	return mem, nil
}
