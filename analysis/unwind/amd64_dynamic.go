package unwind

import (
	"bufio"
	"cmp"
	"io"
	"slices"
	"sort"

	"github.com/dumpscan/dumpscan/minidump"
)

// A dynamicTable is the entries of a function table that was registered at run time,
// by ascending address. They are as many as the file holds.
type dynamicTable struct {
	base    minidump.VA
	entries []runtimeFunction
}

// A codeRange is code that has a function table.
type codeRange struct{ start, last minidump.VA }

// dynamic searches the function tables of code that was made at run time.
func (a *amd64) dynamic(addr minidump.VA) amd64Function {
	t, size := a.runtime.Table(addr)
	if t == nil {
		return amd64Function{}
	}
	code := codeRange{t.MinimumAddress, t.MaximumAddress - 1}
	table, ok := a.dynamics[code]
	if !ok {
		table = readDynamicTable(t, size)
		a.dynamics[code] = table
	}
	rva := uint64(addr - table.base)
	if len(table.entries) == 0 || rva > 1<<32-1 {
		return amd64Function{}
	}
	fn := amd64Function{base: table.base, coverage: noEntry}
	i := sort.Search(len(table.entries), func(i int) bool { return table.entries[i].begin > uint32(rva) })
	if i > 0 && table.entries[i-1].contains(uint32(rva)) {
		fn.entry, fn.coverage = table.entries[i-1], hasEntry
	}
	return fn
}

// readDynamicTable reads the entries, each of size bytes. What cannot be read is
// left out.
func readDynamicTable(t *minidump.FunctionTable, size int) dynamicTable {
	table := dynamicTable{base: t.BaseAddress}
	if size < runtimeFunctionSize || size > 1<<10 {
		return table // entries of another processor
	}
	r := bufio.NewReader(t.Entries)
	buf := make([]byte, size)
	for {
		if _, err := io.ReadFull(r, buf); err != nil {
			break
		}
		table.entries = append(table.entries, decodeRuntimeFunction(buf))
	}
	slices.SortStableFunc(table.entries, func(a, b runtimeFunction) int { return cmp.Compare(a.begin, b.begin) })
	return table
}
