package check_test

import (
	"bytes"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/check"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// handlesOf returns the handles of a dump in memory.
func handlesOf(d dumptest.Dump) analysis.HandleSource {
	data := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		panic(err)
	}
	hd, err := f.HandleData()
	if err != nil {
		panic(err)
	}
	return hd.Only
}

// May a process hold so many keys?
func ExampleGate() {
	limit, err := check.ParseLimit(check.LimitCount, "Key=1000")
	if err != nil {
		fmt.Println(err)
		return
	}
	c := &check.Gate{Limits: []check.Limit{limit}}
	handles := handlesOf(dumptest.Dump{HandleData: &dumptest.HandleData{
		Each: dumptest.GenerateHandles(1200, func(i int) dumptest.Handle {
			return dumptest.Handle{Value: uint64(4 + 4*i), Type: "Key", Name: fmt.Sprintf(`\REGISTRY\Calibration\%d`, i), GrantedAccess: 0x20019}
		}),
	}})
	d := c.Count("w3wp.dmp", &analysis.DumpInfo{}, handles)
	for _, result := range c.Run([]*check.Dump{d}).Results {
		m := result.Measures[0]
		fmt.Println(result.Status, m.Subject, m.Count, "of", m.Allowed)
		fmt.Println("by", m.Cause.HandleKind)
	}
	// Output:
	// breach Key 1200 of 1000
	// by Key \REGISTRY\Calibration\<n> (access 0x20019)
}

// A baseline remembers what is normal; names that differ from run to run only
// in numbers are one group.
func ExampleNewBaseline() {
	c := &check.Gate{}
	handles := handlesOf(dumptest.Dump{HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
		{Value: 4, Type: "Mutant", Name: `\Local\SM0:1234:304:WilStaging_02`, GrantedAccess: 0x1f0001},
		{Value: 8, Type: "Mutant", Name: `\Local\SM0:1234:120:WilStaging_02`, GrantedAccess: 0x1f0001},
	}}})
	d := c.Count("healthy.dmp", &analysis.DumpInfo{}, handles)
	for _, g := range check.NewBaseline([]*check.Dump{d}).Groups {
		fmt.Println(g.Type, g.Name, g.Count)
	}
	// Output: Mutant \Local\SM<n>:<n>:<n>:WilStaging_<n> 2
}
