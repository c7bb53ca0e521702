package leaks_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/minidump"
)

// Three dumps of a process, an hour apart. In programs they are files that
// minidump.Open opens, and Options.Open can be left out.
func ExampleFind() {
	files := map[string][]byte{}
	var snapshots []*analysis.Snapshot
	open := func(_ context.Context, name string) (*minidump.File, func() error, error) {
		f, err := minidump.NewFile(bytes.NewReader(files[name]), int64(len(files[name])))
		return f, func() error { return nil }, err
	}
	for i, keys := range []int{100, 600, 1100} {
		name := fmt.Sprintf("%d.dmp", i)
		files[name] = testdump.Process{Program: "w3wp.exe", PID: 7640, Created: 10, Time: uint32(3600 * (i + 1)), Keys: keys}.Dump().Bytes()
		f, done, err := open(context.Background(), name)
		if err != nil {
			log.Fatal(err)
		}
		s, err := analysis.LoadSnapshot(context.Background(), f, name)
		if err != nil {
			log.Fatal(err)
		}
		done() // Find opens it again, should it need more of it
		snapshots = append(snapshots, s)
	}
	report, err := leaks.Find(context.Background(), snapshots, leaks.Options{Open: open})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Verdict.Sentence)
	fmt.Println("next:", report.Findings[0].Next)
	// Output:
	// w3wp.exe (7640) leaks handles: Key without name: grew steadily from 100 to 1,100 handles in 2 h, 500 an hour (3 dumps over 2 h).
	// next: to see who opens them, run the process under Application Verifier's Handles check or !htrace -enable, then .dump /mh FILE; look at one that stays: dumpscan handles 2.dmp 1130 f
}
