package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/dumpscan/dumpscan/analysis/words"
)

var (
	sweepSize = flag.Int("sweep", 250, "how many of the ways to break each dump TestSweep samples; 0: all of them, with every command, for hours")
	sweepSeed = flag.Uint64("sweepseed", 1, "the sample of TestSweep")
)

// sweepCommands asks each question in each form. DUMP is the broken dump, and
// SOUND the one that it was.
var sweepCommands = []string{
	"handles DUMP", "handles DUMP 0 ff", "handles DUMP 0 ff --windbg", "handles DUMP --json", "handles DUMP 0 ff --json", "handles DUMP 0 ff --csv",
	"handles DUMP --group-by type,name,state,object", "handles DUMP 0 ff --sort name --limit 2 --json",
	"htrace DUMP", "htrace DUMP --json", "htrace DUMP --windbg", "htrace DUMP 8", "htrace DUMP --calls", "htrace DUMP --csv", "htrace DUMP --folded",
	"htrace DUMP --diff SOUND", "htrace DUMP --diff SOUND --json", "htrace SOUND --diff DUMP --force",
	"info DUMP", "info DUMP --json", "modules DUMP", "modules DUMP -v", "modules DUMP --json", "modules DUMP --csv",
	"threads DUMP", "threads DUMP -v", "threads DUMP --json", "threads DUMP --csv",
	"stacks DUMP --all", "stacks DUMP --unique", "stacks DUMP --all --json", "exception DUMP", "exception DUMP --json",
	"memory DUMP", "memory DUMP --json", "memory DUMP --csv", "memory DUMP 20000 40", "memory DUMP 7efd0000 200 --format dps", "memory DUMP 20000 100 --format dqs --json",
	"peb DUMP", "peb DUMP --environment --json", "token DUMP", "token DUMP --json", "streams DUMP", "streams DUMP --json", "streams DUMP --windbg",
	"owners DUMP", "owners DUMP --json", "owners DUMP --csv", "leaks DUMP", "leaks DUMP --json", "leaks DUMP --markdown", "leaks DUMP --csv", "leaks SOUND DUMP --owners always",
	"check DUMP --max 1", "check DUMP --max each=1 --json", "check SOUND DUMP --max-growth 1", "check DUMP --max 1 --junit -", "check DUMP --max 1 --github",
	"diff SOUND DUMP", "diff DUMP SOUND --json", "diff DUMP SOUND --csv", "diff SOUND DUMP --handles --holders",
	"symbols DUMP", "symbols DUMP --json", "symbols DUMP --manifest",
}

// TestSweep breaks small dumps in every place and puts every question to them.
// It takes a sample, the same one each time, of which each dump is asked three
// questions; see -sweep.
func TestSweep(t *testing.T) {
	s := newSweeper(t)
	random := rand.New(rand.NewPCG(*sweepSeed, 0))
	size := *sweepSize
	if testing.Short() {
		size = min(size, 50)
	}
	for _, d := range sweepDumps {
		data := d.make().Bytes()
		if len(data) > 4096 {
			t.Errorf("%s: %d bytes are too many", d.name, len(data))
		}
		s.sound(data)
		all := sweepMutations(d.name, d.make())
		commands := sweepCommands
		if size > 0 {
			all = pick(random, all, size)
		}
		for _, m := range all {
			if size > 0 {
				commands = pick(random, sweepCommands, 3)
			}
			broken := m.make()
			for _, command := range commands {
				s.try(m.name, broken, command)
			}
		}
	}
	t.Logf("%d runs", s.runs)
}

// pick takes n of all.
func pick[T any](random *rand.Rand, all []T, n int) []T {
	var picked []T
	for _, i := range random.Perm(len(all))[:min(n, len(all))] {
		picked = append(picked, all[i])
	}
	return picked
}

// A sweeper runs commands and looks at what no input may do to them.
type sweeper struct {
	t      *testing.T
	dir    string
	runs   int
	failed map[string]int // by command and complaint
}

func newSweeper(t *testing.T) *sweeper {
	// The environment of the machine must not name symbols.
	t.Setenv("_NT_SYMBOL_PATH", "")
	t.Setenv("_NT_EXECUTABLE_IMAGE_PATH", "")
	return &sweeper{t: t, dir: t.TempDir(), failed: map[string]int{}}
}

// sound writes the dump that others are compared with: an hour older.
func (s *sweeper) sound(data []byte) {
	const timeDateStamp, hour = 20, 3600 // in the header
	older := slices.Clone(data)
	binary.LittleEndian.PutUint32(older[timeDateStamp:], binary.LittleEndian.Uint32(data[timeDateStamp:])-hour)
	s.write("sound.dmp", older)
}

