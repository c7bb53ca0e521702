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

// RuntimeCode knows the code of a process that is of no module. A nil one knows of
// none. It is safe for concurrent use.
type RuntimeCode struct {
	compiles bool // a runtime that compiles code while it runs is loaded
	regions  func() ([]region, bool)
	tables   func() *minidump.FunctionTables // nil if the dump has none
}

// A region is memory that holds code and is of no image. last is inclusive.
type region struct{ start, last minidump.VA }

// NewRuntimeCode prepares to tell code that was made at run time from other
// addresses outside modules. f may be nil: then the modules alone say whether
// there is such code.
func NewRuntimeCode(f *minidump.File, modules []minidump.Module, unloaded []minidump.UnloadedModule) *RuntimeCode {
	c := &RuntimeCode{
		regions: sync.OnceValues(func() ([]region, bool) { return codeRegions(f) }),
		tables:  sync.OnceValue(func() *minidump.FunctionTables { return functionTables(f) }),
	}
	for i := range modules {
		c.compiles = c.compiles || compilesCode(modules[i].BaseName())
	}
	for i := range unloaded {
		m := minidump.Module{ModuleName: unloaded[i].ModuleName}
		c.compiles = c.compiles || compilesCode(m.BaseName())
	}
	return c
}

// lowest is where the address space that a program of Windows can use begins.
const lowest = 1 << 16

// Contains reports whether an address lies in executable memory that is of no
// image, or has a function table: what a compiler has made at run time, or what
// was put there. It reads the MemoryInfoList when it is asked first; without
// one there are the tables alone.
func (c *RuntimeCode) Contains(addr minidump.VA) bool {
	if c == nil || addr < lowest {
		return false
	}
	regions, _ := c.regions()
	i := sort.Search(len(regions), func(i int) bool { return regions[i].start > addr })
	if i > 0 && addr <= regions[i-1].last {
		return true
	}
	t, _ := c.Table(addr)
	return t != nil
}

// Table returns the function table that was registered at run time for the code
// at an address, and the size of its entries in bytes; nil if there is none.
func (c *RuntimeCode) Table(addr minidump.VA) (t *minidump.FunctionTable, entrySize int) {
	if c == nil {
		return nil, 0
	}
	tables := c.tables()
	if tables == nil {
		return nil, 0
	}
	return tables.Find(addr), int(tables.SizeOfFunctionEntry)
}

// functionTables reads the FunctionTableStream as far as possible.
func functionTables(f *minidump.File) *minidump.FunctionTables {
	if f == nil {
		return nil
	}
	tables, _ := f.FunctionTables()
	return tables
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
