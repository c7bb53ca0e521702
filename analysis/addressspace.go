package analysis

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// An AddressSpace is how a process uses its addresses: what WinDbg's !address
// -summary says. Without a list of regions (MiniDumpWithFullMemoryInfo) it is
// about the memory in the dump alone, of the sums only Usage is there, and the
// problems say why.
type AddressSpace struct {
	Listed bool // by the list of regions; else by the memory in the dump
	WOW64  bool // the usages of 32 and 64 bits are told apart
	Total  MemorySum
	Free   MemorySum
	// The sums of the regions, the largest first: by usage all of them, by type
	// those that are not free, by state all, by protection the committed ones.
	Usage, Types, States, Protections []MemorySum
	// Largest is the largest region of each usage, in the order of Usage.
	Largest []MemoryBlock
	// LargestFree32 is the largest free block that 32-bit code of a WOW64
	// process can use, below 4 GiB; nil for other processes, and if there is none.
	LargestFree32 *MemoryBlock

	Captured      MemorySum // the memory in the dump
	CapturedLost  uint64    // bytes that the dump should have, and has not: the file is cut off
	HeapsKnown    bool      // the PEB lists the heaps; others than the listed ones are UsageUnknown
	StacksUnknown int       // threads whose stack is not known

	Problems []error // what could not be read
}

// A MemorySum is what some regions are together.
type MemorySum struct {
	Name  string // "Image", "MEM_COMMIT", "PAGE_READWRITE|PAGE_GUARD"; "" of all regions
	Count uint64 // regions
	Bytes uint64 // math.MaxUint64 for that many or more
}

func (s *MemorySum) add(size uint64) {
	s.Count++
	if s.Bytes += size; s.Bytes < size {
		s.Bytes = math.MaxUint64
	}
}

// A MemoryBlock is one region.
type MemoryBlock struct {
	Usage   string
	Address minidump.VA
	Bytes   uint64
}

// The usages of a region, WinDbg's words. Those of a WOW64 process, but for the
// first three, have "32" or "64" behind them.
const (
	UsageFree    = "Free"
	UsageUnknown = "<unknown>"
	UsageImage   = "Image"
	UsageStack   = "Stack"
	UsageHeap    = "Heap"
	UsageTEB     = "TEB"
	UsagePEB     = "PEB"
)

// CaptureRegions is how to capture the list of regions.
const CaptureRegions = "capture with MiniDumpWithFullMemoryInfo: procdump -ma PID, or in WinDbg .dump /mF FILE"

// DescribeMemory sums up the address space of a process. The error is a
// [*MissingError] if the dump has neither regions nor memory, or else about the
// list of regions.
func DescribeMemory(f *minidump.File) (*AddressSpace, error) {
	a := &AddressSpace{WOW64: f.WOW64()}
	memory, err := f.Memory()
	if !errors.Is(err, minidump.ErrNoStream) {
		a.problem(err)
	}
	regions, regionsErr := f.MemoryInfos()
	if memory == nil && regions == nil {
		if !errors.Is(regionsErr, minidump.ErrNoStream) {
			return nil, regionsErr
		}
		e, _ := missing(f, "the dump says nothing about the memory of the process", CaptureRegions, regionsErr)
		return nil, e
	}
	a.Listed = regions != nil
	known := newMemoryUsages(f, memory, a)
	if memory != nil {
		a.CapturedLost = memory.Missing()
		for _, r := range memory.Ranges() {
			a.Captured.add(r.Size)
		}
	}
	s := &memorySums{space: a, usages: known}
	switch {
	case a.Listed:
		a.problem(s.addRegions(regions))
	case errors.Is(regionsErr, minidump.ErrNoStream):
		e, _ := missing(f, "the dump has no list of the regions of memory, so that the sums are of the memory in it alone", CaptureRegions, regionsErr)
		a.problem(e)
		s.addCaptured(f, memory)
	default:
		a.problem(regionsErr)
		s.addCaptured(f, memory)
	}
	s.finish()
	return a, nil
}

// problem notes what could not be read, the same thing once.
func (a *AddressSpace) problem(err error) {
	same := func(p error) bool { return p.Error() == err.Error() }
	if err != nil && !slices.ContainsFunc(a.Problems, same) {
		a.Problems = append(a.Problems, err)
	}
}

// memorySums adds regions up.
type memorySums struct {
	space   *AddressSpace
	usages  *memoryUsages
	by      [4]map[string]*MemorySum // usage, type, state, protection
	largest map[string]MemoryBlock
	end     minidump.VA // of the region before
	ended   bool        // with the address space
}