func (s *sweeper) write(name string, data []byte) {
	if err := os.WriteFile(filepath.Join(s.dir, name), data, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// What a run on a file of 4 KB may take. The first megabytes are windows,
// buffers and the command's own tables.
const (
	sweepTime   = time.Second
	sweepMemory = 16 << 20
	sweepOutput = 64 << 10
	perByte     = 64 // more bytes for each of the input
)

// try puts one question to one dump, twice, and reports the first fault of each
// kind.
func (s *sweeper) try(what string, data []byte, command string) {
	s.t.Helper()
	s.write("dump.dmp", data)
	first := s.run(command)
	second := s.run(command)
	if first.took > sweepTime && second.took > sweepTime {
		s.fault(what, command, "takes %v", second.took)
	}
	limit := uint64(len(data)) * perByte
	if first.allocated > sweepMemory+limit && second.allocated > sweepMemory+limit {
		s.fault(what, command, "allocates %d bytes", second.allocated)
	}
	if n := len(first.stdout) + len(first.stderr); uint64(n) > sweepOutput+limit {
		s.fault(what, command, "writes %d bytes", n)
	}
	if first.code != second.code || first.stdout != second.stdout || first.stderr != second.stderr {
		s.fault(what, command, "two runs differ:\n%s%s\n%s%s", first.stdout, first.stderr, second.stdout, second.stderr)
	}
	for _, problem := range first.problems(command) {
		s.fault(what, command, "%s", problem)
	}
}

func (s *sweeper) fault(what, command, format string, args ...any) {
	s.t.Helper()
	problem := fmt.Sprintf(format, args...)
	kind := command + sweepDigits.ReplaceAllString(problem, "")
	if s.failed[kind]++; s.failed[kind] == 1 {
		s.t.Errorf("%s: %s: %s", what, command, problem)
	}
}

var sweepDigits = regexp.MustCompile(`[0-9.a-z]+`)

type sweepRun struct {
	code           int
	stdout, stderr string
	took           time.Duration
	allocated      uint64 // bytes
}

func (s *sweeper) run(command string) (r sweepRun) {
	s.runs++
	args := strings.Fields(command)
	for i, arg := range args {
		switch arg {
		case "DUMP":
			args[i] = filepath.Join(s.dir, "dump.dmp")
		case "SOUND":
			args[i] = filepath.Join(s.dir, "sound.dmp")
		}
	}
	var stdout, stderr bytes.Buffer
	before, start := allocated(), time.Now()
	r.code = run(s.t.Context(), args, strings.NewReader(""), &stdout, &stderr)
	r.took, r.allocated = time.Since(start), allocated()-before
	r.stdout, r.stderr = stdout.String(), stderr.String()
	return r
}

// allocated is the number of bytes that were ever allocated. Unlike
// runtime.ReadMemStats it does not stop the world.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

var sweepLabel = regexp.MustCompile("^(dumpscan: |note: |Run 'dumpscan help )")

// problems is what must not be, whatever the input.
func (r sweepRun) problems(command string) (all []string) {
	complained := false
	for line := range strings.Lines(r.stderr) {
		complained = complained || strings.HasPrefix(line, "dumpscan: ")
		if !sweepLabel.MatchString(line) {
			all = append(all, "a line of stderr has no label: "+line)
		}
	}
	switch r.code {
	case exitAnswered, exitFound:
		if complained {
			all = append(all, fmt.Sprintf("exit code %d and an error: %s", r.code, r.stderr))
		}
	case exitUsage:
		// The command line pairs dumps of which that is not possible.
		if !strings.Contains(r.stderr, "--holders needs two dumps of one process") {
			all = append(all, "exit code 2: "+r.stderr)
		}
	case exitInput:
		// A check that cannot be made is an answer.
		if !complained && !strings.Contains(r.stdout, "cannot") {
			all = append(all, "exit code 3 without a word")
		}
	default:
		all = append(all, fmt.Sprintf("exit code %d: %s", r.code, r.stderr))
	}
	if strings.Contains(command, "--json") && r.stdout != "" {
		all = append(all, r.jsonProblems(command)...)
	}
	return append(all, rawText(r.stdout+r.stderr)...)
}

// jsonProblems wants an object whose list of errors agrees with the exit code.
func (r sweepRun) jsonProblems(command string) (all []string) {
	var answer struct{ Errors *[]string }
	if err := json.Unmarshal([]byte(r.stdout), &answer); err != nil {
		return []string{"no JSON: " + err.Error()}
	}
	switch {
	case answer.Errors == nil:
		all = append(all, "JSON without errors")
	case r.code == exitInput && len(*answer.Errors) == 0 && !strings.Contains(r.stderr, ": header: ") && !strings.Contains(command, "check"):
		all = append(all, "exit code 3, but JSON has no errors: "+r.stderr)
	case r.code != exitInput && len(*answer.Errors) > 0:
		all = append(all, fmt.Sprintf("exit code %d, but JSON has errors %q", r.code, *answer.Errors))
	}
	return all
}

// rawText is what a terminal must not see. WinDbg's texts have tabs of their own.
func rawText(text string) []string {
	if !utf8.ValidString(text) {
		return []string{"writes what is no UTF-8"}
	}
	for _, c := range text {
		if c != '\n' && c != '\t' && words.UnsafeRune(c) {
			return []string{fmt.Sprintf("writes %U", c)}
		}
	}
	return nil
}

// TestSweepDumps wants the sound dumps to answer each question, one or the
// other: else the sweeps would break nothing but one message.
func TestSweepDumps(t *testing.T) {
	s := newSweeper(t)
	answered := map[string]string{}
	for _, d := range sweepDumps {
		data := d.make().Bytes()
		s.write("dump.dmp", data)
		s.sound(data)
		for _, command := range sweepCommands {
			if r := s.run(command); r.code != exitInput || answered[command] == "" {
				answered[command] = fmt.Sprint(r.code, " ", r.stderr)
			}
		}
	}
	for command, how := range answered {
		if strings.HasPrefix(how, "3") {
			t.Errorf("%s: %s", command, how)
		}
	}
}
