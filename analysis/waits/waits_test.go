package waits

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// functions are the names of addresses: a module and a function.
type functions map[minidump.VA][2]string

func (f functions) Resolve(ctx context.Context, addrs []minidump.VA) (symbol.Names, error) {
	names := symbol.Names{}
	for _, a := range addrs {
		names[a] = symbol.Location{Address: a, Module: f[a][0], Function: f[a][1]}
	}
	return names, ctx.Err()
}

// The places in ntdll where the threads of these tests stand.
const (
	single   = 0x77001014
	multiple = 0x77002014
	signal   = 0x77003014
	fastCall = 0x77004010
	another  = 0x77005014
	thunk    = 0x77006014
)

var ntdll = functions{
	single:   {"ntdll", "NtWaitForSingleObject"},
	multiple: {"ntdll", "ZwWaitForMultipleObjects"},
	signal:   {"ntdll", "NtSignalAndWaitForSingleObject"},
	fastCall: {"ntdll", "KiFastSystemCallRet"},
	another:  {"ntdll", "NtDelayExecution"},
	thunk:    {"mine", "NtWaitForSingleObject"},
}

// process is the one that these dumps are of.
const process = 0x1000

// objects are the handles of the dumps: of everything that is waited for.
var objects = []dumptest.Handle{
	{Value: 0x10, Type: "Mutant", Name: `\BaseNamedObjects\Orders`, Info: []dumptest.ObjectInformation{
		dumptest.MutantOwner{ProcessID: process, ThreadID: 2}, dumptest.MutantInformation{},
	}},
	{Value: 0x14, Type: "Mutant", Info: []dumptest.ObjectInformation{
		dumptest.MutantOwner{ProcessID: process, ThreadID: 1}, dumptest.MutantInformation{},
	}},
	{Value: 0x18, Type: "Mutant", Info: []dumptest.ObjectInformation{
		dumptest.MutantOwner{}, dumptest.MutantInformation{CurrentCount: 1, Abandoned: true},
	}},
	{Value: 0x1c, Type: "Thread", Info: []dumptest.ObjectInformation{
		dumptest.ThreadInformation{ExitStatus: 0x103, Teb: 0x7ffe0000, ProcessID: process, ThreadID: 3},
	}},
	{Value: 0x20, Type: "Thread", Info: []dumptest.ObjectInformation{
		dumptest.ThreadInformation{ProcessID: process, ThreadID: 3},
	}},
	{Value: 0x24, Type: "Event"},
	{Value: 0x28, Type: "Key"},
	{Value: 0x2c},
}

// array is where the dumps have the handles of waits for several.
const array = 0x5000

// dumpOf is a dump of threads that stand somewhere, numbered from 1.
func dumpOf(pointer int, arch uint16, contexts ...[]byte) dumptest.Dump {
	d := dumptest.Dump{
		PointerSize: pointer, SystemInfo: &dumptest.SystemInfo{ProcessorArchitecture: &arch},
		MiscInfo: &dumptest.MiscInfo{ProcessID: process}, HandleData: &dumptest.HandleData{Handles: objects},
	}
	for i, c := range contexts {
		d.Threads = append(d.Threads, dumptest.Thread{ThreadID: uint32(i + 1), Context: c})
	}
	return d
}

