package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// damagedDump is a dump that every command has something to say about, with
// damage of several kinds.
func damagedDump() dumptest.Dump {
	key := func(value uint64) dumptest.Handle {
		return dumptest.Handle{Value: value, Type: "Key", Name: `\K`, GrantedAccess: 1}
	}
	return dumptest.Dump{
		TimeDateStamp: 1_700_000_000,
		SystemInfo:    &dumptest.SystemInfo{},
		MiscInfo:      &dumptest.MiscInfo{ProcessID: 7, ProcessCreateTime: 1_699_999_000},
		Modules:       []dumptest.Module{{Base: 0x10000, Size: 0x1000, Name: `C:\a.exe`}},
		HandleData:    &dumptest.HandleData{Handles: []dumptest.Handle{key(4), key(8), key(12), key(16)}},
		Patches: []dumptest.Patch{
			dumptest.PutU32("HandleData", 16+12, 0xffffff00),    // names outside the file
			dumptest.PutU32("HandleData", 16+40+12, 0xffffff10), // twice
			dumptest.PutU32("HandleData", 16+80+8, 1<<31),       // and a type
			dumptest.PutU32("HandleData", 16+120+12, 0x20),      // where no name is
		},
	}
}

// problemRuns are command lines about one dump.
var problemRuns = [][]string{
	{"check", "--max", "Key=9"}, {"diff"}, {"handles"}, {"handles", "0", "ff"}, {"handles", "--group-by", "type,name"}, {"info"},
	{"leaks"}, {"modules"}, {"streams"}, {"symbols"}, {"symbols", "--manifest"},
}

// moreRuns are command lines about what a dump may lack, so that there is no answer.
var moreRuns = [][]string{
	{"exception"}, {"htrace"}, {"htrace", "0"}, {"htrace", "--calls"}, {"memory"}, {"memory", "0x10000"}, {"owners"}, {"peb"},
	{"stacks", "--all"}, {"threads"}, {"token"},
}

