package unwind_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/unwind"
	"github.com/dumpscan/dumpscan/minidump"
)

// functions names a few addresses by hand, and all others by their module.
type functions struct {
	modules *symbol.Modules
	names   map[minidump.VA]symbol.Location
}

func (f functions) Resolve(ctx context.Context, addrs []minidump.VA) (symbol.Names, error) {
	names, err := f.modules.Resolve(ctx, addrs)
	for addr, l := range names {
		if known, ok := f.names[addr]; ok {
			l.Function, l.Displacement, l.Trust = known.Function, known.Displacement, known.Trust
			names[addr] = l
		}
	}
	return names, err
}

var program = functions{
	symbol.NewModules([]minidump.Module{
		{BaseOfImage: 0x140000000, SizeOfImage: 0x10000, ModuleName: `C:\w3wp.exe`},
		{BaseOfImage: 0x180000000, SizeOfImage: 0x10000, ModuleName: `C:\My.dll`},
	}),
	map[minidump.VA]symbol.Location{
		0x140001020: {Function: "main", Displacement: 0x20, Trust: symbol.TrustPDB},
		0x180001000: {Function: "Leak", Trust: symbol.TrustPDB},
		0x140003000: {Function: "table", Displacement: 0x500, Trust: symbol.TrustExport},
	},
}

func TestCalls(t *testing.T) {
	decoder := &unwind.CallDecoder{Arch: minidump.ProcessorAMD64, Code: sparseCode{
		0x140001018: code(t, "90 90 90 e8 e0 ff ff 3f"), // to 0x180001000
		0x140002018: code(t, "90 90 ff 15 e0 0f 00 00"), // through 0x140003000
		0x140004018: code(t, "90 90 90 90 90 90 ff d7"), // call rdi
		0x140005018: code(t, "90 90 90 90 90 90 90 90"),
	}}
	stack := []minidump.VA{0x140001020, 0x140002020, 0x140004020, 0x140005020, 0x180001234, 0x99}
	calls, err := decoder.Calls(t.Context(), stack, program)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, c := range calls {
		if c.Return.Address != stack[i] {
			t.Errorf("frame %d returns to %s, want %s", i, c.Return.Address, stack[i])
		}
		end := c.Note
		if c.Destination.Address != 0 {
			end = "to " + c.Destination.String() + c.Note
		}
		got = append(got, fmt.Sprintf("%s: %s", c.Return, end))
	}
	want := []string{
		"w3wp!main+0x20: to My!Leak",
		"w3wp+0x2020: through the pointer at w3wp+0x3000, which is not in the dump",
		"w3wp+0x4020: call rdi",
		"w3wp+0x5020: no call before 0x140005020",
		"My+0x1234: its code is not in the dump",
		"0x99: its code is not in the dump",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if calls, err := decoder.Calls(t.Context(), nil, program); len(calls) != 0 || err != nil {
		t.Errorf("no stack: %v, %v", calls, err)
	}
}

func TestCallsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	decoder := &unwind.CallDecoder{Arch: minidump.ProcessorAMD64, Code: sparseCode{}}
	if calls, err := decoder.Calls(ctx, []minidump.VA{0x140001020}, program); calls != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", calls, err)
	}
}

// Where did the call before a return address go?
func ExampleCallDecoder_Calls() {
	code := sparseCode{0x14000101b: {0xe8, 0xe0, 0xff, 0xff, 0x3f}} // memory of a dump: call 0x180001000
	decoder := &unwind.CallDecoder{Code: code, Arch: minidump.ProcessorAMD64}
	calls, err := decoder.Calls(context.Background(), []minidump.VA{0x140001020, 0x180001234}, program)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range calls {
		if c.Destination.Address != 0 {
			fmt.Println(c.Return, "calls", c.Destination)
		} else {
			fmt.Println(c.Return, "is unclear:", c.Note)
		}
	}
	// Output:
	// w3wp!main+0x20 calls My!Leak
	// My+0x1234 is unclear: its code is not in the dump
}
