package main

import (
	"encoding/binary"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// Where the memory of a crowd begins, and how far apart its parts are.
const (
	crowdStacks = 0x100_0000_0000
	crowdStack  = 0x20_0000
	crowdHeap   = 0x300_0000_0000
	crowdRange  = 0x4_0000
)

// A crowd is a large process of x64, made of the threads of a small one.
type crowd struct {
	threads int
	ranges  int   // of memory, those of the stacks included
	memory  int64 // bytes in all
	handles int   // with names
}

// dump returns a dump with all memory. The threads of f, which has their stacks, are in
// it again and again, each with a stack of its own: what pointed to the old one points
// to the new one.
func (c crowd) dump(t testing.TB, f *minidump.File) dumptest.Dump {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	modules, err := f.Modules()
	must(err)
	threads, err := f.Threads()
	must(err)
	memory, err := f.Memory()
	must(err)
	d := dumptest.Dump{Flags: dumptest.WithFullMemory, MemoryInfos: &dumptest.MemoryInfoList{}, HandleData: &dumptest.HandleData{}}
	for _, m := range modules {
		d.Modules = append(d.Modules, dumptest.Module{Base: uint64(m.BaseOfImage), Size: m.SizeOfImage, TimeDateStamp: m.TimeDateStamp, Name: m.ModuleName})
	}
	stacks := map[minidump.VA]bool{}
	for _, th := range threads {
		stacks[th.Stack.StartOfMemoryRange] = true
	}
	var images []dumptest.MemoryRange
	for _, r := range memory.Ranges() {
		if !stacks[r.Start] {
			data := make([]byte, r.Size)
			n, err := memory.ReadAt(data, r.Start)
			if n < len(data) {
				must(err)
			}
			images = append(images, dumptest.MemoryRange{Start: uint64(r.Start), Data: data})
		}
	}
	for i := range c.threads {
		th := &threads[i%len(threads)]
		start, size := th.Stack.StartOfMemoryRange, minidump.VA(th.Stack.Memory.DataSize)
		moved := crowdStacks + minidump.VA(i)*crowdStack | start&(crowdStack-1)
		move := func(b []byte) {
			for ; len(b) >= 8; b = b[8:] {
				if v := minidump.VA(binary.LittleEndian.Uint64(b)); v-start <= size {
					binary.LittleEndian.PutUint64(b, uint64(v-start+moved))
				}
			}
		}
		stack := make([]byte, size)
		n, err := memory.ReadAt(stack, start)
		if n < len(stack) {
			must(err)
		}
		move(stack)
		context := make([]byte, th.ThreadContext.DataSize)
		section, err := f.Section(th.ThreadContext)
		must(err)
		if n, err := section.ReadAt(context, 0); n < len(context) {
			must(err)
		}
		move(context[0x78:0xf8]) // the general registers
		d.Memory64 = append(d.Memory64, dumptest.MemoryRange{Start: uint64(moved), Data: stack})
		d.Threads = append(d.Threads, dumptest.Thread{
			ThreadID: uint32(4 * (i + 1)), Teb: uint64(crowdHeap) + uint64(i)*crowdRange, Context: context,
			Stack: dumptest.MemoryRange{Start: uint64(moved), Size: uint64(size)},
		})
	}
	rest := c.ranges - len(d.Memory64) - len(images)
	for i := range rest {
		r := dumptest.MemoryRange{Start: uint64(crowdHeap) + uint64(i)*crowdRange, Size: uint64(c.memory) / uint64(rest) &^ 0xfff}
		d.Memory64 = append(d.Memory64, r)
	}
	d.Memory64 = append(images, d.Memory64...)
	for _, r := range d.Memory64 {
		d.MemoryInfos.Regions = append(d.MemoryInfos.Regions, dumptest.MemoryInfo{
			BaseAddress: r.Start, AllocationBase: r.Start, RegionSize: max(r.Size, uint64(len(r.Data))),
			State: uint32(minidump.MemCommit), Protect: uint32(minidump.PageReadWrite), Type: uint32(minidump.MemPrivate),
		})
	}
	for i := range c.handles {
		d.HandleData.Handles = append(d.HandleData.Handles, dumptest.Handle{Value: uint64(4 * (i + 1)), Type: "Event", Name: `\BaseNamedObjects\Crowd`})
	}
	return d
}
