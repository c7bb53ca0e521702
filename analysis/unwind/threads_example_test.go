package unwind_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/unwind"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// twoFrames is a dump of a 32-bit thread that has called a function which keeps
// its frame in ebp.
func twoFrames() dumptest.Dump {
	var stack []byte
	for _, v := range []uint32{0x9008, 0x401020, 0, 0} { // ebp and return address, twice
		stack = binary.LittleEndian.AppendUint32(stack, v)
	}
	code := make([]byte, 0x1000)
	copy(code[0x1b:], []byte{0xe8, 0xe0, 0x0f, 0, 0}) // 40101b: call 402000
	return dumptest.Dump{
		PointerSize: 4,
		Modules:     []dumptest.Module{{Base: 0x400000, Size: 0x10000, Name: `C:\app.exe`}},
		Threads: []dumptest.Thread{{
			ThreadID: 7, Context: dumptest.ContextX86(0x402010, 0x9000, 0x9000),
			Stack: dumptest.MemoryRange{Start: 0x9000, Data: stack},
		}},
		Memory: []dumptest.MemoryRange{{Start: 0x401000, Data: code}},
	}
}

func ExampleUnwinder_Threads() {
	data := twoFrames().Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	session, err := symbol.NewResolver(f, symbol.Options{Offline: true})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	code := session.Code(ctx)
	u, err := unwind.New(f, session, code)
	if err != nil {
		log.Fatal(err)
	}
	threads, err := f.Threads()
	if err != nil {
		log.Fatal(err)
	}
	stacks, err := u.Threads(ctx, f, threads, nil, []int{0})
	if err != nil {
		log.Fatal(err)
	}
	for _, frame := range stacks[0].Frames {
		fmt.Printf("%#x %s\n", uint64(frame.PC), frame.Trust)
	}
	// Output:
	// 0x402010 context
	// 0x401020 frame pointer
}
