package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// series writes n dumps of a process that leaks ten keys an hour.
func series(t *testing.T, dir string, n int) {
	t.Helper()
	for i := range n {
		d := dumptest.Dump{
			TimeDateStamp: uint32(1_700_000_000 + 3600*i),
			MiscInfo:      &dumptest.MiscInfo{ProcessID: 7, ProcessCreateTime: 1_699_999_000},
			HandleData: &dumptest.HandleData{Each: dumptest.GenerateHandles(20+10*i, func(i int) dumptest.Handle {
				return dumptest.Handle{Value: uint64(4 + 4*i), Type: "Key", GrantedAccess: 0x20019}
			})},
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.dmp", i)), d.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Eighty dumps, where a process may have no more than 64 files open.
func TestLeaksFewFiles(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("no shell that can limit open files")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	series(t, dir, 80)
	if err := os.Symlink(self, filepath.Join(dir, "dumpscan")); err != nil { // TestMain goes by the name
		t.Fatal(err)
	}
	for _, command := range []string{"leaks", "check --max-growth Key=+1"} {
		cmd := exec.Command(sh, "-c", "ulimit -n 64 && exec ./dumpscan "+command+" *.dmp")
		cmd.Dir = dir
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		if cmd.ProcessState.ExitCode() != exitFound || stderr.Len() > 0 || !strings.Contains(stdout.String(), "20 to 810") {
			t.Errorf("%s: %v: %s%s", command, err, stdout.String(), stderr.String())
		}
	}
}

// A pool opens dumps again that it has closed, and keeps those that are in use.
func TestPool(t *testing.T) {
	dir := t.TempDir()
	const n = mostOpen + 5
	series(t, dir, n)
	p := &pool{app: &app{problems: &analysis.Problems{}, noted: map[string]bool{}, stderr: &bytes.Buffer{}}}
	defer p.close()
	name := func(i int) string { return filepath.Join(dir, fmt.Sprintf("%03d.dmp", i)) }
	first, done, err := p.get(t.Context(), name(0))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for i := 1; i < n; i++ {
			_, done, err := p.get(t.Context(), name(i))
			if err != nil {
				t.Fatal(err)
			}
			done()
			if len(p.open) > mostOpen {
				t.Fatalf("%d dumps are open", len(p.open))
			}
		}
	}
	if _, err := first.HandleData(); err != nil {
		t.Errorf("the dump in use was closed: %v", err)
	}
	done()
	if again, _, err := p.get(t.Context(), name(0)); err != nil || again != first {
		t.Errorf("the dump in use was opened again: %v", err)
	}
	if _, _, err := p.dump(t.Context(), name(n)); err == nil || strings.Contains(err.Error(), name(n)) {
		t.Errorf("error %v", err)
	}
}

// The command of a next step can be pasted, whatever the names.
func TestNextPastes(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no shell that reads $'...'")
	}
	d := dumptest.Dump{
		Modules:    []dumptest.Module{{Base: 0x140000000, Size: 0x10000, Name: `C:\app.exe`}},
		HandleData: &dumptest.HandleData{}, HandleOperations: &dumptest.HandleOperationList{},
	}
	for i := range uint64(300) {
		d.HandleData.Handles = append(d.HandleData.Handles, dumptest.Handle{Value: 4 + 4*i, Type: "Event", GrantedAccess: 1})
		d.HandleOperations.Operations = append(d.HandleOperations.Operations,
			dumptest.HandleOperation{Handle: 4 + 4*i, Type: dumptest.OperationOpen, Stack: []uint64{0x140001000}})
	}
	t.Chdir(t.TempDir())
	const name, symbols = "-it's\x07 \"a\".dmp", "no such\tfolder"
	if err := os.WriteFile(name, d.Bytes(), 0o600); err != nil {
		t.Skip(err) // not all file systems have such names
	}
	var stdout, stderr bytes.Buffer
	args := []string{"leaks", "-y", symbols, "-i", "im$ages", "--offline", "--not-system", "app*", "--", name}
	if code := run(context.Background(), args, strings.NewReader(""), &stdout, &stderr); code != exitFound {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	line := ""
	for l := range strings.Lines(stdout.String()) {
		if strings.HasPrefix(l, "  next: ") {
			line = l
		}
	}
	if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x07\t") {
		t.Errorf("not safe for a terminal: %q", line)
	}
	want := []string{"dumpscan", "symbols", "./" + name, "-y", symbols, "-i", "im$ages", "--offline"}
	command := line[strings.LastIndex(line, ": dumpscan ")+2:]
	out, err := exec.Command(bash, "-c", "printf '%s\\0' "+command).Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Join(want, "\x00")+"\x00", string(out)); diff != "" {
		t.Errorf("pasted %q (-want +got)\n%s", command, diff)
	}
	// And it is a command that works.
	stdout.Reset()
	stderr.Reset()
	if code := run(context.Background(), want[1:], strings.NewReader(""), &stdout, &stderr); code != exitAnswered || !strings.Contains(stdout.String(), "app ") {
		t.Errorf("exit code %d: %s%s", code, stdout.String(), stderr.String())
	}
}

