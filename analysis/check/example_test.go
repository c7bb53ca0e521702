package check_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/dumpscan/dumpscan/analysis/check"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// open opens a dump in memory. In programs dumps come from minidump.Open.
func open(d dumptest.Dump) *minidump.File {
	data := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	return f
}

// May a process hold so many keys?
func ExampleGate() {
	limit, err := check.ParseLimit(check.LimitCount, "Key=1000")
	if err != nil {
		log.Fatal(err)
	}
	gate := &check.Gate{Limits: []check.Limit{limit}}
	f := open(dumptest.Dump{HandleData: &dumptest.HandleData{
		Each: dumptest.GenerateHandles(1200, func(i int) dumptest.Handle {
			return dumptest.Handle{Value: uint64(4 + 4*i), Type: "Key", Name: fmt.Sprintf(`\REGISTRY\Calibration\%d`, i), GrantedAccess: 0x20019}
		}),
	}})
	d, err := gate.Count(context.Background(), f, "w3wp.dmp")
	if err != nil {
		log.Fatal(err)
	}
	for _, result := range gate.Run([]*check.Dump{d}).Results {
		m := result.Measures[0]
		fmt.Println(result.Status, m.Subject, m.Count, "of", m.Allowed)
		fmt.Println("by", m.Cause.HandleKind)
	}
	// Output:
	// breach Key 1200 of 1000
	// by Key \REGISTRY\Calibration\<n> (access 0x20019)
}

// By how many keys has a process grown? The dumps may come in any order.
func ExampleGate_growth() {
	limit, err := check.ParseLimit(check.LimitGrowth, "Key=+50")
	if err != nil {
		log.Fatal(err)
	}
	gate := &check.Gate{Limits: []check.Limit{limit}}
	var dumps []*check.Dump
	for _, p := range []testdump.Process{
		{File: "after.dmp", Program: "w3wp.exe", PID: 7640, Created: 10, Time: 7200, Keys: 700},
		{File: "before.dmp", Program: "w3wp.exe", PID: 7640, Created: 10, Time: 3600, Keys: 100},
	} {
		d, err := gate.Count(context.Background(), open(p.Dump()), p.File)
		if err != nil {
			log.Fatal(err)
		}
		dumps = append(dumps, d)
	}
	result := gate.Run(dumps).Results[0]
	fmt.Println(result.Status, result.Files, result.Elapsed, result.Measures[0].Growth)
	// Output: breach [before.dmp after.dmp] 1h0m0s 600
}

// A baseline remembers what is normal; names that differ from run to run only
// in numbers are one group.
func ExampleNewBaseline() {
	gate := &check.Gate{}
	f := open(dumptest.Dump{HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
		{Value: 4, Type: "Mutant", Name: `\Local\SM0:1234:304:WilStaging_02`, GrantedAccess: 0x1f0001},
		{Value: 8, Type: "Mutant", Name: `\Local\SM0:1234:120:WilStaging_02`, GrantedAccess: 0x1f0001},
	}}})
	d, err := gate.Count(context.Background(), f, "healthy.dmp")
	if err != nil {
		log.Fatal(err)
	}
	for _, g := range check.NewBaseline([]*check.Dump{d}).Groups {
		fmt.Println(g.Type, g.Name, g.Count)
	}
	// Output: Mutant \Local\SM<n>:<n>:<n>:WilStaging_<n> 2
}
