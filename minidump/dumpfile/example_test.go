package dumpfile_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/dumpscan/dumpscan/minidump/dumpfile"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// A compressed dump, here on standard input, opens like any other.
func ExampleOpen() {
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	dumptest.Dump{MiscInfo: &dumptest.MiscInfo{ProcessID: 4120}}.WriteTo(w)
	w.Close()

	f, err := dumpfile.Open(context.Background(), "-", dumpfile.Options{Stdin: &compressed})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	if f.Truncated() != nil {
		fmt.Fprintln(os.Stderr, "warning:", f.Truncated())
	}
	dump, err := f.Dump()
	if err != nil {
		fmt.Println(err)
		return
	}
	misc, err := dump.MiscInfo()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("process", misc.ProcessID)
	// Output: process 4120
}

// An archive with several dumps leaves a choice.
func ExampleChoiceError() {
	err := error(&dumpfile.ChoiceError{Archive: "night.zip", Names: []string{"22h.dmp", "23h.dmp"}, Dumps: true})
	var choice *dumpfile.ChoiceError
	if errors.As(err, &choice) {
		for _, name := range choice.Names {
			fmt.Println(choice.Archive + ":" + name)
		}
	}
	fmt.Println(err)
	// Output:
	// night.zip:22h.dmp
	// night.zip:23h.dmp
	// the archive holds 2 dumps, choose one as night.zip:NAME from 22h.dmp, 23h.dmp
}
