package symbol

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/dumpscan/dumpscan/minidump"
)

// An Outside says what an address is that lies in no module, neither a loaded nor
// an unloaded one.
type Outside string

// What there is outside modules.
const (
	// OutsideJIT is code that was made while the process ran.
	OutsideJIT Outside = "jit"
	// OutsideUnknown is code that was unloaded without a trace, or no code at all: a
	// stack was walked wrongly.
	OutsideUnknown Outside = "unknown"
)

// Name returns what reports write in place of a module's name. Managed code
// has none in the dump's modules; SOS (!clrstack, !ip2md) knows it.
func (o Outside) Name() string {
	if o == OutsideJIT {
		return "<JIT code>"
	}
	return "<no module>"
}

// RuntimeCode knows where a process has code of no module: what compilers at run
// time have made, or what was put there. A nil one knows of none. It is safe for
// concurrent use.
type RuntimeCode struct {
	modules  *Modules
	compiles bool                     // a runtime that compiles code while it runs is loaded
	tables   *minidump.FunctionTables // nil if the dump has none
	regions  func() ([]region, bool)
}

// A region is memory that can be executed and is of no image. last is inclusive.
type region struct{ start, last minidump.VA }

// NewRuntimeCode reads the header of the FunctionTableStream; the MemoryInfoList is
// read when it is asked for. f may be nil: then the modules alone say whether there
// is such code. unloaded may be nil.
func NewRuntimeCode(f *minidump.File, modules *Modules, unloaded *Unloaded) *RuntimeCode {
	c := &RuntimeCode{modules: modules, regions: sync.OnceValues(func() ([]region, bool) { return codeRegions(f) })}
	lists := [][]minidump.Module{modules.List()}
	if unloaded != nil {
		lists = append(lists, unloaded.List())
	}
	for _, list := range lists {
		for i := range list {
			c.compiles = c.compiles || compilesCode(list[i].BaseName())
		}
	}
	if f != nil {
		c.tables, _ = f.FunctionTables()
	}
	return c
}

// lowestCode is where the address space that a program of Windows can use begins.
const lowestCode = 1 << 16

// Contains reports whether an address lies in no module, but in memory that can be
// executed or has a function table. Of a dump that lists neither nothing is known.
func (c *RuntimeCode) Contains(addr minidump.VA) bool {
	if c == nil || addr < lowestCode {
		return false
	}
	if _, ok := c.modules.Find(addr); ok {
		return false
	}
	regions, _ := c.regions()
	i := sort.Search(len(regions), func(i int) bool { return regions[i].start > addr })
	return i > 0 && addr <= regions[i-1].last || c.Table(addr) != nil
}

// Known reports whether the dump lists its memory, so that what Contains does not
// know is no such code.
func (c *RuntimeCode) Known() bool {
	if c == nil {
		return false
	}
	_, known := c.regions()
	return known
}

// Table returns the function table that was registered for an address, or nil.
func (c *RuntimeCode) Table(addr minidump.VA) *minidump.FunctionTable {
	if c == nil || c.tables == nil {
		return nil
	}
	return c.tables.Find(addr)
}

// SizeOfFunctionEntry returns how many bytes an entry of the tables has, 0 if there
// are no tables.
func (c *RuntimeCode) SizeOfFunctionEntry() int {
	if c == nil || c.tables == nil {
		return 0
	}
	return int(c.tables.SizeOfFunctionEntry)
}

// At says what an address in no module is. Of dumps that do not list their memory,
// and of code that is gone by now, the modules are all that is known: where a
// runtime is loaded that compiles code, it is most likely that.
func (c *RuntimeCode) At(addr minidump.VA) Outside {
	if c != nil && c.compiles || c.Contains(addr) {
		return OutsideJIT
	}
	return OutsideUnknown
}

func codeRegions(f *minidump.File) (list []region, known bool) {
	if f == nil {
		return nil, false
	}
	infos, err := f.MemoryInfos()
	if err != nil {
		return nil, false
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
		if n := len(list); n > 0 && list[n-1].last+1 == m.BaseAddress && m.BaseAddress != 0 {
			list[n-1].last = last
			continue
		}
		list = append(list, region{m.BaseAddress, last})
	}
	slices.SortStableFunc(list, func(a, b region) int { return cmp.Compare(a.start, b.start) })
	return list, true
}

// compilers are the runtimes that compile code while they run, by the start of
// their file's name. Their code lies in no module.
var compilers = [...]string{
	"clr.dll", "coreclr.dll", "mscorwks.dll", "mscorsvr.dll", "clrjit.dll", "mscorjit.dll", "mono-", "monosgen", "mono.dll", "libmono",
	"jvm.dll", "j9vm", "j9jit", "jscript9.dll", "chakra.dll", "chakracore.dll", "node.exe", "libnode", "v8.dll", "lua51.dll", "luajit", "php8jit",
}

// compilesCode reports whether a module is such a runtime.
func compilesCode(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(compilers[:], func(c string) bool { return strings.HasPrefix(name, c) })
}
