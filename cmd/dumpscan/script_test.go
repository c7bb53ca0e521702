package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"dumpscan": main,
	})
}

// TestScripts runs testdata/script/*.txtar; see
// https://pkg.go.dev/github.com/rogpeppe/go-internal/testscript for the
// language. Added to it are
//
//	dump SPEC FILE            write a synthetic dump, see scriptDump
//	exits CODE PROGRAM ARG... run a program that must exit with this code
//	quiet                     the last program wrote nothing to stderr
//
// and the variables $TESTDATA, the folder testdata at the root of the
// repository, and $REALDUMPS, real dumps that are not part of it: scripts that
// need these begin with "[!realdumps] skip". With -update, the files that a
// script compares with are rewritten.
func TestScripts(t *testing.T) {
	testdata, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	real, err := filepath.Abs("../../../shared/dumps")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TESTDATA", testdata)
			env.Setenv("REALDUMPS", real)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond != "realdumps" {
				return false, errors.New("unknown condition")
			}
			_, err := os.Stat(real)
			return err == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"dump":  scriptDump,
			"exits": scriptExits,
			"quiet": scriptQuiet,
		},
	})
}

// scriptExits is the command "exits".
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Check(err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// scriptQuiet is the command "quiet".
func scriptQuiet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: quiet")
	}
	if text := ts.ReadFile("stderr"); text != "" {
		ts.Fatalf("stderr is not empty:\n%s", text)
	}
}

// scriptDump is the command "dump".
func scriptDump(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: dump SPEC FILE")
	}
	d, err := parseDumpSpec(ts.ReadFile(args[0]))
	if err != nil {
		ts.Fatalf("%s:%v", args[0], err)
	}
	var out bytes.Buffer
	_, err = d.WriteTo(&out)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out.Bytes(), 0o666))
}
