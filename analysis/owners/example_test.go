package owners_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log"

	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func ExampleFind() {
	// A process with 100 events in objects of one class; in programs the dump
	// comes from minidump.Open.
	var heap []byte
	var handles []dumptest.Handle
	for i := range 100 {
		handle := uint64(0x40 + 8*i)
		handles = append(handles, dumptest.Handle{Value: handle, Type: "Event"})
		heap = binary.LittleEndian.AppendUint64(heap, 0x7ff610003080)
		heap = binary.LittleEndian.AppendUint64(heap, handle)
		heap = append(heap, make([]byte, 16)...)
	}
	data := dumptest.Dump{
		Flags:      dumptest.WithFullMemory,
		HandleData: &dumptest.HandleData{Handles: handles},
		Modules:    []dumptest.Module{{Base: 0x7ff610000000, Size: 0x8000, Name: `C:\srv\MyCustomDll.dll`}},
		Memory64:   []dumptest.MemoryRange{{Start: 0x10000, Data: heap}},
	}.Bytes()

	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	report, err := owners.Find(context.Background(), f, owners.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, o := range report.Owners {
		fmt.Printf("%d of %d %s handles: %s+%#x, %d bytes behind it\n", o.Handles, o.Of, o.Type, o.Module, o.ModuleOffset, o.FieldOffset)
	}
	// Output: 100 of 100 Event handles: MyCustomDll+0x3080, 8 bytes behind it
}

func ExampleIdentify() {
	// A process with 60 jobs, each with an event and a number of its own, in two
	// dumps. Between them 20 jobs ended, and others began in the same memory, whose
	// events got the same values; some went and came besides.
	dump := func(newer bool) owners.Side {
		var heap []byte
		var handles []dumptest.Handle
		for i := range 80 {
			handle, number := uint64(0x40+8*i), uint64(5000+9*i+i*i%5)
			if newer && i < 20 {
				number += 10_000
			}
			if newer && i >= 60 {
				handle, number = handle+0x4000, number+10_000
			}
			handles = append(handles, dumptest.Handle{Value: handle, Type: "Event"})
			for _, word := range []uint64{0x7ff610003080, number, handle, 0} {
				heap = binary.LittleEndian.AppendUint64(heap, word)
			}
		}
		data := dumptest.Dump{
			Flags:      dumptest.WithFullMemory,
			HandleData: &dumptest.HandleData{Handles: handles},
			Modules:    []dumptest.Module{{Base: 0x7ff610000000, Size: 0x8000, Name: `C:\srv\MyCustomDll.dll`}},
			Memory64:   []dumptest.MemoryRange{{Start: 0x1f010000000, Data: heap}},
		}.Bytes()
		f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			log.Fatal(err)
		}
		report, err := owners.Find(context.Background(), f, owners.Options{})
		if err != nil {
			log.Fatal(err)
		}
		return owners.Side{File: f, Report: report}
	}
	ids, err := owners.Identify(context.Background(), dump(false), dump(true))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d values in both, %d of them the same handle, %d replaced\n", ids.Kept, ids.Same, ids.Replaced)
	for _, h := range ids.Holders {
		fmt.Println(h.Sentence())
	}
	// Output:
	// 60 values in both, 40 of them the same handle, 20 replaced
	// MyCustomDll+0x3080: by what differs between its objects, at +0x8
}
