package minidump_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumpfile"
)

// realDumps holds dumps of real programs that cannot be part of this
// repository. The tests that need it skip where it is absent.
const realDumps = "../../shared/dumps"

// openDump opens a dump, compressed or not.
func openDump(t testing.TB, path string) (*minidump.File, error) {
	t.Helper()
	file, err := dumpfile.Open(t.Context(), path, dumpfile.Options{TempDir: t.TempDir()})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { file.Close() })
	return file.Dump()
}

func mustOpen(t testing.TB, path string) *minidump.File {
	t.Helper()
	f, err := openDump(t, path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// realDump is the path of a dump that is not part of this repository.
func realDump(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(realDumps, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no real dumps here: %v", err)
	}
	return path
}

// facts are what a program that shares no code with this package found in the
// real dumps.
type facts struct {
	Version     string     `json:"version"`
	Flags       string     `json:"flags"`
	Timestamp   uint32     `json:"timestamp"`
	StreamCount uint32     `json:"stream_count"`
	Size        int64      `json:"size"`
	Directory   [][]any    `json:"directory"`
	System      factSystem `json:"system"`
	Misc        *struct {
		PID        uint32 `json:"pid"`
		CreateTime uint32 `json:"create_time"`
		UserTime   uint32 `json:"user_time"`
		KernelTime uint32 `json:"kernel_time"`
		Size       uint32 `json:"size"`
		Flags1     string `json:"flags1"`
	} `json:"misc"`
	Modules     []factModule `json:"modules"`
	Unloaded    []factModule `json:"unloaded"`
	Threads     []factThread `json:"threads"`
	ThreadNames [][]any      `json:"thread_names"`
	Handles     *struct {
		Count      int            `json:"count"`
		Header     uint32         `json:"header"`
		Descriptor uint32         `json:"descriptor"`
		ByType     map[string]int `json:"by_type"`
		List       []factHandle   `json:"list"`
	} `json:"handles"`
	MemoryList *struct {
		Count int    `json:"count"`
		Bytes uint64 `json:"bytes"`
	} `json:"memory_list"`
	Memory64Count   int            `json:"memory64_count"`
	MemoryInfoCount int            `json:"memory_info_count"`
	Exception       *factException `json:"exception"`
	TokenHeader     []uint32       `json:"token_header"` // list size, entries, sizes of the two headers
}

type factSystem struct {
	Arch     uint16 `json:"arch"`
	Level    uint16 `json:"level"`
	Revision uint16 `json:"revision"`
	CPUs     uint8  `json:"cpus"`
	Product  uint8  `json:"product_type"`
	OS       string `json:"os"`
	Platform uint32 `json:"platform"`
	CSD      string `json:"csd"`
	Suite    uint16 `json:"suite_mask"`
}

type factModule struct {
	Base        string `json:"base"`
	Size        string `json:"size"`
	Name        string `json:"name"`
	PDB         string `json:"pdb"`
	DebugID     string `json:"debug_id"`
	FileVersion string `json:"file_version"`
	Timestamp   string `json:"timestamp"`
}

type factException struct {
	Address string   `json:"address"`
	Code    string   `json:"code"`
	Flags   uint32   `json:"flags"`
	Params  []string `json:"params"`
	TID     uint32   `json:"tid"`
}

type factThread struct {
	TID        uint32 `json:"tid"`
	Teb        uint64 `json:"teb"`
	Suspend    uint32 `json:"suspend"`
	PrioClass  uint32 `json:"prio_class"`
	Prio       int32  `json:"prio"`
	StackStart uint64 `json:"stack_start"`
	StackSize  uint32 `json:"stack_size"`
	StackRVA   uint32 `json:"stack_rva"`
	CtxSize    uint32 `json:"ctx_size"`
	CtxRVA     uint32 `json:"ctx_rva"`
}

type factHandle struct {
	Handle       uint64 `json:"handle"`
	Type         string `json:"type"`
	Name         string `json:"name"`
	Attributes   uint32 `json:"attributes"`
	Access       uint32 `json:"access"`
	HandleCount  uint32 `json:"handle_count"`
	PointerCount uint32 `json:"pointer_count"`
}

func loadFacts(t *testing.T, path string) map[string]facts {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]facts
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestFacts holds the dumps of this repository against what testdata/facts.py
// found in them.
func TestFacts(t *testing.T) {
	for name, want := range loadFacts(t, "testdata/facts.json") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := "../testdata"
			if strings.HasPrefix(name, "leaky") {
				dir = leakyDumps
			}
			checkFacts(t, mustOpen(t, filepath.Join(dir, name)), want)
		})
	}
}

