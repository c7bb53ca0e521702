package main

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"unicode/utf16"

	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// sweepDumps have every stream between them, each in less than 4 KB.
var sweepDumps = []struct {
	name string
	make func() dumptest.Dump
}{{"handles", sweepHandles}, {"process", sweepProcess}}

// sweepHandles has what the questions about handles are answered from.
func sweepHandles() dumptest.Dump {
	const code, stack = 0x140001000, 0x20000
	words := []byte{}
	for i := range uint64(12) { // return addresses, and handles in a row
		words = binary.LittleEndian.AppendUint64(words, code+16*i*(i%2))
		words = binary.LittleEndian.AppendUint64(words, 4*i)
	}
	return dumptest.Dump{
		Flags:    dumptest.WithHandleData,
		MiscInfo: &dumptest.MiscInfo{Version: 2, ProcessID: 4242, ProcessCreateTime: 1327240000, ProcessUserTime: 5},
		Threads: []dumptest.Thread{{
			ThreadID: 7, Context: dumptest.ContextAMD64(code+8, stack, stack+0x20),
			Stack: dumptest.MemoryRange{Start: stack, Size: uint64(len(words))},
		}},
		ThreadNames: []dumptest.ThreadName{{ThreadID: 7, Name: "finalizer"}},
		ThreadInfos: &dumptest.ThreadInfoList{Threads: []dumptest.ThreadInfo{{ThreadID: 7, StartAddress: code, CreateTime: 132537600000000000}}},
		Modules: []dumptest.Module{{
			Base: code - 0x1000, Size: 0x2000, TimeDateStamp: 0x4f1c0000, Name: `C:\w3wp.exe`,
			Version: &dumptest.Version{File: [4]uint16{7, 5, 1, 2}}, CodeView: dumptest.RSDS{Age: 1, Path: "w3wp.pdb"},
		}},
		UnloadedModules: &dumptest.UnloadedModuleList{Modules: []dumptest.UnloadedModule{{Base: 0x30000000, Size: 16, Name: "gone.dll"}}},
		HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
			{Value: 4, Type: "Event", GrantedAccess: 0x1f0003, Info: []dumptest.ObjectInformation{dumptest.EventInformation{Set: true}}},
			{Value: 8, Type: "Key", Name: `\REGISTRY\x`, GrantedAccess: 0x20019},
			{Value: 12, Type: "Mutant", GrantedAccess: 0x1f0001, Info: []dumptest.ObjectInformation{
				dumptest.MutantOwner{ProcessID: 4242, ThreadID: 7}, dumptest.MutantInformation{CurrentCount: 1},
			}},
			{Value: 16, Type: "Key", Name: `\REGISTRY\x`, GrantedAccess: 0x20019},
		}},
		HandleOperations: &dumptest.HandleOperationList{EntrySize: 56, Operations: []dumptest.HandleOperation{
			{Handle: 8, ProcessID: 4242, ThreadID: 7, Type: dumptest.OperationOpen, Stack: []uint64{code, code + 16}},
			{Handle: 16, ProcessID: 4242, ThreadID: 7, Type: dumptest.OperationClose, Stack: []uint64{code}},
		}},
		Exception: &dumptest.Exception{ThreadID: 7, ExceptionCode: 0xc0000008, Parameters: []uint64{8}},
		MemoryInfos: &dumptest.MemoryInfoList{Regions: []dumptest.MemoryInfo{
			{BaseAddress: stack, RegionSize: 0x1000, State: 0x1000, Protect: 4, Type: 0x20000},
		}},
		Memory64: []dumptest.MemoryRange{{Start: stack, Data: words}},
	}
}

// sweepProcess has 32 bits, a PEB, and the streams of other writers.
func sweepProcess() dumptest.Dump {
	comment := "leaks since Tuesday"
	d := dumptest.Dump{
		PointerSize:  4,
		CountPadding: true,
		Threads:      []dumptest.Thread{{ThreadID: 7, Teb: sweepTEB, Context: dumptest.ContextX86(0x401008, sweepTEB+0x100, sweepTEB+0x120)}},
		ThreadExs:    []dumptest.ThreadEx{{Thread: dumptest.Thread{ThreadID: 7, Context: []byte{1}}}},
		HandleData: &dumptest.HandleData{Style: dumptest.Crashpad, Handles: []dumptest.Handle{
			{Value: 4, Type: "Event", GrantedAccess: 0x1f0003}, {Value: 8, Type: "Event"},
		}},
		ProcessVmCounters: &dumptest.ProcessVmCounters{},
		FunctionTables: &dumptest.FunctionTables{Tables: []dumptest.FunctionTable{
			{Minimum: 0x20000, Maximum: 0x21000, Base: 0x20000, Native: []byte("native"), Entries: []byte("function one"), AlignPad: 2},
		}},
		Tokens: &dumptest.TokenList{Tokens: []dumptest.Token{{
			ID: 4242, User: dumptest.Group{SID: "S-1-5-18"}, PrimaryGroup: "S-1-5-32-545",
			Groups:     []dumptest.Group{{SID: "S-1-16-12288", Attributes: 0x60}},
			Privileges: []dumptest.Privilege{{LUID: 20, Attributes: 2}}, Statistics: &dumptest.TokenStatistics{TokenType: 1},
		}}},
		BreakpadInfo:  &dumptest.BreakpadInfo{DumpThreadID: 7},
		LinuxAuxv:     []dumptest.AuxvEntry{{Type: 6, Value: 4096}},
		LinuxDSODebug: &dumptest.LinuxDSODebug{Links: []dumptest.LinuxLink{{Name: "libc.so"}}, DynamicSection: make([]byte, 16)},
		CrashpadInfo: &dumptest.CrashpadInfo{
			Annotations: []dumptest.Annotation{{Key: "prod", Value: "größer\xff"}},
			Modules: []dumptest.CrashpadModule{
				{List: []string{"abort() called"}, Objects: []dumptest.AnnotationObject{{Name: "ptype", Type: 1, Value: []byte("renderer")}}},
			},
		},
		CommentA: &comment,
		CommentW: &comment,
		Streams:  []dumptest.RawStream{{Type: 0x47670009, Data: []byte("00400000-00401000 r-xp")}},
		Memory:   []dumptest.MemoryRange{{Start: sweepTEB, Data: sweepPEB()}},
	}
	return d
}

