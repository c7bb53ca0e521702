package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumpfile"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

var crowdFile = flag.String("crowd", "", "write the dump of BenchmarkCrowd, of 8 GiB with holes, into this file")

// manyThreads is a process of a busy server.
var manyThreads = crowd{threads: 5000, ranges: 100_000, memory: 8 << 30, handles: 100_000}

// reader lays out the dump with the threads of testdata/stacks.
func (c crowd) reader(t testing.TB) *dumptest.Reader {
	t.Helper()
	file, err := dumpfile.Open(t.Context(), "../../testdata/stacks/stacks-x64.dmp.gz", dumpfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	f, err := file.Dump()
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.dump(t, f).Reader()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// crowdCommand runs a command on a dump.
func crowdCommand(t testing.TB, r *dumptest.Reader, command string, args ...string) []byte {
	t.Helper()
	f, err := minidump.NewFile(r, r.Size())
	if err != nil {
		t.Fatal(err)
	}
	var out, stderr bytes.Buffer
	a := &app{
		stdout: &checkedWriter{w: &out}, stderr: &stderr, problems: &analysis.Problems{}, noted: map[string]bool{}, cancel: func() {},
		opened: map[string]*minidump.File{"crowd.dmp": f},
	}
	root := a.root()
	root.SetArgs(append([]string{command, "crowd.dmp"}, args...))
	if err := root.ExecuteContext(t.Context()); err != nil || a.incomplete || len(a.problems.Lines()) > 0 {
		t.Errorf("%s %v: %v\n%.2000s%s", command, args, err, out.Bytes(), stderr.Bytes())
	}
	return out.Bytes()
}

// TestCrowd asks a dump of 8 GiB for little: no more of it is read than 8 MB, and no
// more memory allocated, all in all, than 64 MB.
func TestCrowd(t *testing.T) {
	const memoryLimit = 64e6
	r := manyThreads.reader(t)
	if r.Size() < 8<<30 {
		t.Fatalf("the dump has %d bytes", r.Size())
	}
	for _, tt := range []struct {
		command string
		args    []string
		want    string
		read    int64 // bytes at most
	}{
		{"threads", nil, "4999  4e20", 4e6}, // of a TEB the fields, and not what lies between
		{"modules", nil, "ntdll", 1e5},
		{"stacks", []string{"--thread", "0"}, "ntdll!RtlUserThreadStart+0x", 8e6},
		{"stacks", []string{"--thread", "4999"}, "ntdll!RtlUserThreadStart+0x", 8e6},
	} {
		r.Reset()
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		out := crowdCommand(t, r, tt.command, tt.args...)
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		says := fmt.Sprintf("%s %v: %d bytes read in %d reads, %d bytes allocated", tt.command, tt.args, r.BytesRead(), r.Reads(), allocated)
		if r.BytesRead() > tt.read || allocated > memoryLimit {
			t.Error(says)
		}
		t.Log(says)
		if !bytes.Contains(out, []byte(tt.want)) {
			t.Errorf("%s %v:\n%.2000s", tt.command, tt.args, out)
		}
	}
}

// BenchmarkCrowd unwinds the stacks of 5,000 threads, of all frames.
func BenchmarkCrowd(b *testing.B) {
	r := manyThreads.reader(b)
	for b.Loop() {
		if out := crowdCommand(b, r, "stacks", "--all", "--json", "-i", "../../testdata/stacks/images/x64"); bytes.Count(out, []byte(`"stopped"`)) != manyThreads.threads {
			b.Fatal("there are not as many stacks as threads")
		}
	}
	b.ReportMetric(float64(manyThreads.threads)*float64(b.N)/b.Elapsed().Seconds(), "stacks/s")
}

// TestCrowdFile writes the dump for other programs: see -crowd.
func TestCrowdFile(t *testing.T) {
	if *crowdFile == "" {
		t.Skip("-crowd is not given")
	}
	r := manyThreads.reader(t)
	file, err := os.Create(*crowdFile)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(r.Size()); err != nil {
		t.Fatal(err)
	}
	block, zeros := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); at < r.Size(); at += int64(len(block)) {
		n, err := r.ReadAt(block, at)
		if err != nil && err != io.EOF {
			t.Fatal(err)
		}
		if bytes.Equal(block[:n], zeros[:n]) {
			continue // a hole
		}
		if _, err := file.WriteAt(block[:n], at); err != nil {
			t.Fatal(err)
		}
	}
}
