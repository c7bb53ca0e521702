package unwind

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
)

var (
	peers      = flag.Bool("peers", false, "compare the command with LLDB and minidump-stackwalk, where they are installed")
	wineImages = flag.String("wineimages", "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows:/var/tmp/wine-i386/usr/lib/i386-linux-gnu/wine/i386-windows",
		"the folders of Wine's DLLs for x64 and x86, which the peers need for testdata/stacks")
)

// A peer shows the stacks of a dump, by thread. images are folders.
type peer struct {
	name string
	run  func(t *testing.T, dump string, images []string) (map[uint32][]found, time.Duration)
}

// TestPeers prints what dumpscan, LLDB and rust-minidump find in the dumps whose truth
// is known; see -peers. All get the images of our libraries with their symbols. The peers
// get Wine's images, too, and stackwalk symbol files that dump_syms makes of all of them.
func TestPeers(t *testing.T) {
	if !*peers {
		t.Skip("-peers is not given")
	}
	command := filepath.Join(t.TempDir(), "dumpscan")
	if out, err := exec.Command("go", "build", "-o", command, "../../cmd/dumpscan").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	programs := []peer{{"dumpscan", func(t *testing.T, dump string, images []string) (map[uint32][]found, time.Duration) {
		return runDumpscan(t, command, dump, images[:1])
	}}}
	if name, ok := installed("lldb", "lldb-19", "lldb-14"); ok {
		programs = append(programs, peer{"LLDB", func(t *testing.T, dump string, images []string) (map[uint32][]found, time.Duration) {
			return runLLDB(t, name, dump, images)
		}})
	}
	home, _ := os.UserHomeDir()
	if name, ok := installed("minidump-stackwalk", filepath.Join(home, ".cargo/bin/minidump-stackwalk")); ok {
		programs = append(programs, peer{"minidump-stackwalk", func(t *testing.T, dump string, images []string) (map[uint32][]found, time.Duration) {
			return runStackwalk(t, name, dump, "", images)
		}})
		if syms, ok := installed("dump_syms", filepath.Join(home, ".cargo/bin/dump_syms"), "/var/tmp/dump_syms/bin/dump_syms"); ok {
			programs = append(programs, peer{"the same with dump_syms", func(t *testing.T, dump string, images []string) (map[uint32][]found, time.Duration) {
				return runStackwalk(t, name, dump, syms, images)
			}})
		}
	}
	out := &strings.Builder{}
	fmt.Fprintln(out, "| dump | program | frames found | right | wrong, not marked | wrong, marked | left out | whole stacks | time |\n|---|---|---|---|---|---|---|---|---|")
	for _, c := range peerDumps(t) {
		for _, p := range programs {
			all, took := p.run(t, c.path, c.images)
			var s score
			for id, tr := range c.truths {
				s.add(tr, all[id])
			}
			fmt.Fprintf(out, "| %s | %s | %d | %d of %d | %d | %d | %d | %d of %d | %.2f s |\n", c.name, p.name,
				s.Found, s.Right, s.Frames, s.Wrong, s.Marked, s.Left, s.Whole, s.Threads, took.Seconds())
			slices.Sort(s.lines)
			t.Logf("%s, %s:\n%s", c.name, p.name, strings.Join(s.lines[:min(len(s.lines), 40)], "\n"))
		}
	}
	t.Logf("\n%s", out)
}

// A peerCase is a dump, the folders of its images and its truth.
type peerCase struct {
	name, path string
	images     []string
	truths     map[uint32]*truth
}

func peerDumps(t *testing.T) []peerCase {
	var cases []peerCase
	wine := strings.Split(*wineImages, ":")
	for i, arch := range stackDumps {
		path := filepath.Join(t.TempDir(), arch+".dmp")
		if err := os.WriteFile(path, testdump.Read(t, "testdata/stacks/stacks-"+arch+".dmp.gz"), 0o666); err != nil {
			t.Fatal(err)
		}
		images, err := filepath.Abs(filepath.Join(stackFolder, "images", arch))
		if err != nil {
			t.Fatal(err)
		}
		folders := []string{images}
		if i < len(wine) {
			folders = append(folders, wine[i])
		}
		cases = append(cases, peerCase{arch, path, folders, readTruth(t, string(testdump.Read(t, "testdata/stacks/stacks-"+arch+".tsv")))})
	}
	// Its thread of the exception is shown alike by WinDbg.
	if real, err := filepath.Abs("../../../shared/dumps/minidump2.dmp"); err == nil {
		if _, err := os.Stat(real); err == nil {
			cases = append(cases, peerCase{"minidump2.dmp", real, []string{t.TempDir()}, map[uint32]*truth{0xbf4: {name: "minidump2", gap: -1, frames: []trueFrame{
				{pc: 0x40429e}, {pc: 0x404200}, {pc: 0x4053ec}, {pc: 0x7c816fd7},
			}}}})
		}
	}
	return cases
}

// installed returns the first of the programs that is there.
func installed(names ...string) (string, bool) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	return "", false
}

// output runs a program, and returns what it prints and how long that took.
func output(t *testing.T, name string, args ...string) ([]byte, time.Duration) {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	start := time.Now()
	out, err := cmd.Output()
	took := time.Since(start)
	if err != nil {
		t.Logf("%s: %v\n%s", filepath.Base(name), err, stderr.Bytes()[:min(stderr.Len(), 500)])
	}
	return out, took
}

