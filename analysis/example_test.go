package analysis_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// A dump to try things on. Programs call minidump.Open with a path instead.
func exampleHandles() *minidump.HandleData {
	data := dumptest.Dump{HandleData: &dumptest.HandleData{
		Each: dumptest.GenerateHandles(1000, func(i int) dumptest.Handle {
			if i%10 == 0 {
				return dumptest.Handle{Value: uint64(i+1) * 4, Type: "Event", GrantedAccess: 0x1f0003}
			}
			return dumptest.Handle{Value: uint64(i+1) * 4, Type: "Key", Name: `\REGISTRY\MACHINE`, GrantedAccess: 0x20019}
		}),
	}}.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	hd, err := f.HandleData()
	if err != nil {
		log.Fatal(err)
	}
	return hd
}

func ExampleSummarizeData() {
	s, err := analysis.SummarizeData(exampleHandles(), 0, &analysis.HandleFilter{})
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

func ExampleSelect() {
	name, err := analysis.ParseNamePattern(`\registry\*`)
	if err != nil {
		log.Fatal(err)
	}
	filter := &analysis.HandleFilter{Name: name}
	var failed analysis.Failures
	n := 0
	for range analysis.Handles(analysis.Select(exampleHandles().Only(filter.Parts()), filter), &failed) {
		n++
	}
	fmt.Println(n, failed.Err())
	// Output: 900 <nil>
}

func ExampleDecodeAccess() {
	fmt.Println(analysis.DecodeAccess("Key", 0x20019).Names())
	// Output: [ReadControl QueryValue EnumSubKey Notify]
}

func ExampleFindDominant() {
	hd := exampleHandles()
	d := analysis.FindDominant(analysis.Handles(hd.All(), new(analysis.Failures)))
	fmt.Printf("%s: %d of %d, access %#x in %d\n", d.Type, d.Count, d.Total, d.Access, d.AccessCount)
	// Output: Key: 900 of 1000, access 0x20019 in 900
}
