//go:build unix

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// dumpscanProcess prepares to run the command as a process of its own: the test
// program does that if it is called by that name. Temporary files go to a folder
// that must be empty at the end.
func dumpscanProcess(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	cmd := exec.Command(program)
	cmd.Args = append([]string{"dumpscan"}, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	t.Cleanup(func() {
		left, err := os.ReadDir(temp)
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, error %v", left, err)
		}
	})
	return cmd
}

// TestSignals interrupts a process that waits for the rest of a dump: it ends by
// the signal, so that a loop of a shell stops too, says so, prints no half of an
// answer, and leaves no temporary file behind.
func TestSignals(t *testing.T) {
	dump := dumptest.Dump{HandleData: &dumptest.HandleData{Each: dumptest.GenerateHandles(60_000, func(i int) dumptest.Handle {
		return dumptest.Handle{Value: uint64(4*i + 4), Type: "Key"}
	})}}.Bytes()
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			cmd := dumpscanProcess(t, "handles", "-", "--json")
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// More than a pipe holds: when it is taken, the command is at work.
			if _, err := in.Write(dump[:len(dump)/2]); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			err = waitFor(t, cmd)
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				t.Fatalf("error %v", err)
			}
			status, ok := exit.Sys().(syscall.WaitStatus)
			if !ok || !status.Signaled() || status.Signal() != s {
				t.Errorf("it ends with %v, not by the signal", exit)
			}
			if stdout.Len() > 0 || stderr.String() != "dumpscan: interrupted\n" {
				t.Errorf("stdout %q, stderr %q", stdout.String(), stderr.String())
			}
		})
	}
}

// waitFor waits for the end of a process, but not for ever.
func waitFor(t *testing.T, cmd *exec.Cmd) error {
	t.Helper()
	timer := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	return cmd.Wait()
}

// TestSignalWhileWriting interrupts a listing that nobody reads on: it is cut,
// and no whole answer.
func TestSignalWhileWriting(t *testing.T) {
	t.Parallel()
	name := t.TempDir() + "/d.dmp"
	dump := dumptest.Dump{HandleData: &dumptest.HandleData{Each: dumptest.GenerateHandles(60_000, func(i int) dumptest.Handle {
		return dumptest.Handle{Value: uint64(4*i + 4), Type: "Key"}
	})}}
	if err := os.WriteFile(name, dump.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := dumpscanProcess(t, "handles", name, "--type", "Key", "--json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 1000)
	if _, err := io.ReadFull(out, head); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // until it has arrived
	rest, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	waitErr := waitFor(t, cmd)
	var exit *exec.ExitError
	if !errors.As(waitErr, &exit) {
		t.Fatalf("error %v", waitErr)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("it ends with %v, not by the signal", exit)
	}
	if bytes.HasSuffix(rest, []byte("\n}\n")) {
		t.Errorf("a whole answer of %d bytes", len(head)+len(rest))
	}
}
