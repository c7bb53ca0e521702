package analysis_test

import (
	"bytes"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// aProcess is a dump with the TEB and the PEB of a process.
func aProcess() *minidump.File {
	data := spaceDump().Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		panic(err)
	}
	return f
}

// What a process was started with, and where.
func ExampleReadPEBs() {
	pebs, err := analysis.ReadPEBs(aProcess())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range pebs {
		if q := p.Parameters; q != nil && q.CommandLine != nil {
			fmt.Println(*q.CommandLine, len(q.Variables), "variables")
		}
	}
	// Output: "C:\a.exe" -x 2 variables
}

// The last error of each thread.
func ExampleThreads() {
	threads, err := analysis.Threads(aProcess())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range threads {
		if b := t.ProgramBlock(); b != nil {
			fmt.Printf("thread %d: last error %d, stack below %s\n", t.ThreadID, b.LastError, b.StackBase)
		}
	}
	// Output: thread 43: last error 183, stack below 0x22000
}

// How much of the address space is used, and for what.
func ExampleDescribeMemory() {
	space, err := analysis.DescribeMemory(aProcess())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, u := range space.Usage {
		fmt.Printf("%-9s %d regions, %#x bytes\n", u.Name, u.Count, u.Bytes)
	}
	// Output:
	// Free      2 regions, 0x33e000 bytes
	// Heap      4 regions, 0x21000 bytes
	// <unknown> 2 regions, 0x8000 bytes
	// Image     1 regions, 0x5000 bytes
	// Stack     2 regions, 0x2000 bytes
	// TEB       1 regions, 0x2000 bytes
	// PEB       1 regions, 0x1000 bytes
}

// Memory as WinDbg's "dd" has it, and the address as it reads it.
func ExampleReadMemoryView() {
	f := aProcess()
	memory, err := f.Memory()
	if err != nil {
		fmt.Println(err)
		return
	}
	at, err := analysis.ParseAddress("7ff0`00000000+68", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	view, err := analysis.ReadMemoryView(memory, analysis.ShowDwords, at, 4, f.PointerSize())
	if err != nil {
		fmt.Println(err)
		return
	}
	value, ok := view.Value(0, 4)
	fmt.Println(view.Address, value, ok)
	// Output: 0x7ff000000068 183 true
}