func runDumpscan(t *testing.T, command, dump string, images []string) (map[uint32][]found, time.Duration) {
	out, took := output(t, command, "stacks", dump, "--all", "--json", "-i", images[0], "-y", images[0])
	var report struct {
		Threads []struct {
			ID     uint32
			Frames []struct {
				Address, ReturnAddress, StackPointer, Trust string
				Inline                                      bool
			}
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	all := map[uint32][]found{}
	for _, th := range report.Threads {
		for _, f := range th.Frames {
			if f.Inline {
				continue
			}
			pc := f.Address
			if f.ReturnAddress != "" {
				pc = f.ReturnAddress
			}
			all[th.ID] = append(all[th.ID], found{pc: hexVA(t, pc), sp: hexVA(t, f.StackPointer), marked: f.Trust == string(TrustScan)})
		}
	}
	return all, took
}

func hexVA(t *testing.T, s string) minidump.VA {
	t.Helper()
	n, err := strconv.ParseUint(strings.ReplaceAll(strings.TrimPrefix(s, "0x"), "`", ""), 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return minidump.VA(n)
}

var (
	lldbThread = regexp.MustCompile(`thread #(\d+)(?:: tid = (0x[0-9a-f]+))?`)
	lldbFrame  = regexp.MustCompile(`frame #\d+: (0x[0-9a-f]+)(.*)`)
)

func runLLDB(t *testing.T, name, dump string, images []string) (map[uint32][]found, time.Duration) {
	out, took := output(t, name, "--no-lldbinit", "-b", "-o", "settings set target.exec-search-paths "+strings.Join(images, " "),
		"-o", "target create --core "+dump, "-o", "thread list", "-o", "bt all")
	ids := map[string]uint32{}
	all := map[uint32][]found{}
	var current uint32
	inlined := false // the frame before was one: this is another, or the one that both are in
	for line := range strings.Lines(string(out)) {
		if m := lldbFrame.FindStringSubmatch(line); m != nil {
			// What is inlined has the address of the frame, and that another one.
			wasInlined := inlined
			if inlined = strings.Contains(m[2], "[inlined]"); !wasInlined {
				all[current] = append(all[current], found{pc: hexVA(t, m[1])})
			}
		} else if m := lldbThread.FindStringSubmatch(line); m != nil {
			if m[2] != "" {
				ids[m[1]] = uint32(hexVA(t, m[2]))
			}
			current, inlined = ids[m[1]], false
		}
	}
	return all, took
}

func runStackwalk(t *testing.T, name, dump, dumpSyms string, images []string) (map[uint32][]found, time.Duration) {
	args := []string{"--json"}
	if dumpSyms != "" {
		var folder string
		dump, folder = withSymbols(t, dump, dumpSyms, images)
		args = append(args, "--symbols-path", folder)
	}
	out, took := output(t, name, append(args, dump)...)
	var report struct {
		Threads []struct {
			ThreadID uint32 `json:"thread_id"`
			Frames   []struct {
				Frame         int
				Offset, Trust string
			}
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	all := map[uint32][]found{}
	for _, th := range report.Threads {
		for i, f := range th.Frames {
			pc := hexVA(t, f.Offset)
			if i > 0 {
				pc++ // it shows the last byte of the call
			}
			all[th.ThreadID] = append(all[th.ThreadID], found{pc: pc, marked: f.Trust == "scan" || f.Trust == "cfi_scan"})
		}
	}
	return all, took
}

// withSymbols makes symbol files of the images of a dump. Wine writes no CodeView
// records, without which stackwalk looks for none: the dump gets records, of which no
// debugger for Windows could make anything.
func withSymbols(t *testing.T, dump, dumpSyms string, images []string) (copied, folder string) {
	data, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	f := testdump.Bytes(t, data)
	folder = t.TempDir()
	modules, err := f.Modules()
	if err != nil {
		t.Fatal(err)
	}
	list := -1 // where the first module stands
	directory, err := f.Directory()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range directory {
		if s.StreamType == minidump.ModuleListStream {
			list = int(s.RVA) + 4
		}
	}
	for i, m := range modules {
		name := m.ModuleName[strings.LastIndexByte(m.ModuleName, '\\')+1:]
		for _, images := range images {
			path := filepath.Join(images, name)
			if _, err := os.Stat(path); err != nil {
				continue
			}
			record := append([]byte("RSDS"), bytes.Repeat([]byte{byte(i + 1)}, 16)...)
			record = append(binary.LittleEndian.AppendUint32(record, 1), name+".pdb\x00"...)
			binary.LittleEndian.PutUint32(data[list+108*i+76:], uint32(len(record)))
			binary.LittleEndian.PutUint32(data[list+108*i+80:], uint32(len(data)))
			data = append(data, record...)
			store := filepath.Join(folder, name+".pdb", strings.Repeat(fmt.Sprintf("%02X", i+1), 16)+"1")
			if err := os.MkdirAll(store, 0o777); err != nil {
				t.Fatal(err)
			}
			output(t, dumpSyms, "-o", filepath.Join(store, name+".sym"), path)
			break
		}
	}
	copied = filepath.Join(t.TempDir(), filepath.Base(dump))
	if err := os.WriteFile(copied, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return copied, folder
}
