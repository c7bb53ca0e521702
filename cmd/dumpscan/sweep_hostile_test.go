package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// TestSweepHostile puts every question to dumps that lie in ways which no single
// broken field makes: circles, streams over each other, the same stream again,
// texts without end, halves of characters, and counts of 2^32-1.
func TestSweepHostile(t *testing.T) {
	s := newSweeper(t)
	s.sound(sweepHandles().Bytes())
	random := rand.New(rand.NewPCG(*sweepSeed, 1))
	for _, m := range hostileMutations() {
		data := m.make()
		commands := sweepCommands
		if testing.Short() {
			commands = pick(random, commands, 5)
		}
		for _, command := range commands {
			s.try(m.name, data, command)
		}
	}
	t.Logf("%d runs", s.runs)
}

func hostileMutations() []mutation {
	patched := func(name string, base func() dumptest.Dump, patches ...dumptest.Patch) mutation {
		return mutation{name, func() []byte {
			d := base()
			d.Patches = patches
			return d.Bytes()
		}}
	}
	changed := func(name string, base func() dumptest.Dump, change func(*dumptest.Dump)) mutation {
		return mutation{name, func() []byte {
			d := base()
			change(&d)
			return d.Bytes()
		}}
	}
	const top, last, peb = "HandleData[2].ObjectInfo[0]", "HandleData[2].ObjectInfo[1]", "MemoryList[0].Data"
	surrogate := func(anchor string, off int64, unit uint16) dumptest.Patch {
		return dumptest.Patch{Anchor: anchor, Off: off, Bytes: binary.LittleEndian.AppendUint16(nil, unit)}
	}
	all := []mutation{
		{"sound", func() []byte { return sweepHandles().Bytes() }},
		{"sound process", func() []byte { return sweepProcess().Bytes() }},
		patched("object information leads to itself", sweepHandles, dumptest.PointTo(top, 0, top)),
		patched("object information in a circle", sweepHandles, dumptest.PointTo(last, 0, top)),
		patched("modules of the loader in a circle", sweepProcess, dumptest.PutU32(peb, 0x300, sweepTEB+0x300)),
		patched("a PEB that is its own loader", sweepProcess, dumptest.PutU32(peb, 0x10c, sweepTEB+0x100)),
		patched("exceptions within themselves", sweepHandles, dumptest.PutU64("Exception", 16, 0x20000), dumptest.PutU64("Memory64List[0].Data", 8, 0x20000)),
		patched("a name behind the end", sweepHandles, dumptest.PutU32("HandleData[1].ObjectName", 0, 0xfffe)),
		patched("a name of the whole file", sweepHandles, dumptest.PutU32("HandleData[1].ObjectName", 0, 1200)),
		patched("all names are one", sweepHandles,
			dumptest.PointTo("HandleData[0]", 8, "HandleData[1].ObjectName"), dumptest.PointTo("HandleData[0]", 12, "HandleData[1].ObjectName"),
			dumptest.PointTo("ModuleList[0]", 20, "HandleData[1].ObjectName")),
		patched("halves of characters", sweepHandles,
			surrogate("HandleData[1].ObjectName", 4, 0xd800), surrogate("HandleData[1].TypeName", 4, 0xdc00), surrogate("ModuleList[0].Name", 8, 0xdbff),
			surrogate("ThreadNames[0].Name", 4, 0xdfff), surrogate("UnloadedModuleList[0].Name", 4, 0xd800)),
		patched("what steers a terminal", sweepHandles,
			surrogate("HandleData[1].ObjectName", 4, 0x1b), surrogate("HandleData[1].TypeName", 4, 0x9b), surrogate("ModuleList[0].Name", 8, 0x202e),
			surrogate("ThreadNames[0].Name", 4, '\n'), surrogate("UnloadedModuleList[0].Name", 4, 0)),
		changed("every stream at the same place", sweepHandles, func(d *dumptest.Dump) {
			for i := range d.Directory.Unused + 14 {
				d.Patches = append(d.Patches, dumptest.MoveStream(i, 32), dumptest.ResizeStream(i, 0x600))
			}
		}),
		changed("every stream is the whole file", sweepProcess, func(d *dumptest.Dump) {
			for i := range 18 {
				d.Patches = append(d.Patches, dumptest.MoveStream(i, 0), dumptest.ResizeStream(i, 3300))
			}
		}),
		changed("the same streams again", sweepHandles, func(d *dumptest.Dump) {
			for _, name := range []string{"HandleData", "ModuleList", "ThreadList", "HandleOperationList", "Exception", "Memory64List"} {
				for _, kind := range []dumptest.StreamType{dumptest.HandleDataStream, dumptest.ModuleListStream, dumptest.ThreadListStream, dumptest.HandleOperationListStream, dumptest.ExceptionStream, dumptest.Memory64ListStream} {
					d.Directory.Leading = append(d.Directory.Leading, dumptest.DirectoryEntry{Type: kind, DataSize: 200, Of: name})
				}
			}
		}),
		changed("memory over memory", sweepHandles, func(d *dumptest.Dump) {
			d.Memory64 = append(d.Memory64, dumptest.MemoryRange{Start: 0x20008, Data: make([]byte, 64)}, dumptest.MemoryRange{Start: 0xffffffffffffffc0, Data: make([]byte, 64)})
		}),
		changed("a module of everything", sweepHandles, func(d *dumptest.Dump) { d.Modules[0].Base, d.Modules[0].Size = 0, 0xffffffff }),
		changed("a thread twice", sweepHandles, func(d *dumptest.Dump) { d.Threads = append(d.Threads, d.Threads[0]) }),
	}
	for _, kind := range []dumptest.StreamType{
		dumptest.HandleDataStream, dumptest.HandleOperationListStream, dumptest.ModuleListStream, dumptest.UnloadedModuleListStream, dumptest.ThreadListStream,
		dumptest.ThreadNamesStream, dumptest.ThreadInfoListStream, dumptest.MemoryInfoListStream, dumptest.Memory64ListStream,
	} {
		all = append(all, patched(fmt.Sprintf("%s with 2^32-1 entries", kind), sweepHandles, dumptest.DeclareCount(kind, 0xffffffff)))
	}
	for _, kind := range []dumptest.StreamType{
		dumptest.ThreadExListStream, dumptest.FunctionTableStream, dumptest.TokenStream, dumptest.MemoryListStream, dumptest.LinuxDSODebugStream,
	} {
		all = append(all, patched(fmt.Sprintf("%s with 2^32-1 entries", kind), sweepProcess, dumptest.DeclareCount(kind, 0xffffffff)))
	}
	return all
}
