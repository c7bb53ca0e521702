package minidump_test

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// A dump to try things on.
func exampleBytes() []byte {
	return dumptest.Dump{
		HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
			{Value: 0x7e0, Type: "Key", Name: `\REGISTRY\MACHINE\SOFTWARE\Classes`, GrantedAccess: 0x20019},
			{Value: 0x7e4, Type: "Event", GrantedAccess: 0x1f0003, Info: []dumptest.ObjectInformation{dumptest.EventInformation{Set: true}}},
		}},
		Threads:     []dumptest.Thread{{ThreadID: 3132, Context: dumptest.ContextAMD64(0x401234, 0x12f000, 0)}, {ThreadID: 3136, SuspendCount: 1}},
		ThreadNames: []dumptest.ThreadName{{ThreadID: 3136, Name: "finalizer"}},
		Exception:   &dumptest.Exception{ThreadID: 3132, ExceptionCode: 0xc0000005, ExceptionAddress: 0x401234, Parameters: []uint64{1, 0x45}},
		Modules: []dumptest.Module{{
			Base: 0x400000, Size: 0x2000, Name: `C:\inetsrv\w3wp.exe`, Version: &dumptest.Version{File: [4]uint16{7, 5, 7601, 17514}},
			CodeView: dumptest.RSDS{GUID: [16]byte{0xb6, 0x47, 0x77, 0x2f}, Age: 1, Path: "w3wp.pdb"},
		}},
		HandleOperations: &dumptest.HandleOperationList{Operations: []dumptest.HandleOperation{
			{Handle: 0x7e0, ThreadID: 3132, Type: dumptest.OperationOpen, Stack: []uint64{0x401010, 0x401020}},
		}},
		MemoryInfos: &dumptest.MemoryInfoList{Regions: []dumptest.MemoryInfo{
			{BaseAddress: 0x400000, RegionSize: 0x2000, Protect: 0x20, Type: 0x1000000},
		}},
		Memory: []dumptest.MemoryRange{{Start: 0x400000, Data: []byte("MZ")}},
	}.Bytes()
}

func exampleDump() *minidump.File {
	data := exampleBytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	return f
}

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "w3wp.dmp")
	if err := os.WriteFile(path, exampleBytes(), 0o600); err != nil {
		log.Fatal(err)
	}

	f, err := minidump.Open(path)
	if errors.Is(err, minidump.ErrNotMinidump) {
		log.Fatal(err) // the message says what it is instead
	}
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	streams, err := f.Directory()
	if err != nil {
		log.Print(err) // the file is cut off; the entries that are there can be used
	}
	fmt.Println(f.Time().Format("2006-01-02"), len(streams), "streams, the first of them", streams[0].StreamType)
	// Output: 2023-11-14 9 streams, the first of them SystemInfoStream
}

// In a test a dump is built with package dumptest, here one that declares more
// handles than it holds.
func ExampleNewFile() {
	data := dumptest.Dump{
		HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 4, Type: "Key"}}},
		Patches:    []dumptest.Patch{dumptest.DeclareCount(dumptest.HandleDataStream, 1000)},
	}.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	hd, err := f.HandleData()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hd.Len())
	// Output: 1 HandleDataStream: file offset 0xba: 1000 handle descriptors of 40 bytes declared, but the stream ends after 1
}

func ExampleFile_SystemInfo() {
	si, err := exampleDump().SystemInfo()
	if si == nil {
		log.Fatal(err) // with both, only the name of the service pack is missing
	}
	fmt.Printf("%s %d.%d.%d, %s, %d processors\n", si.PlatformID, si.MajorVersion, si.MinorVersion, si.BuildNumber, si.ProcessorArchitecture, si.NumberOfProcessors)
	// Output: Windows NT 10.0.19045, AMD64, 4 processors
}

func ExampleFile_Threads() {
	f := exampleDump()
	names := map[uint32]string{}
	threadNames, err := f.ThreadNames()
	if err != nil && !errors.Is(err, minidump.ErrNoStream) {
		log.Print(err)
	}
	for _, n := range threadNames {
		names[n.ThreadID] = n.Name
	}
	threads, err := f.Threads()
	if err != nil {
		log.Print(err) // the threads that can be read are there all the same
	}
	for _, t := range threads {
		fmt.Printf("%d %q, suspended %d times, %d bytes of registers\n", t.ThreadID, names[t.ThreadID], t.SuspendCount, t.ThreadContext.DataSize)
	}
	// Output:
	// 3132 "", suspended 0 times, 1232 bytes of registers
	// 3136 "finalizer", suspended 1 times, 0 bytes of registers
}