// addRegions adds the regions of the list, which come by ascending address.
// Those that do not are left out: an address has one region.
func (s *memorySums) addRegions(list *minidump.MemoryInfoList) error {
	var failed Failures
	_, err := list.Len()
	failed.Note(err)
	for _, mark := range []bool{true, false} { // what is an allocation used for, then the sums
		s.end, s.ended = 0, false
		for r, err := range list.All() {
			if err == nil {
				err = s.next(r)
			}
			if err != nil {
				if mark {
					failed.Note(err)
				}
				continue
			}
			if mark {
				s.usages.markAllocation(r)
			} else {
				s.addRegion(r)
			}
		}
	}
	return failed.Err()
}

// next checks that a region lies behind the one before.
func (s *memorySums) next(r *minidump.MemoryInfo) error {
	last := r.BaseAddress + minidump.VA(r.RegionSize) - 1
	switch {
	case r.RegionSize == 0:
		return fmt.Errorf("the memory region at %s is empty", r.BaseAddress)
	case last < r.BaseAddress:
		return fmt.Errorf("the memory region at %s has %#x bytes, which is beyond the address space", r.BaseAddress, r.RegionSize)
	case r.BaseAddress < s.end || s.ended:
		return fmt.Errorf("the memory region at %s overlaps the one before, which ends at %s", r.BaseAddress, s.end)
	}
	s.end = last + 1
	s.ended = s.end == 0
	return nil
}

func (s *memorySums) addRegion(r *minidump.MemoryInfo) {
	if r.State == minidump.MemFree {
		s.add(UsageFree, r.BaseAddress, r.RegionSize, r)
		s.addFree32(r)
		return
	}
	s.usages.split(r.BaseAddress, r.RegionSize, s.usages.allocation(r), func(usage string, at minidump.VA, size uint64) {
		s.add(usage, at, size, r)
	})
}

// addFree32 keeps the largest free block below 4 GiB.
func (s *memorySums) addFree32(r *minidump.MemoryInfo) {
	const end32 = 1 << 32
	if !s.space.WOW64 || r.BaseAddress >= end32 {
		return
	}
	b := MemoryBlock{UsageFree, r.BaseAddress, min(r.RegionSize, uint64(end32-r.BaseAddress))}
	if best := s.space.LargestFree32; best == nil || b.Bytes > best.Bytes {
		s.space.LargestFree32 = &b
	}
}

// add adds a piece of a region, or of the memory in the dump if r is nil.
func (s *memorySums) add(usage string, at minidump.VA, size uint64, r *minidump.MemoryInfo) {
	s.space.Total.add(size)
	s.sum(0, usage, size)
	if b, ok := s.largest[usage]; !ok || size > b.Bytes {
		if s.largest == nil {
			s.largest = map[string]MemoryBlock{}
		}
		s.largest[usage] = MemoryBlock{usage, at, size}
	}
	if r == nil {
		return
	}
	if r.State == minidump.MemFree {
		s.space.Free.add(size)
	} else {
		s.sum(1, r.Type.String(), size)
	}
	s.sum(2, r.State.String(), size)
	if r.State == minidump.MemCommit {
		s.sum(3, r.Protect.String(), size)
	}
}

// maxSums bounds the rows of a sum: there are some 4,000 sets of the flags that
// winnt.h names. What else a hostile list has is one row.
const maxSums = 1 << 12

func (s *memorySums) sum(by int, name string, size uint64) {
	if s.by[by] == nil {
		s.by[by] = map[string]*MemorySum{}
	}
	sum := s.by[by][name]
	if sum == nil && len(s.by[by]) >= maxSums {
		name = "others"
		sum = s.by[by][name]
	}
	if sum == nil {
		sum = &MemorySum{Name: name}
		s.by[by][name] = sum
	}
	sum.add(size)
}

// finish sorts the sums.
func (s *memorySums) finish() {
	for i, to := range []*[]MemorySum{&s.space.Usage, &s.space.Types, &s.space.States, &s.space.Protections} {
		for _, sum := range s.by[i] {
			*to = append(*to, *sum)
		}
		slices.SortFunc(*to, func(a, b MemorySum) int {
			return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Name, b.Name))
		})
	}
	for _, u := range s.space.Usage {
		s.space.Largest = append(s.space.Largest, s.largest[u.Name])
	}
}

// addCaptured adds the memory in the dump, each address once.
func (s *memorySums) addCaptured(f *minidump.File, m *minidump.Memory) {
	for _, r := range m.Ranges() {
		start, size := r.Start, r.Size
		if s.ended {
			return
		}
		if start < s.end {
			over := uint64(s.end - start)
			if over >= size {
				continue
			}
			start, size = s.end, size-over
		}
		s.end = start + minidump.VA(size)
		s.ended = s.end < start
		s.usages.split(start, size, UsageUnknown, func(usage string, at minidump.VA, size uint64) { s.add(usage, at, size, nil) })
	}
}
