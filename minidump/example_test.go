package minidump_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// A dump to try things on. Programs call minidump.Open with a path instead.
func exampleDump() *minidump.File {
	data := dumptest.Dump{
		HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
			{Value: 0x7e0, Type: "Key", Name: `\REGISTRY\MACHINE\SOFTWARE\Classes`, GrantedAccess: 0x20019},
			{Value: 0x7e4, Type: "Event", GrantedAccess: 0x1f0003, Info: []dumptest.ObjectInformation{dumptest.EventInformation{Set: true}}},
		}},
		Modules: []dumptest.Module{{Base: 0x400000, Size: 0x2000, Name: `C:\inetsrv\w3wp.exe`}},
		Memory:  []dumptest.MemoryRange{{Start: 0x400000, Data: []byte("MZ")}},
	}.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	return f
}

func ExampleHandleData_All() {
	f := exampleDump()
	hd, err := f.HandleData()
	if err != nil {
		log.Fatal(err) // wraps minidump.ErrNoStream if the dump holds no handles
	}
	for h, err := range hd.All() {
		if err != nil {
			log.Print(err) // this handle could not be read whole; go on
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
				fmt.Printf("event %#x: set %v\n", h.Handle, info.EventState != 0)
			case nil:
				fmt.Printf("%s: % x\n", raw.InfoType, raw.Data)
			}
		}
	}
	// Output: event 0x7e4: set true
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