// TestRealFacts does the same for dumps that are not in the repository.
func TestRealFacts(t *testing.T) {
	for name, want := range loadFacts(t, realDump(t, "facts.json")) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkFacts(t, mustOpen(t, realDump(t, name)), want)
		})
	}
}

func checkFacts(t *testing.T, f *minidump.File, want facts) {
	if got := fmt.Sprintf("%#x", uint64(f.Flags)); got != want.Flags {
		t.Errorf("flags %s, want %s", got, want.Flags)
	}
	if f.TimeDateStamp != want.Timestamp {
		t.Errorf("timestamp %d, want %d", f.TimeDateStamp, want.Timestamp)
	}
	if got := fmt.Sprintf("%#x", f.Version); got != want.Version {
		t.Errorf("version %s, want %s", got, want.Version)
	}
	if f.NumberOfStreams != want.StreamCount || f.Size() != want.Size {
		t.Errorf("%d streams in %d bytes, want %d in %d", f.NumberOfStreams, f.Size(), want.StreamCount, want.Size)
	}
	dir, err := f.Directory()
	var gotDir [][]any
	for _, d := range dir {
		gotDir = append(gotDir, []any{float64(d.StreamType), float64(d.DataSize), float64(d.RVA)})
	}
	used := slices.DeleteFunc(want.Directory, func(d []any) bool { return d[0] == 0.0 })
	if d := cmp.Diff(used, gotDir); d != "" || err != nil {
		t.Errorf("directory (-want +got):\n%s%v", d, err)
	}
	si, err := f.SystemInfo()
	if err == nil {
		got := factSystem{
			Arch: uint16(si.ProcessorArchitecture), Level: si.ProcessorLevel, Revision: si.ProcessorRevision,
			CPUs: si.NumberOfProcessors, Product: uint8(si.ProductType),
			OS:       fmt.Sprintf("%d.%d.%d", si.MajorVersion, si.MinorVersion, si.BuildNumber),
			Platform: uint32(si.PlatformID), CSD: si.CSDVersion, Suite: uint16(si.SuiteMask),
		}
		if d := cmp.Diff(want.System, got); d != "" {
			t.Errorf("system (-want +got):\n%s", d)
		}
	} else if want.System.OS != "" {
		t.Error(err)
	}
	if want.Misc != nil {
		m, err := f.MiscInfo()
		if err != nil {
			t.Fatal(err)
		}
		if m.ProcessID != want.Misc.PID || m.ProcessCreateTime != want.Misc.CreateTime || m.SizeOfInfo != want.Misc.Size ||
			m.ProcessUserTime != want.Misc.UserTime || m.ProcessKernelTime != want.Misc.KernelTime {
			t.Errorf("misc info %+v, want %+v", m, want.Misc)
		}
		if got := fmt.Sprintf("%#x", uint32(m.Flags1)); got != want.Misc.Flags1 {
			t.Errorf("flags of misc info %s, want %s", got, want.Misc.Flags1)
		}
	}
	checkModules(t, f, want.Modules)
	checkUnloaded(t, f, want.Unloaded)
	checkThreads(t, f, want)
	checkContexts(t, f)
	checkHandles(t, f, want)
	checkMemory(t, f, want)
	checkException(t, f, want.Exception)
	checkTokens(t, f, want.TokenHeader)
}

func TestRealFilesThatAreNoMinidumps(t *testing.T) {
	for name, want := range map[string]string{
		"kernel-triage-head.dmp": "64-bit Windows kernel",
		"microdump-x86.dmp":      "Breakpad microdump",
	} {
		_, err := openDump(t, realDump(t, name))
		if !errors.Is(err, minidump.ErrNotMinidump) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
