package unwind_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/unwind"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// places is a resolver that counts how often it is asked.
type places struct {
	asked [][]minidump.VA
	names symbol.Names
}

func (p *places) Resolve(ctx context.Context, addrs []minidump.VA) (symbol.Names, error) {
	p.asked = append(p.asked, addrs)
	return p.names, ctx.Err()
}

func TestName(t *testing.T) {
	const start, call = 0x401000, 0x402010
	p := &places{names: symbol.Names{
		start: {Address: start, Module: "a", Offset: 0x1000, Function: "f", File: "f.c", Line: 1, Trust: symbol.TrustPDB},
		call - 1: {Address: call - 1, Module: "a", Offset: 0x200f, Function: "g", Displacement: 0xf, File: "g.c", Line: 20, Trust: symbol.TrustDWARF,
			Inlined: []symbol.Inline{{Function: "inner", File: "i.h", Line: 3}, {Function: "outer", File: "o.h", Line: 5}}},
		0x500000: {Address: 0x500000, Outside: symbol.OutsideJIT},
		0x600000: {Address: 0x600000, Module: "<Unloaded_x.dll>", Offset: 0x10, Others: []symbol.ModuleOffset{{Module: "<Unloaded_y.dll>", Offset: 0x20}}},
	}}
	frames := func(fs ...unwind.Frame) unwind.ThreadStack {
		return unwind.ThreadStack{Stack: unwind.Stack{Frames: fs}}
	}
	inner := unwind.Frame{PC: start, SP: 0x1000, Trust: unwind.TrustContext}
	caller := unwind.Frame{PC: call, SP: 0x1010, Return: true, Trust: unwind.TrustCFI}
	got, err := unwind.Name(t.Context(), p, []unwind.ThreadStack{
		frames(inner, caller), {}, frames(unwind.Frame{PC: 0x500001, Return: true}, unwind.Frame{PC: 0x600001, Return: true}),
	})
	if err != nil {
		t.Fatal(err)
	}
	at := symbol.Location{Address: call, Module: "a", Offset: 0x2010, Trust: symbol.TrustDWARF}
	named := func(function, file string, line int) symbol.Location {
		l := at
		l.Function, l.File, l.Line = function, file, line
		return l
	}
	g := named("g", "g.c", 20)
	g.Displacement = 0x10
	want := [][]unwind.NamedFrame{
		{
			{Frame: inner, At: p.names[start], Exact: true},
			{Frame: caller, At: named("inner", "i.h", 3), Inline: true, Exact: true},
			{Frame: caller, At: named("outer", "o.h", 5), Inline: true, Exact: true},
			{Frame: caller, At: g, Exact: true},
		},
		nil,
		{
			{Frame: unwind.Frame{PC: 0x500001, Return: true}, At: symbol.Location{Address: 0x500001, Outside: symbol.OutsideJIT}},
			{Frame: unwind.Frame{PC: 0x600001, Return: true}, At: symbol.Location{Address: 0x600001, Module: "<Unloaded_x.dll>", Offset: 0x11,
				Others: []symbol.ModuleOffset{{Module: "<Unloaded_y.dll>", Offset: 0x21}}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]minidump.VA{{start, call - 1, 0x500000, 0x600000}}, p.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if p.names[0x600000].Others[0].Offset != 0x20 || len(p.names[call-1].Inlined) != 2 {
		t.Error("the resolver's names were changed")
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := unwind.Name(ctx, p, nil); got != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestNameExact takes the nearest export for the function only where the function is
// known to begin there.
func TestNameExact(t *testing.T) {
	const addr = 0x7ff800001234
	at := symbol.Location{Address: addr, Module: "ntdll", Offset: 0x1234, Function: "NtClose", Displacement: 0x14, Trust: symbol.TrustExport}
	for _, tt := range []struct {
		function minidump.VA
		change   func(*symbol.Location)
		want     bool
	}{
		{function: addr - 0x14, want: true},
		{function: addr - 0x10},
		{function: 0},
		{change: func(l *symbol.Location) { l.Trust = symbol.TrustPDB }, want: true},
		{change: func(l *symbol.Location) { l.Function = "" }},
	} {
		l := at
		if tt.change != nil {
			tt.change(&l)
		}
		frame := unwind.Frame{PC: addr, Function: tt.function}
		got, err := unwind.Name(t.Context(), &places{names: symbol.Names{addr: l}}, []unwind.ThreadStack{{Stack: unwind.Stack{Frames: []unwind.Frame{frame}}}})
		if err != nil || got[0][0].Exact != tt.want {
			t.Errorf("function at %s, %+v: %v, %v", tt.function, l, got[0][0].Exact, err)
		}
	}
}

// Code that was made at run time is called so.
func ExampleName() {
	data := dumptest.Dump{MemoryInfos: &dumptest.MemoryInfoList{Regions: []dumptest.MemoryInfo{
		{BaseAddress: 0x7ff800000000, RegionSize: 0x10000, Protect: 0x40, Type: 0x20000}, // private, executable
	}}}.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		fmt.Println(err)
		return
	}
	session, err := symbol.NewResolver(f, symbol.Options{})
	if session == nil {
		fmt.Println(err)
		return
	}
	defer session.Close()
	stack := unwind.ThreadStack{Stack: unwind.Stack{Frames: []unwind.Frame{{PC: 0x7ff800001234, Return: true}}}}
	stacks, err := unwind.Name(context.Background(), session, []unwind.ThreadStack{stack})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, frame := range stacks[0] {
		fmt.Println(frame.At.Place(), frame.At.Outside.Name())
	}
	// Output:
	// 0x7ff800001234 <JIT code>
}
