package unwind

import (
	"cmp"
	"slices"
	"sort"
	"sync"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// JITCode knows where a process has code of no module: what compilers at run time
// have made, or what was put there. It is safe for concurrent use.
type JITCode struct {
	modules *symbol.Modules
	tables  *minidump.FunctionTables // nil if the dump has none

	file    *minidump.File
	once    sync.Once
	regions []codeRegion // that can be executed, by start
}

type codeRegion struct{ start, last minidump.VA }

// NewJITCode reads the header of the FunctionTableStream; the MemoryInfoList is
// read when it is asked for. Of a dump without them nothing is known.
func NewJITCode(f *minidump.File, modules *symbol.Modules) *JITCode {
	j := &JITCode{modules: modules, file: f}
	j.tables, _ = f.FunctionTables()
	return j
}

func (j *JITCode) readRegions() {
	if j.file == nil {
		return
	}
	infos, err := j.file.MemoryInfos()
	if err != nil {
		return
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
		if n := len(j.regions); n > 0 && j.regions[n-1].last+1 == m.BaseAddress {
			j.regions[n-1].last = last
			continue
		}
		j.regions = append(j.regions, codeRegion{m.BaseAddress, last})
	}
	slices.SortFunc(j.regions, func(a, b codeRegion) int { return cmp.Compare(a.start, b.start) })
}

// lowest is where the address space that a program of Windows can use begins.
const lowest = 1 << 16

// Contains reports whether an address lies in no module, but in memory that can be
// executed or has a function table.
func (j *JITCode) Contains(addr minidump.VA) bool {
	if _, ok := j.modules.Find(addr); ok || addr < lowest {
		return false
	}
	j.once.Do(j.readRegions)
	i := sort.Search(len(j.regions), func(i int) bool { return j.regions[i].start > addr })
	if i > 0 && addr <= j.regions[i-1].last {
		return true
	}
	return j.table(addr) != nil
}

// table returns the function table of an address, or nil.
func (j *JITCode) table(addr minidump.VA) *minidump.FunctionTable {
	if j.tables == nil {
		return nil
	}
	return j.tables.Find(addr)
}
