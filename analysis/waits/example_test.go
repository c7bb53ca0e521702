package waits_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/waits"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// inNtdll names the only place at which the threads of the example stand; in
// programs this is a [symbol.Session].
type inNtdll struct{}

func (inNtdll) Resolve(context.Context, []minidump.VA) (symbol.Names, error) {
	return symbol.Names{0x7ff8a014: {Module: "ntdll", Function: "NtWaitForSingleObject", Displacement: 0x14}}, nil
}

// Two threads of which each waits for the Mutant of the other.
func ExampleRead() {
	dump := dumptest.Dump{MiscInfo: &dumptest.MiscInfo{ProcessID: 42}, HandleData: &dumptest.HandleData{}}
	for id, handle := range []uint64{1: 0x20, 2: 0x10} {
		if id == 0 {
			continue
		}
		r := dumptest.Registers{PC: 0x7ff8a014}
		r.R[1] = handle // rcx
		dump.Threads = append(dump.Threads, dumptest.Thread{ThreadID: uint32(id), Context: r.AMD64()})
		dump.HandleData.Handles = append(dump.HandleData.Handles, dumptest.Handle{
			Value: uint64(16 * id), Type: "Mutant",
			Info: []dumptest.ObjectInformation{dumptest.MutantOwner{ProcessID: 42, ThreadID: uint64(id)}, dumptest.MutantInformation{}},
		})
	}
	data := dump.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	w, err := waits.Read(context.Background(), f, inNtdll{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	for i := range w.Waits {
		fmt.Println("thread", w.Waits[i].ThreadID, &w.Waits[i])
	}
	fmt.Println("a deadlock:", w.Chains[0].Closed)
	// Output:
	// thread 1 seems to wait for Mutant 0x20, which thread 2 owns (the handle is in rcx)
	// thread 2 seems to wait for Mutant 0x10, which thread 1 owns (the handle is in rcx)
	// a deadlock: true
}
