package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A fullDisk has room for so many bytes.
type fullDisk struct{ room int }

var errFull = errors.New("write /dev/stdout: no space left on device")

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.room {
		n := d.room
		d.room = 0
		return n, errFull
	}
	d.room -= len(p)
	return len(p), nil
}

// What does not fit on the disk is said, whatever it is: once, and with exit code
// 3.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a.dmp")
	d := damagedDump()
	d.Patches = nil
	if err := os.WriteFile(name, d.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	lines := [][]string{
		{}, {"--help"}, {"help"}, {"help", "handles"}, {"handles", "--help"}, {"help", "completion", "zsh"}, {"version"}, {"--version"},
		{"completion"}, {"completion", "bash"}, {"completion", "bash", "--help"}, {"completion", "zsh"}, {"completion", "fish"},
		{"completion", "powershell"}, {"streams", name, "--raw", "HandleData"}, {"check", name, "--max", "Key=1", "--github"},
	}
	for _, args := range problemRuns {
		line := append([]string{args[0], name}, args[1:]...)
		if len(args) > 1 && args[1] == "--manifest" {
			continue // nothing to write
		}
		if args[0] == "diff" {
			line = append(line, name)
		}
		lines = append(lines, line, append(line[:len(line):len(line)], "--json"))
	}
	for _, line := range lines {
		var whole, errs bytes.Buffer
		code := run(t.Context(), line, strings.NewReader(""), &whole, &errs)
		if code != exitAnswered && code != exitFound || whole.Len() == 0 {
			t.Errorf("%v: exit code %d, %d bytes\n%s", line, code, whole.Len(), errs.String())
		}
		for _, room := range []int{0, whole.Len() - 1} {
			var stderr bytes.Buffer
			code := run(t.Context(), line, strings.NewReader(""), &fullDisk{room}, &stderr)
			if code != exitInput || strings.Count(stderr.String(), "no space left") != 1 || strings.Contains(stderr.String(), "for usage") {
				t.Errorf("%v with room for %d of %d bytes: exit code %d\n%s", line, room, whole.Len(), code, stderr.String())
			}
		}
	}
}
