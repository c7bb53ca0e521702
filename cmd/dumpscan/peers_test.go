//go:build unix

package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

var (
	peers     = flag.Bool("peers", false, "time the command against other readers of minidumps that are found here")
	peersDump = flag.String("peers-dump", "", "write the dump for -peers to this `file`, and nothing else")
)

// A contender is a command line that reads a dump. It is timed in turns with the
// others.
type contender struct {
	what   string // it is asked for
	args   []string
	rounds int // fewer for those that take long
}

// contenders are cat, dumpscan, and the peers: "minidump-stackwalk" of
// rust-minidump (cargo install minidump-stackwalk), "minidump" of skelsec
// (pip install minidump), and LLDB.
func contenders(dumpscan, dump string) []contender {
	return []contender{
		{"all bytes", []string{"cat", dump}, 9},
		{"handles by type", []string{dumpscan, "handles", dump}, 9},
		{"every handle", []string{dumpscan, "handles", dump, "0", "ff"}, 5},
		{"the verdict", []string{dumpscan, "leaks", dump}, 5},
		{"start-up", []string{dumpscan, "version"}, 9},
		{"everything", []string{"minidump-stackwalk", "--dump", dump}, 1},
		{"every handle", []string{"minidump", "--handles", dump}, 1},
		{"threads", []string{"lldb", "-b", "-c", dump, "-o", "thread list"}, 1},
	}
}

// TestPeers prints a table for the README. It needs the flag -peers, since it takes
// a minute or two; whoever quotes it quotes ratios of one run.
func TestPeers(t *testing.T) {
	if !*peers {
		t.Skip("-peers is not given")
	}
	if *peersDump != "" {
		writeMillion(t, *peersDump)
		return
	}
	dir := t.TempDir()
	dumpscan := filepath.Join(dir, "dumpscan")
	if out, err := exec.Command("go", "build", "-o", dumpscan, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	dump := filepath.Join(dir, "million.dmp")
	// A process begins with the memory of the one that starts it, and that counts as
	// its own: another one writes the dump.
	if out, err := exec.Command(os.Args[0], "-test.run=^TestPeers$", "-peers", "-peers-dump", dump).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	info, err := os.Stat(dump)
	if err != nil {
		t.Fatal(err)
	}
	list := slices.DeleteFunc(contenders(dumpscan, dump), func(c contender) bool {
		_, err := exec.LookPath(c.args[0])
		if err != nil {
			t.Logf("not found: %s", c.args[0])
		}
		return err != nil
	})
	best := make([]measure, len(list))
	for round := range 9 { // in turns: the machine is as busy for one as for the others
		for i, c := range list {
			if round >= c.rounds {
				continue
			}
			m, err := run1(c.args)
			if err != nil {
				t.Errorf("%s: %v", strings.Join(c.args, " "), err)
			}
			if round == 0 || m.time < best[i].time {
				best[i] = m
			}
		}
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%d handles, %d MB; %d processors; the best of each\n", million, info.Size()>>20, runtime.NumCPU())
	fmt.Fprintln(&table, "| command | answer | time | of `cat` | memory |")
	fmt.Fprintln(&table, "|---|---|---|---|---|")
	for i, c := range list {
		line := strings.NewReplacer(dir+"/", "", "million.dmp", "FILE").Replace(strings.Join(c.args, " "))
		fmt.Fprintf(&table, "| `%s` | %s | %.3f s | %.2f | %d MB |\n",
			line, c.what, best[i].time.Seconds(), best[i].time.Seconds()/best[0].time.Seconds(), best[i].rss>>20)
	}
	t.Log("\n" + table.String())
}

// A measure is what a process took.
type measure struct {
	time time.Duration // of the wall clock
	rss  int64         // bytes at most in memory
}

// run1 runs a command whose output goes into a pipe, as that of most commands does.
func run1(args []string) (measure, error) {
	cmd := exec.Command(args[0], args[1:]...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return measure{}, err
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return measure{}, err
	}
	if _, err := io.Copy(io.Discard, out); err != nil {
		return measure{}, err
	}
	err = cmd.Wait()
	m := measure{time: time.Since(begin)}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		m.rss = int64(usage.Maxrss)
		if runtime.GOOS == "linux" { // elsewhere it is in bytes
			m.rss <<= 10
		}
	}
	if cmd.ProcessState.ExitCode() == exitFound {
		err = nil // a verdict
	}
	return m, err
}

const million = 1_000_000

// writeMillion writes a dump of a million handles in dbghelp's layout.
func writeMillion(t *testing.T, path string) {
	t.Helper()
	types := [...]string{"Key", "Key", "Key", "Event", "Key", "File", "Key", "Semaphore"}
	d := dumptest.Dump{HandleData: &dumptest.HandleData{
		Each: dumptest.GenerateHandles(million, func(i int) dumptest.Handle {
			h := dumptest.Handle{Value: uint64(i+1) * 4, Type: types[i/7%len(types)], GrantedAccess: 0x20019}
			if h.Type == "Key" && i%3 == 0 {
				h.Name = fmt.Sprintf(`\REGISTRY\MACHINE\SOFTWARE\Classes\%d`, i%1000)
			}
			return h
		}),
	}}
	r, err := d.Reader()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(f, io.NewSectionReader(r, 0, r.Size()))
	if err := cmp.Or(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}