func ExampleFile_Modules() {
	modules, err := exampleDump().Modules()
	if err != nil {
		log.Print(err)
	}
	for _, m := range modules {
		fmt.Printf("%s-%s %s %s %s\n", m.BaseOfImage, m.End(), m.BaseName(), m.VersionInfo.FileVersion(), m.CvRecord.Key())
	}
	// Output: 0x400000-0x402000 w3wp.exe 7.5.7601.17514 2F7747B60000000000000000000000001
}

func ExampleFile_Exception() {
	f := exampleDump()
	e, err := f.Exception()
	if errors.Is(err, minidump.ErrNoStream) {
		fmt.Println("no exception: the dump was taken of a running process")
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	si, err := f.SystemInfo()
	if si == nil {
		log.Fatal(err)
	}
	fmt.Printf("thread %d: %s at %s\n", e.ThreadID, e.ExceptionCode.Name(si.PlatformID), e.ExceptionAddress)
	if e.ExceptionCode == minidump.StatusAccessViolation && len(e.ExceptionInformation) >= 2 && e.ExceptionInformation[0] == 1 {
		fmt.Println("it wrote to", minidump.VA(e.ExceptionInformation[1]))
	}
	// Output:
	// thread 3132: STATUS_ACCESS_VIOLATION at 0x401234
	// it wrote to 0x45
}

func ExampleHandleData_All() {
	f := exampleDump()
	hd, err := f.HandleData()
	if err != nil {
		log.Fatal(err) // wraps minidump.ErrNoStream if the dump holds no handles
	}
	if _, err := hd.Len(); err != nil {
		log.Print(err) // the file is cut off and holds fewer handles than it declares
	}
	for h, err := range hd.All() {
		if errors.Is(err, minidump.ErrUnreadable) {
			continue // nothing is known of this handle
		}
		if err != nil {
			log.Print(err) // its name, say, could not be read
		}
		fmt.Printf("%#x %s %q\n", h.Handle, h.TypeName, h.ObjectName)
	}
	// Output:
	// 0x7e0 Key "\\REGISTRY\\MACHINE\\SOFTWARE\\Classes"
	// 0x7e4 Event ""
}

func ExampleObjectInformation_Decode() {
	hd, err := exampleDump().HandleData()
	if err != nil {
		log.Fatal(err)
	}
	for h := range hd.All() {
		for _, raw := range h.ObjectInfo {
			switch info, _ := raw.Decode(); info := info.(type) {
			case minidump.EventInformation:
				fmt.Printf("event %#x: manual reset %v, signaled %v\n", h.Handle, info.ManualReset(), info.Signaled())
			case nil:
				fmt.Printf("%s: % x\n", raw.InfoType, raw.Data)
			}
		}
	}
	// Output: event 0x7e4: manual reset true, signaled true
}

func ExampleFile_Memory() {
	memory, err := exampleDump().Memory()
	if memory == nil {
		log.Fatal(err) // no list of memory; with a list and an error, the file is cut off
	}
	magic := make([]byte, 2)
	if _, err := memory.ReadAt(magic, 0x400000); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", magic)
	// Output: MZ
}

func ExampleHandleOperationList_All() {
	ops, err := exampleDump().HandleOperations()
	if err != nil {
		log.Fatal(err) // wraps minidump.ErrNoStream if the process was not traced
	}
	for op, err := range ops.All() {
		if err != nil {
			log.Print(err)
			continue
		}
		fmt.Printf("%s %#x by thread %d, called from %v\n", op.OperationType, op.Handle, op.ThreadID, op.Frames())
	}
	// Output: OPEN 0x7e0 by thread 3132, called from [0x401010 0x401020]
}

func ExampleMemoryInfoList_All() {
	regions, err := exampleDump().MemoryInfos()
	if err != nil {
		log.Fatal(err)
	}
	for m, err := range regions.All() {
		if err != nil {
			log.Print(err)
			continue
		}
		fmt.Println(m.BaseAddress, m.RegionSize, m.State, m.Type, m.Protect)
	}
	// Output: 0x400000 8192 MEM_COMMIT MEM_IMAGE PAGE_EXECUTE_READ
}
