package minidump_test

import (
	stdcmp "cmp"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dumpscan/dumpscan/minidump"
)

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

func checkUnloaded(t *testing.T, f *minidump.File, want []factModule) {
	modules, err := f.UnloadedModules()
	if err != nil && !errors.Is(err, minidump.ErrNoStream) {
		t.Error(err)
	}
	var got []factModule
	for _, m := range modules {
		got = append(got, factModule{Base: m.BaseOfImage.String(), Size: fmt.Sprintf("%#x", m.SizeOfImage), Name: m.ModuleName})
	}
	// Of the dumps that are not in the repository the facts have no time stamps.
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(factModule{}, "Timestamp")); d != "" {
		t.Errorf("unloaded modules (-want +got):\n%s", d)
	}
}

// checkContexts wants the registers of every thread: the stack pointer lies in
// the stack that the thread names, or else in memory that was saved, as that of a
// WOW64 thread, which has two stacks.
func checkContexts(t *testing.T, f *minidump.File) {
	threads, _ := f.Threads() // checkThreads has the error
	memory, _ := f.Memory()
	for _, th := range threads {
		c, err := f.Context(th.ThreadContext)
		if errors.Is(err, minidump.ErrNoContext) && th.ThreadContext.DataSize == 0 {
			continue
		}
		if err != nil {
			t.Errorf("thread %d: %v", th.ThreadID, err)
			continue
		}
		stack := th.Stack
		if end := stack.StartOfMemoryRange + minidump.VA(stack.Memory.DataSize); (c.SP() < stack.StartOfMemoryRange || c.SP() > end) && !memory.Contains(c.SP()) {
			t.Errorf("thread %d: the stack pointer %s is not in %s to %s", th.ThreadID, c.SP(), stack.StartOfMemoryRange, end)
		}
	}
	if e, err := f.Exception(); err == nil {
		c, err := f.Context(e.ThreadContext)
		if err != nil {
			t.Errorf("exception: %v", err)
		} else if c.PC == 0 && e.ExceptionAddress != 0 {
			t.Errorf("exception at %s: %+v", e.ExceptionAddress, c)
		}
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
	if hd.SizeOfDescriptor != want.Handles.Descriptor || hd.SizeOfHeader != want.Handles.Header {
		t.Errorf("header of %d and descriptors of %d bytes, want %d and %d", hd.SizeOfHeader, hd.SizeOfDescriptor, want.Handles.Header, want.Handles.Descriptor)
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
	byType := map[string]int{}
	for _, h := range got {
		byType[stdcmp.Or(h.Type, "None")]++
	}
	if d := cmp.Diff(want.Handles.ByType, byType); d != "" {
		t.Errorf("handles by type (-want +got):\n%s", d)
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
	if want.Memory64Count > 0 && !f.Has(minidump.MemoryListStream) {
		m, err := f.Memory()
		if m == nil || len(m.Ranges()) != want.Memory64Count && err == nil {
			t.Errorf("%+v, %v, want %d ranges of 64 bits", m, err, want.Memory64Count)
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

// checkTokens holds the header of the list against the tokens.
func checkTokens(t *testing.T, f *minidump.File, header []uint32) {
	tokens, err := f.Tokens()
	if header == nil {
		if !errors.Is(err, minidump.ErrNoStream) {
			t.Errorf("tokens %+v, %v, want none", tokens, err)
		}
		return
	}
	if err != nil || uint32(len(tokens)) != header[1] {
		t.Errorf("%d tokens, %v, want %d", len(tokens), err, header[1])
	}
	misc, err := f.MiscInfo()
	if err != nil {
		t.Fatal(err)
	}
	if len(tokens) > 0 && tokens[0].TokenID != misc.ProcessID {
		t.Errorf("the first token is of %d, not of the process %d", tokens[0].TokenID, misc.ProcessID)
	}
}
