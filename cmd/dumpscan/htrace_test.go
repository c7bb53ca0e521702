package main

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The profile is read by go tool pprof, which Go builds on first use.
func TestHtraceProfileIsRead(t *testing.T) {
	if testing.Short() {
		t.Skip("builds go tool pprof")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command here")
	}
	file := filepath.Join(t.TempDir(), "p.pb.gz")
	var stdout, stderr bytes.Buffer
	args := []string{"htrace", "../../testdata/leaky/leaky-x64-b.dmp.gz", "--pprof", file}
	if code := run(context.Background(), args, strings.NewReader(""), &stdout, &stderr); code != exitAnswered {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	for _, tt := range []struct{ args, want string }{
		{"-top", "250 85.91% 85.91%        250 85.91%  kernelbase+0x5ede5"},
		{"-top -sample_index=badref", "Total samples = 2"},
		{"-top -tagfocus=type=Event", "MyCustomDll+0x13c8"},
	} {
		cmd := exec.Command("go", append(append([]string{"tool", "pprof"}, strings.Fields(tt.args)...), file)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
		if !strings.Contains(string(out), tt.want) {
			t.Errorf("%s: no %q in\n%s", cmd, tt.want, out)
		}
	}
}
