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
	"github.com/google/go-cmp/cmp/cmpopts"

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
	Flags       string     `json:"flags"`
	Timestamp   uint32     `json:"timestamp"`
	StreamCount uint32     `json:"stream_count"`
	Directory   [][]any    `json:"directory"`
	System      factSystem `json:"system"`
	Misc        *struct {
		PID        uint32 `json:"pid"`
		CreateTime uint32 `json:"create_time"`
		Size       uint32 `json:"size"`
	} `json:"misc"`
	Modules     []factModule `json:"modules"`
	Threads     []factThread `json:"threads"`
	ThreadNames [][]any      `json:"thread_names"`
	Handles     *struct {
		Count      int          `json:"count"`
		Descriptor uint32       `json:"descriptor"`
		List       []factHandle `json:"list"`
	} `json:"handles"`
	MemoryList *struct {
		Count int    `json:"count"`
		Bytes uint64 `json:"bytes"`
	} `json:"memory_list"`
	MemoryInfoCount int            `json:"memory_info_count"`
	Exception       *factException `json:"exception"`
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
		if m.ProcessID != want.Misc.PID || m.ProcessCreateTime != want.Misc.CreateTime || m.SizeOfInfo != want.Misc.Size {
			t.Errorf("misc info %+v, want %+v", m, want.Misc)
		}
	}
	checkModules(t, f, want.Modules)
	checkThreads(t, f, want)
	checkHandles(t, f, want)
	checkMemory(t, f, want)
	checkException(t, f, want.Exception)
}

func checkException(t *testing.T, f *minidump.File, want *factException) {
	e, err := f.Exception()
	if want == nil {
		if !errors.Is(err, minidump.ErrNoStream) {
			t.Errorf("exception %+v, %v, want none", e, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got := &factException{
		Address: e.ExceptionAddress.String(), Code: fmt.Sprintf("%#x", uint32(e.ExceptionCode)), Flags: e.ExceptionFlags, TID: e.ThreadID,
	}
	for _, p := range e.ExceptionInformation {
		got.Params = append(got.Params, fmt.Sprintf("%#x", p))
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("exception (-want +got):\n%s", d)
	}
	si, err := f.SystemInfo()
	if err != nil {
		t.Fatal(err)
	}
	if name := e.ExceptionCode.Name(si.PlatformID); si.PlatformID != minidump.PlatformWindowsNT && strings.HasPrefix(name, "STATUS_") {
		t.Errorf("%s on %s", name, si.PlatformID)
	}
	if _, err := f.Section(e.ThreadContext); err != nil {
		t.Error(err)
	}
}

func checkModules(t *testing.T, f *minidump.File, want []factModule) {
	modules, err := f.Modules()
	if err != nil && (len(want) > 0 || !errors.Is(err, minidump.ErrNoStream)) {
		t.Error(err)
	}
	var got []factModule
	for _, m := range modules {
		g := factModule{
			Base: m.BaseOfImage.String(), Size: fmt.Sprintf("%#x", m.SizeOfImage), Name: m.ModuleName,
			FileVersion: m.VersionInfo.FileVersion(), Timestamp: fmt.Sprintf("%#x", m.TimeDateStamp),
			PDB: m.CvRecord.PDBFile,
		}
		if m.CvRecord.Kind == minidump.CodeViewRSDS {
			g.DebugID = m.CvRecord.Key()
		}
		got = append(got, g)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("modules (-want +got):\n%s", d)
	}
}

func checkThreads(t *testing.T, f *minidump.File, want facts) {
	threads, err := f.Threads()
	if err != nil && (len(want.Threads) > 0 || !errors.Is(err, minidump.ErrNoStream)) {
		t.Error(err)
	}
	var got []factThread
	for _, th := range threads {
		got = append(got, factThread{
			TID: th.ThreadID, Teb: uint64(th.Teb), Suspend: th.SuspendCount, PrioClass: uint32(th.PriorityClass), Prio: int32(th.Priority),
			StackStart: uint64(th.Stack.StartOfMemoryRange), StackSize: th.Stack.Memory.DataSize, StackRVA: th.Stack.Memory.RVA,
			CtxSize: th.ThreadContext.DataSize, CtxRVA: th.ThreadContext.RVA,
		})
	}
	if d := cmp.Diff(want.Threads, got); d != "" {
		t.Errorf("threads (-want +got):\n%s", d)
	}
	names, err := f.ThreadNames()
	if err != nil && (len(want.ThreadNames) > 0 || !errors.Is(err, minidump.ErrNoStream)) {
		t.Error(err)
	}
	var gotNames [][]any
	for _, n := range names {
		gotNames = append(gotNames, []any{float64(n.ThreadID), n.Name})
	}
	if d := cmp.Diff(want.ThreadNames, gotNames); d != "" {
		t.Errorf("thread names (-want +got):\n%s", d)
	}
}

func checkHandles(t *testing.T, f *minidump.File, want facts) {
	if want.Handles == nil {
		if _, err := f.HandleData(); !errors.Is(err, minidump.ErrNoStream) {
			t.Errorf("handle data: %v, want ErrNoStream", err)
		}
		return
	}
	hd, err := f.HandleData()
	if err != nil {
		t.Fatal(err)
	}
	if hd.SizeOfDescriptor != want.Handles.Descriptor {
		t.Errorf("descriptors of %d bytes, want %d", hd.SizeOfDescriptor, want.Handles.Descriptor)
	}
	handles, err := hd.Slice()
	if err != nil {
		t.Error(err)
	}
	var got []factHandle
	for _, h := range handles {
		got = append(got, factHandle{
			Handle: h.Handle, Type: h.TypeName, Name: h.ObjectName, Attributes: h.Attributes,
			Access: h.GrantedAccess, HandleCount: h.HandleCount, PointerCount: h.PointerCount,
		})
	}
	if len(got) != want.Handles.Count {
		t.Errorf("%d handles, want %d", len(got), want.Handles.Count)
	}
	// Of a long list the facts hold the first ones.
	if d := cmp.Diff(want.Handles.List, got[:min(len(got), len(want.Handles.List))], cmpopts.EquateEmpty()); d != "" {
		t.Errorf("handles (-want +got):\n%s", d)
	}
}

func checkMemory(t *testing.T, f *minidump.File, want facts) {
	if want.MemoryInfoCount > 0 {
		infos, err := f.MemoryInfos()
		if err != nil {
			t.Fatal(err)
		}
		n, err := infos.Len()
		if err != nil {
			t.Fatal(err)
		}
		if n != want.MemoryInfoCount {
			t.Errorf("%d memory regions, want %d", n, want.MemoryInfoCount)
		}
	}
	if want.MemoryList != nil && !f.Has(minidump.Memory64ListStream) {
		m, err := f.Memory()
		if err != nil {
			t.Fatal(err)
		}
		var bytes uint64
		for _, r := range m.Ranges() {
			bytes += r.Size
		}
		if len(m.Ranges()) != want.MemoryList.Count || bytes != want.MemoryList.Bytes {
			t.Errorf("%d ranges, %d bytes; want %+v", len(m.Ranges()), bytes, want.MemoryList)
		}
	}
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