const sweepTEB = 0x7efd0000

// sweepPEB is the memory of a TEB and a PEB of 32 bits with a module, the
// parameters of the process and its environment. The offsets are those of
// winternl.h and of Wine's headers.
func sweepPEB() []byte {
	const peb, ldr, entry, params, chars = 0x100, 0x2c0, 0x300, 0x360, 0x440
	data := make([]byte, 0x4c0)
	put := func(at int, words ...uint32) {
		for i, w := range words {
			binary.LittleEndian.PutUint32(data[at+4*i:], w)
		}
	}
	at := chars
	text := func(s string) (length, address uint32) {
		address = uint32(sweepTEB + at)
		for _, u := range utf16.Encode([]rune(s)) {
			binary.LittleEndian.PutUint16(data[at:], u)
			at += 2
		}
		at += 2
		n := uint32(2 * len(s))
		return n | n<<16, address
	}
	put(0x18, sweepTEB)
	put(0x30, sweepTEB+peb)
	put(peb+8, 0x400000, sweepTEB+ldr, sweepTEB+params)
	put(ldr, 0x30, 1, 0, sweepTEB+entry, sweepTEB+entry)
	put(entry, sweepTEB+ldr+12, sweepTEB+ldr+12, 0, 0, 0, 0, 0x400000, 0x401000, 0x5000)
	n, s := text(`C:\a.exe`)
	put(entry+0x24, n, s)
	put(params, 0xc0, 0xc0, 1)
	put(params+0x38, n, s)
	n, s = text(`a.exe -x`)
	put(params+0x40, n, s)
	_, s = text("PATH=C:\\bin\x00")
	put(params+0x48, s)
	return data
}

// A mutation is a dump that something is wrong with.
type mutation struct {
	name string
	make func() []byte
}

// sweepMutations breaks a dump in every place, one at a time: ends it after
// each of its bytes, turns each bit over, and gives each field of 32 bits the
// values at the edges.
func sweepMutations(name string, d dumptest.Dump) (all []mutation) {
	whole := d.Bytes()
	add := func(what string, make func() []byte) { all = append(all, mutation{name + ": " + what, make}) }
	for n := range whole {
		add(fmt.Sprintf("%d bytes", n), func() []byte { return whole[:n] })
	}
	add("a byte more", func() []byte { return append(slices.Clone(whole), 0xff) })
	for i := range 8 * len(whole) {
		add(fmt.Sprintf("bit %d at %#x", i%8, i/8), func() []byte {
			data := slices.Clone(whole)
			data[i/8] ^= 1 << (i % 8)
			return data
		})
	}
	size := uint32(len(whole))
	for _, at := range sweepFields(d) {
		was := binary.LittleEndian.Uint32(whole[at:])
		for _, v := range []uint32{0, 1, 0x7fffffff, 0xffffffff, was - 1, was + 1, size - 1, size, size + 1} {
			if v != was {
				add(fmt.Sprintf("%#x at %#x", v, at), func() []byte {
					data := slices.Clone(whole)
					binary.LittleEndian.PutUint32(data[at:], v)
					return data
				})
			}
		}
	}
	return all
}

// sweepFields is where the fields of 32 bits stand: each structure is counted
// from its own start, for these are at odd offsets, too.
func sweepFields(d dumptest.Dump) (fields []int64) {
	layout, err := d.Layout()
	if err != nil {
		panic(err)
	}
	starts := slices.Compact(slices.Sorted(maps.Values(layout)))
	for i := range len(starts) - 1 {
		for at := starts[i]; at+4 <= starts[i+1]; at += 4 {
			fields = append(fields, at)
		}
	}
	return fields
}
