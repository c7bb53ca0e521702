package unwind

import (
	"slices"
	"sort"

	"github.com/dumpscan/dumpscan/minidump"
)

// codeRegions are the regions of the address space that hold code and are of no
// image: what compilers at run time have made, or what was put there.
type codeRegions struct {
	list []codeRegion // by start
}

type codeRegion struct{ start, last minidump.VA }

// newCodeRegions reads the MemoryInfoList. Without one there are none.
func newCodeRegions(f *minidump.File) *codeRegions {
	c := &codeRegions{}
	if f == nil {
		return c
	}
	infos, err := f.MemoryInfos()
	if err != nil {
		return c
	}
	const executable = minidump.PageExecute | minidump.PageExecuteRead | minidump.PageExecuteReadWrite | minidump.PageExecuteWriteCopy
	for m, err := range infos.All() {
		if err != nil || m.State != minidump.MemCommit || m.Type == minidump.MemImage || m.Protect&executable == 0 || m.RegionSize == 0 {
			continue
		}
		last := m.BaseAddress + minidump.VA(m.RegionSize-1)
		if last < m.BaseAddress {
			last = ^minidump.VA(0)
		}
		if n := len(c.list); n > 0 && c.list[n-1].last+1 == m.BaseAddress {
			c.list[n-1].last = last
			continue
		}
		c.list = append(c.list, codeRegion{m.BaseAddress, last})
	}
	slices.SortFunc(c.list, func(a, b codeRegion) int {
		if a.start < b.start {
			return -1
		}
		return 1
	})
	return c
}

func (c *codeRegions) contains(addr minidump.VA) bool {
	i := sort.Search(len(c.list), func(i int) bool { return c.list[i].start > addr })
	return i > 0 && addr <= c.list[i-1].last
}
