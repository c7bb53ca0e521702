package analysis_test

import (
	"context"
	"fmt"
	"log"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// exampleDump is a dump to try things on.
func exampleDump(keys int) dumptest.Dump {
	return dumptest.Dump{HandleData: &dumptest.HandleData{
		Each: dumptest.GenerateHandles(keys+keys/9, func(i int) dumptest.Handle {
			if i%10 == 0 {
				return dumptest.Handle{Value: uint64(i+1) * 4, Type: "Event", GrantedAccess: 0x1f0003}
			}
			return dumptest.Handle{Value: uint64(i+1) * 4, Type: "Key", Name: `\REGISTRY\MACHINE`, GrantedAccess: 0x20019}
		}),
	}}
}

func exampleHandles() *analysis.HandleList {
	list, err := analysis.ReadHandles(open(exampleDump(900)))
	if err != nil {
		log.Fatal(err) // the dump has no handles; the error says why
	}
	return list
}

// How many handles of each type are there?
func ExampleSummarize() {
	s, err := analysis.Summarize(context.Background(), exampleHandles(), 0)
	if s == nil {
		log.Fatal(err) // interrupted
	}
	if err != nil {
		log.Print(err) // what could not be read; the summary covers the rest
	}
	fmt.Println(s.Total, "handles")
	for _, t := range s.Types {
		fmt.Println(t.Type, t.Count)
	}
	// Output:
	// 1000 handles
	// Event 100
	// Key 900
}

// Which handles have a name and a right?
func ExampleHandleList_Walk() {
	name, err := analysis.ParseNamePattern(`\registry\*`)
	if err != nil {
		log.Fatal(err)
	}
	access, err := analysis.ParseAccess("KEY_READ")
	if err != nil {
		log.Fatal(err)
	}
	list := exampleHandles().Select(analysis.HandleFilter{Name: name, Access: access})
	n := 0
	err = list.Walk(context.Background(), 0, func(h *minidump.Handle) bool {
		if n == 0 {
			fmt.Printf("the first is %#x\n", h.Handle)
		}
		n++
		return true
	})
	fmt.Println(n, err)
	// Output:
	// the first is 0x8
	// 900 <nil>
}

// Which objects have most of the handles?
func ExampleGroupHandles() {
	groups, err := analysis.GroupHandles(context.Background(), exampleHandles(), analysis.GroupByType|analysis.GroupByName)
	if err != nil {
		log.Print(err)
	}
	for _, g := range groups {
		fmt.Printf("%d %s %q\n", g.Count, g.Type, g.Name)
	}
	// Output:
	// 900 Key "\\REGISTRY\\MACHINE"
	// 100 Event ""
}

func ExampleDecodeAccess() {
	fmt.Println(analysis.DecodeAccess("Key", 0x20019).Names())
	// Output: [ReadControl QueryValue EnumSubKey Notify]
}

func ExampleFindDominant() {
	d, err := analysis.FindDominant(context.Background(), exampleHandles())
	if err != nil {
		log.Print(err)
	}
	fmt.Printf("%s: %d of %d, access %#x in %d\n", d.Type, d.Count, d.Total, d.Access, d.AccessCount)
	// Output: Key: 900 of 1000, access 0x20019 in 900
}

// What is this dump, and what can be asked of it?
func ExampleDescribe() {
	d, err := analysis.Describe(context.Background(), open(exampleDump(900)))
	if err != nil {
		log.Fatal(err) // interrupted; what could not be read is in d.Problems
	}
	fmt.Println(d.Writer.Name, d.Time)
	fmt.Println(analysis.WindowsName(d.System))
	fmt.Println(d.Handles.Can, d.Handles.Detail)
	// Output:
	// dbghelp 2023-11-14 22:13:20 +0000 UTC
	// Windows 10 22H2
	// true 1,000 handles, with names and object information
}

// In which order were these dumps written, and do they belong together?
func ExampleBuildSeries() {
	ctx := context.Background()
	var snapshots []*analysis.Snapshot
	for _, d := range []struct {
		file string
		time uint32 // seconds since 1970
		keys int
	}{{"b.dmp", 1_700_007_200, 1800}, {"a.dmp", 1_700_003_600, 900}} {
		dump := exampleDump(d.keys)
		dump.TimeDateStamp, dump.MiscInfo = d.time, &dumptest.MiscInfo{ProcessID: 42, ProcessCreateTime: 1_700_000_000}
		// The snapshot keeps nothing open: several thousand dumps are no problem.
		s, err := analysis.LoadSnapshot(ctx, open(dump), d.file)
		if err != nil {
			log.Fatal(err)
		}
		snapshots = append(snapshots, s)
	}
	for _, series := range analysis.BuildSeries(snapshots, false) {
		fmt.Println(series.ProcessIdentity)
		for i, s := range series.Snapshots {
			fmt.Println(s.File, s.Kinds.Total, "handles after", series.Hours[i], "hours")
		}
	}
	// Output:
	// process (42)
	// a.dmp 1000 handles after 0 hours
	// b.dmp 2000 handles after 1 hours
}