func TestRepeated(t *testing.T) {
	cmd := &cobra.Command{}
	var o symbolFlags
	o.register(cmd.Flags())
	list := cmd.Flags().StringArray("system", nil, "")
	if err := cmd.ParseFlags([]string{"--loose", "--offline=false", "-y", "a b", "--system", "x,y", "--system", "z"}); err != nil {
		t.Fatal(err)
	}
	got := repeated(cmd.Flags(), "symbols", "images", "loose", "raw-names", "offline", "system")
	want := []string{"-y", "a b", "--loose", "--offline=false", "--system", "x,y", "--system", "z"}
	if diff := cmp.Diff(want, got); diff != "" || len(*list) != 2 {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestInterruptedVerdict interrupts commands that wait for a symbol server: they
// say so, and print nothing as if there were no names.
func TestInterruptedVerdict(t *testing.T) {
	const base, frame = 0x140000000, 0x140001010
	d := dumptest.Dump{
		Flags: dumptest.WithFullMemory,
		Modules: []dumptest.Module{{
			Base: base, Size: 0x10000, Name: `C:\app.exe`,
			CodeView: dumptest.RSDS{Path: "app.pdb", Age: 1, GUID: [16]byte{1}},
		}},
		HandleData: &dumptest.HandleData{}, HandleOperations: &dumptest.HandleOperationList{},
	}
	var heap []byte
	for i := range uint64(100) {
		value := 0x40 + 8*i
		d.HandleData.Handles = append(d.HandleData.Handles, dumptest.Handle{Value: value, Type: "Event"})
		d.HandleOperations.Operations = append(d.HandleOperations.Operations,
			dumptest.HandleOperation{Handle: value, Type: dumptest.OperationOpen, Stack: []uint64{frame}})
		heap = append(heap, 0x80, 0x30, 0, 0x40, 1, 0, 0, 0, byte(value), byte(value>>8), 0, 0, 0, 0, 0, 0)
		heap = append(heap, make([]byte, 16)...)
	}
	d.Memory64 = []dumptest.MemoryRange{{Start: 0x10000, Data: heap}}
	name := filepath.Join(t.TempDir(), "d.dmp")
	if err := os.WriteFile(name, d.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"leaks", "owners"} {
		t.Run(command, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			asked := false
			srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				asked = true
				cancel()
				<-r.Context().Done()
			}))
			defer srv.Close()
			var stdout, stderr bytes.Buffer
			args := []string{command, name, "-y", "srv*" + t.TempDir() + "*" + srv.URL}
			code := run(ctx, args, strings.NewReader(""), &stdout, &stderr)
			if code != exitInterrupted || stdout.Len() > 0 || !strings.Contains(stderr.String(), "interrupted") || !asked {
				t.Errorf("exit code %d, server asked %v, stdout %q, stderr %q", code, asked, stdout.String(), stderr.String())
			}
		})
	}
}