// numbers are pointers of some size in memory.
func numbers(start uint64, size int, values ...uint64) dumptest.MemoryRange {
	var b []byte
	for _, v := range values {
		if size == 4 {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		} else {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
	}
	return dumptest.MemoryRange{Start: start, Data: b}
}

// amd64 is a thread of x64 with the first two arguments of a call.
func amd64(pc, rcx, rdx uint64) []byte {
	r := dumptest.Registers{PC: pc}
	r.R[1], r.R[2], r.R[4] = rcx, rdx, 0x9000
	return r.AMD64()
}

// arm64 is a thread of ARM64 with the first two arguments of a call.
func arm64(pc, x0, x1 uint64) []byte {
	r := dumptest.Registers{PC: pc}
	r.R[0], r.R[1], r.R[31] = x0, x1, 0x9000
	return r.ARM64()
}

// x86 is a thread of x86; its stack holds the arguments behind a return address.
func x86(pc, esp uint64) []byte {
	r := dumptest.Registers{PC: pc}
	r.R[4] = esp
	return r.X86()
}

func with(d dumptest.Dump, memory ...dumptest.MemoryRange) dumptest.Dump {
	d.Memory = append(d.Memory, memory...)
	return d
}

const (
	toOrders   = `1: NtWaitForSingleObject seems to wait for Mutant 0x10 "\BaseNamedObjects\Orders", which thread 2 owns (the handle is in rcx)`
	toMultiple = `1: ZwWaitForMultipleObjects seems to wait for `
)

func TestRead(t *testing.T) {
	many := make([]uint64, 65)
	for i := range many {
		many[i] = 0x24
	}
	noIntegers := dumptest.Registers{PC: single, Flags: 0x100001} // CONTEXT_CONTROL alone
	noIntegers.R[1] = 0x10
	noHandles := dumpOf(8, dumptest.ArchAMD64, amd64(single, 0x10, 0))
	noHandles.HandleData = nil
	noNames := dumpOf(8, dumptest.ArchAMD64, amd64(single, 0x24, 0))
	noNames.HandleData = &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 0x24}}, Style: dumptest.Crashpad}
	one := func(rcx uint64) dumptest.Dump { return dumpOf(8, dumptest.ArchAMD64, amd64(single, rcx, 0)) }
	several := func(count uint64) dumptest.Dump {
		return dumpOf(8, dumptest.ArchAMD64, amd64(multiple, count, array))
	}
	for _, tt := range []struct {
		name   string
		dump   dumptest.Dump
		want   []string
		chains []string
	}{
		{name: "no threads", dump: dumpOf(8, dumptest.ArchAMD64)},
		{name: "no handle list", dump: noHandles},
		{name: "no registers", dump: dumpOf(8, dumptest.ArchAMD64, nil)},
		{name: "registers without rcx", dump: dumpOf(8, dumptest.ArchAMD64, noIntegers.AMD64())},

		{name: "one", dump: one(0x10), want: []string{toOrders}},
		{
			name: "abandoned", dump: one(0x18),
			want: []string{"1: NtWaitForSingleObject seems to wait for Mutant 0x18, abandoned (the handle is in rcx)"},
		},
		{
			name: "a thread", dump: one(0x1c),
			want: []string{"1: NtWaitForSingleObject seems to wait for Thread 0x1c, which is thread 3 (the handle is in rcx)"},
		},
		{
			name: "a thread that has ended", dump: one(0x20),
			want: []string{"1: NtWaitForSingleObject seems to wait for Thread 0x20 (the handle is in rcx)"},
		},
		{
			name: "no type", dump: noNames,
			want: []string{"1: NtWaitForSingleObject seems to wait for handle 0x24 (the handle is in rcx)"},
		},
		{name: "no handle", dump: one(0x11223344)},
		{name: "zero", dump: one(0)},
		{name: "the process itself", dump: one(1<<64 - 1)},
		{name: "a type nobody waits for", dump: one(0x28)},
		{name: "another call", dump: dumpOf(8, dumptest.ArchAMD64, amd64(another, 0x10, 0))},
		{name: "another module", dump: dumpOf(8, dumptest.ArchAMD64, amd64(thunk, 0x10, 0))},

		{
			name: "several", dump: with(several(2), numbers(array, 8, 0x24, 0x10)),
			want: []string{toMultiple + `Event 0x24 or Mutant 0x10 "\BaseNamedObjects\Orders", which thread 2 owns (the handles are in the array to which rcx leads)`},
		},
		{name: "several, of which one is no handle", dump: with(several(2), numbers(array, 8, 0x24, 0x99))},
		{name: "several, of which one is a key", dump: with(several(2), numbers(array, 8, 0x24, 0x28))},
		{name: "none of several", dump: with(several(0), numbers(array, 8, 0x24))},
		{name: "more than Windows waits for", dump: with(several(65), numbers(array, 8, many...))},
		{name: "more than there is memory for", dump: with(several(1<<63), numbers(array, 8, 0x24))},
		{name: "an array that is not captured", dump: several(1)},
		{name: "an array that is half captured", dump: with(several(2), numbers(array, 8, 0x24))},
		{
			name: "signal and wait", dump: dumpOf(8, dumptest.ArchAMD64, amd64(signal, 0x24, 0x10)),
			want: []string{`1: NtSignalAndWaitForSingleObject seems to wait for Mutant 0x10 "\BaseNamedObjects\Orders", which thread 2 owns (the handle is in rdx)`},
		},

		{
			name: "x86", dump: with(dumpOf(4, dumptest.ArchX86, x86(single, 0x9000)), numbers(0x9000, 4, 0x401000, 0x10)),
			want: []string{`1: NtWaitForSingleObject seems to wait for Mutant 0x10 "\BaseNamedObjects\Orders", which thread 2 owns (the handle is in an argument on the stack)`},
		},
		{
			name: "x86, several",
			dump: with(dumpOf(4, dumptest.ArchX86, x86(multiple, 0x9000)), numbers(0x9000, 4, 0x401000, 1, array), numbers(array, 4, 0x24)),
			want: []string{toMultiple + "Event 0x24 (the handle is in the array to which an argument on the stack leads)"},
		},
		{
			name: "x86, signal and wait",
			dump: with(dumpOf(4, dumptest.ArchX86, x86(signal, 0x9000)), numbers(0x9000, 4, 0x401000, 0x24, 0x14)),
			want: []string{"1: NtSignalAndWaitForSingleObject seems to wait for Mutant 0x14, which thread 1 owns (the handle is in an argument on the stack)"},
			chains: []string{
				"closed: thread 1 waits for Mutant 0x14, which thread 1 owns",
			},
		},
		{
			name: "x86 before Windows 8",
			dump: with(dumpOf(4, dumptest.ArchX86, x86(fastCall, 0x9000)), numbers(0x9000, 4, single, 0x401000, 0x10)),
			want: []string{`1: NtWaitForSingleObject seems to wait for Mutant 0x10 "\BaseNamedObjects\Orders", which thread 2 owns (the handle is in an argument on the stack)`},
		},
		{
			name: "x86 before Windows 8, another call",
			dump: with(dumpOf(4, dumptest.ArchX86, x86(fastCall, 0x9000)), numbers(0x9000, 4, another, 0x401000, 0x10)),
		},
		{name: "x86 before Windows 8, without a stack", dump: dumpOf(4, dumptest.ArchX86, x86(fastCall, 0x9000))},
		{name: "x86 without a stack", dump: dumpOf(4, dumptest.ArchX86, x86(single, 0x9000))},
		{name: "x86 at the end of memory", dump: dumpOf(4, dumptest.ArchX86, x86(single, 0xfffffffe))},

		{
			name: "ARM64", dump: dumpOf(8, dumptest.ArchARM64, arm64(single, 0x10, 0)),
			want: []string{`1: NtWaitForSingleObject seems to wait for Mutant 0x10 "\BaseNamedObjects\Orders", which thread 2 owns (the handle is in x0)`},
		},
		{
			name: "ARM64, several", dump: with(dumpOf(8, dumptest.ArchARM64, arm64(multiple, 1, array)), numbers(array, 8, 0x24)),
			want: []string{toMultiple + "Event 0x24 (the handle is in the array to which x0 leads)"},
		},
		{
			name: "ARM64, signal and wait", dump: dumpOf(8, dumptest.ArchARM64, arm64(signal, 0x24, 0x1c)),
			want: []string{"1: NtSignalAndWaitForSingleObject seems to wait for Thread 0x1c, which is thread 3 (the handle is in x1)"},
		},

		{
			name: "a deadlock", dump: dumpOf(8, dumptest.ArchAMD64, amd64(single, 0x10, 0), amd64(single, 0x14, 0), amd64(another, 0, 0)),
			want: []string{toOrders, "2: NtWaitForSingleObject seems to wait for Mutant 0x14, which thread 1 owns (the handle is in rcx)"},
			chains: []string{
				`closed: thread 1 waits for Mutant 0x10 "\BaseNamedObjects\Orders", which thread 2 owns; thread 2 waits for Mutant 0x14, which thread 1 owns`,
			},
		},
		{
			name: "a chain that ends at a thread that runs",
			dump: dumpOf(8, dumptest.ArchAMD64, amd64(single, 0x10, 0), amd64(single, 0x1c, 0), amd64(another, 0, 0)),
			want: []string{toOrders, "2: NtWaitForSingleObject seems to wait for Thread 0x1c, which is thread 3 (the handle is in rcx)"},
			chains: []string{
				`thread 1 waits for Mutant 0x10 "\BaseNamedObjects\Orders", which thread 2 owns; thread 2 waits for Thread 0x1c, which is thread 3`,
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, err := Read(t.Context(), testdump.Make(t, tt.dump), ntdll, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range w.Waits {
				got = append(got, describe(&w.Waits[i]))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.chains, describeChains(w.Chains)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestReadSome looks at one thread of two.
func TestReadSome(t *testing.T) {
	f := testdump.Make(t, dumpOf(8, dumptest.ArchAMD64, amd64(single, 0x10, 0), amd64(single, 0x14, 0)))
	all, err := allThreads(f)
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	w, err := Read(t.Context(), f, ntdll, all[1:])
	if err != nil || len(w.Waits) != 1 || w.Waits[0].Index != 1 || len(w.Chains) != 0 {
		t.Errorf("%+v, %v", w, err)
	}
}

// TestReadProblems reads dumps of which something cannot be read: what is there is
// answered.
func TestReadProblems(t *testing.T) {
	d := dumpOf(8, dumptest.ArchAMD64, amd64(single, 0x10, 0))
	d.Streams = []dumptest.RawStream{{Type: dumptest.Memory64ListStream, Data: []byte{1}}}
	w, err := Read(t.Context(), testdump.Make(t, d), ntdll, nil)
	if err == nil || w == nil || len(w.Waits) != 1 {
		t.Errorf("a damaged list of memory: %+v, %v", w, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if w, err := Read(ctx, testdump.Make(t, dumpOf(8, dumptest.ArchAMD64, amd64(single, 0x10, 0))), ntdll, nil); !errors.Is(err, context.Canceled) || w != nil {
		t.Errorf("canceled: %+v, %v", w, err)
	}
}