// runOn runs a command line over a dump.
func runOn(t *testing.T, name string, args []string, options ...string) (code int, stdout, stderr string) {
	t.Helper()
	line := []string{args[0], name}
	if args[0] == "diff" {
		line = append(line, name)
	}
	line = append(append(line, args[1:]...), options...)
	var out, errs bytes.Buffer
	code = run(t.Context(), line, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// complaints are the lines of stderr about what could not be read.
func complaints(stderr string) []string {
	list := []string{}
	for line := range strings.Lines(stderr) {
		if text, ok := strings.CutPrefix(line, "dumpscan: "); ok {
			list = append(list, strings.TrimSuffix(text, "\n"))
		}
	}
	return list
}

// w3wp is a dump of testdata.
func w3wp(t *testing.T) []byte {
	t.Helper()
	f, err := os.Open("../../testdata/w3wp.dmp.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What stderr complains about is in the answer, line by line, and makes the exit
// code 3; nothing is said twice. With --strict there is the first line only, and
// no answer.
func TestProblemsOfAnswers(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	d := damagedDump()
	damaged := write("damaged.dmp", d.Bytes())
	d = damagedDump()
	d.Patches = []dumptest.Patch{dumptest.PutU32("Header", 8, 400)} // more streams than there are
	directory := write("directory.dmp", d.Bytes())
	whole := damagedDump()
	whole.Patches = nil
	good := write("good.dmp", whole.Bytes())

	names := []string{damaged, directory, good}
	real := w3wp(t)
	for _, share := range []int{25, 60, 90} {
		names = append(names, write(fmt.Sprintf("cut at %d %%.dmp", share), real[:len(real)*share/100]))
	}
	for _, args := range slices.Concat(problemRuns, moreRuns) {
		for i, name := range names {
			what := strings.Join(args, " ") + " " + filepath.Base(name)
			code, stdout, stderr := runOn(t, name, args, "--json")
			if lines := complaints(stderr); stdout == "" && code == exitInput && len(lines) > 0 && (i > 2 || slices.ContainsFunc(moreRuns, func(r []string) bool { return r[0] == args[0] })) {
				continue // no answer
			}
			var answer struct{ Errors []string }
			if err := json.Unmarshal([]byte(stdout), &answer); err != nil {
				t.Errorf("%s: %v; exit code %d\n%s", what, err, code, stderr)
				continue
			}
			lines := complaints(stderr)
			if diff := cmp.Diff(lines, answer.Errors); diff != "" {
				t.Errorf("%s: stderr and errors differ:\n%s", what, diff)
			}
			if (code == exitInput) != (len(lines) > 0) {
				t.Errorf("%s: exit code %d\n%s", what, code, stderr)
			}
			seen := map[string]bool{}
			for _, line := range lines {
				if seen[line] || strings.Contains(line, "<U+000A>") {
					t.Errorf("%s: twice, or joined: %s", what, line)
				}
				seen[line] = true
			}
			// The same in text, and nothing of it with --strict.
			textCode, text, textErr := runOn(t, name, args)
			if diff := cmp.Diff(lines, complaints(textErr)); diff != "" || textCode != code {
				t.Errorf("%s: exit code %d, text and JSON differ:\n%s", what, textCode, diff)
			}
			strictCode, strict, strictErr := runOn(t, name, args, "--strict")
			switch {
			case len(lines) == 0:
				if strictCode != textCode || strict != text {
					t.Errorf("%s: --strict changes the answer about a good dump:\n%s%s", what, strict, strictErr)
				}
			case strictCode != exitInput || strict != "" || len(complaints(strictErr)) != 1:
				t.Errorf("%s: with --strict exit code %d\n%s%s", what, strictCode, strict, strictErr)
			}
		}
	}
	// The kinds are told apart and counted.
	_, _, stderr := runOn(t, damaged, []string{"handles", "0", "ff"})
	if lines := complaints(stderr); len(lines) != 2 || !strings.Contains(lines[0], "string outside the file") || !strings.HasSuffix(lines[0], "(and 2 more errors like it)") {
		t.Errorf("kinds of problems:\n%s", strings.Join(lines, "\n"))
	}
}

// --strict leaves files alone that would be written.
func TestStrictFiles(t *testing.T) {
	dir := t.TempDir()
	name, out := filepath.Join(dir, "a.dmp"), filepath.Join(dir, "out")
	d := damagedDump()
	d.TruncateAt = int64(len(d.Bytes()) - 8) // the last handle
	if err := os.WriteFile(name, d.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"streams", "--raw", "HandleData", "-o", out}, {"check", "--write-baseline", out}, {"check", "--max", "Key=9", "--junit", out}} {
		if code, _, stderr := runOn(t, name, args); code != exitInput {
			t.Errorf("%v: exit code %d\n%s", args, code, stderr)
		}
		if err := os.Remove(out); err != nil {
			t.Errorf("%v: %v", args, err)
		}
		if code, _, stderr := runOn(t, name, args, "--strict"); code != exitInput {
			t.Errorf("%v --strict: exit code %d\n%s", args, code, stderr)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%v --strict wrote a file", args)
		}
	}
}

// Handles of the value 0 count in every command, and can be chosen.
func TestZeroHandles(t *testing.T) {
	d := dumptest.Dump{
		TimeDateStamp: 1_700_000_000,
		MiscInfo:      &dumptest.MiscInfo{ProcessID: 7, ProcessCreateTime: 1_699_999_000},
		HandleData:    &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 4, Type: "Key"}, {}, {Type: "Event"}, {Value: 8, Type: "Key"}}},
	}
	name := filepath.Join(t.TempDir(), "zero.dmp")
	if err := os.WriteFile(name, d.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args  []string
		want  string // a part of the answer
		times int
	}{
		{[]string{"handles"}, `"total": 4`, 1},
		{[]string{"handles", "0", "ff"}, `"handle":"0x0"`, 2},
		{[]string{"handles", "1", "ff"}, `"handle":"0x0"`, 2},
		{[]string{"handles", "1", "ff"}, `"handle":"0x4"`, 0},
		{[]string{"handles", "--type", "Event"}, `"handle":"0x0"`, 1},
		{[]string{"check", "--max", "total=9"}, `"handles":4`, 1},
		{[]string{"leaks"}, `"counts":[4]`, 1},
		{[]string{"info"}, `"4 handles, `, 1},
		{[]string{"diff"}, `"total": {"old":4,"new":4,"growth":0,"added":0,"removed":0,"kept":4,"reused":0}`, 1},
	} {
		code, stdout, stderr := runOn(t, name, tt.args, "--json")
		if code == exitInput || strings.Count(stdout, tt.want) < tt.times || tt.times == 0 && strings.Contains(stdout, tt.want) {
			t.Errorf("%v: no %s; exit code %d\n%s%s", tt.args, tt.want, code, stdout, stderr)
		}
	}
}
