package htrace_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// Which module opened the handles that are still open?
func ExampleRead() {
	leak := []uint64{0x77ca310c, 0x10001543} // ntdll, MyCustomDll
	data := dumptest.Dump{
		Modules: []dumptest.Module{
			{Base: 0x77c80000, Size: 0x100000, Name: `C:\Windows\System32\ntdll.dll`},
			{Base: 0x10000000, Size: 0x10000, Name: `C:\inetsrv\MyCustomDll.dll`},
		},
		HandleOperations: &dumptest.HandleOperationList{Operations: []dumptest.HandleOperation{
			{Handle: 0x7e0, Type: dumptest.OperationOpen, Stack: leak},
			{Handle: 0x7e4, Type: dumptest.OperationOpen, Stack: leak},
			{Handle: 0x7e4, Type: dumptest.OperationClose, Stack: []uint64{0x77ca2d3c}},
			{Handle: 0x7e8, Type: dumptest.OperationOpen, Stack: leak},
		}},
	}.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		fmt.Println(err)
		return
	}
	trace, err := htrace.Read(context.Background(), f, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	modules, err := f.Modules()
	if err != nil {
		fmt.Println(err)
		return
	}
	system, err := htrace.NewSystemModules(modules, nil, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	names, err := symbol.NewModules(modules).Resolve(context.Background(), trace.Addresses())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(trace.Order)
	for _, g := range trace.Group(trace.Outstanding, htrace.GroupOptions{
		By: htrace.ByStack, Blame: trace.Blame(names, system),
	}) {
		fmt.Printf("%d by %s at %s: %x\n", g.Count, g.Culprit.Name(), g.Location, g.Handles)
	}
	// Output:
	// oldest first
	// 2 by MyCustomDll at MyCustomDll+0x1543: [7e0 7e8]
}
