package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// What htrace proposes as the next step repeats the options that its answer
// depends on, and works.
func TestHtraceNextStepRuns(t *testing.T) {
	images, err := filepath.Abs("../../testdata/leaky/images/x64")
	if err != nil {
		t.Fatal(err)
	}
	dumps := map[string]string{"a b.dmp": "leaky-x64-c", "-dash.dmp": "leaky-x64-c", "before.dmp": "leaky-x64-b"}
	data := map[string][]byte{}
	for name, from := range dumps {
		if data[name], err = os.ReadFile("../../testdata/leaky/" + from + ".dmp.gz"); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(t.TempDir())
	for name, b := range data {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"a b.dmp"}, []string{"dumpscan", "symbols", "a b.dmp"}},
		{[]string{"a b.dmp", "-y", "no where", "--loose", "--system", "x*"}, []string{"dumpscan", "symbols", "a b.dmp", "-y", "no where", "--loose"}},
		{[]string{"a b.dmp", "-i", images, "--type", "key,event", "--group", "type", "--not-system", "My*"},
			[]string{"dumpscan", "htrace", "a b.dmp", "--calls", "--group", "type", "--type", "key", "--type", "event", "--not-system", "My*", "-i", images}},
		{[]string{"a b.dmp", "--diff", "before.dmp", "-i", images, "--oldest-first"},
			[]string{"dumpscan", "htrace", "a b.dmp", "--calls", "--diff", "before.dmp", "--oldest-first", "-i", images}},
		{[]string{"--", "-dash.dmp"}, []string{"dumpscan", "symbols", "./-dash.dmp"}},
		{[]string{"-"}, nil},
	} {
		var stdout, stderr bytes.Buffer
		args := append([]string{"htrace", "--json"}, tt.args...)
		if code := run(t.Context(), args, bytes.NewReader(data["a b.dmp"]), &stdout, &stderr); code != exitAnswered {
			t.Fatalf("%v: exit code %d: %s", args, code, stderr.String())
		}
		var answer struct {
			Next    string
			Command []string
		}
		if err := json.Unmarshal(stdout.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, answer.Command); diff != "" || answer.Next == "" {
			t.Errorf("%v: %s (-want +got):\n%s", tt.args, answer.Next, diff)
		}
		if answer.Command == nil {
			continue
		}
		stdout.Reset()
		if code := run(t.Context(), answer.Command[1:], strings.NewReader(""), &stdout, &stderr); code != exitAnswered || stdout.Len() == 0 {
			t.Errorf("%v: exit code %d: %s", answer.Command, code, stderr.String())
		}
	}
}
