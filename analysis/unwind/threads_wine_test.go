package unwind

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

var (
	update = flag.Bool("update", false, "rewrite the golden files")
	record = flag.String("record", "", "make the dumps of testdata/unwind of those with all memory in this folder")
)

// The programs of which testdata/unwind has the threads.
var wineDumps = []struct {
	name string
	// elsewhere are the indexes of threads that went on between winedbg and the dump.
	elsewhere []int
	whole     int // of the others, at least so many are shown as whole by winedbg
}{
	{"threads-x64", nil, 8},
	{"w3wp-x64", []int{0}, 4},
}

// wineFrames unwinds all threads of a dump.
func wineFrames(t testing.TB, f *minidump.File, prepare func(*Unwinder)) []ThreadStack {
	t.Helper()
	s, err := symbol.NewResolver(f, symbol.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	code := s.Code(t.Context())
	u, err := New(f, s, code)
	if err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(u)
	}
	threads, err := f.Threads()
	if err != nil {
		t.Fatal(err)
	}
	indexes := make([]int, len(threads))
	for i := range indexes {
		indexes[i] = i
	}
	stacks, err := u.Threads(t.Context(), f, threads, nil, indexes)
	if err != nil {
		t.Fatal(err)
	}
	return stacks
}

// TestWineThreads compares the stacks of a program's threads with what winedbg
// showed of them: those of the leaking program, and those that are in an exception's
// handler, an asynchronous call, a fiber, and so on. Where winedbg gives up its
// frames are the first of ours.
func TestWineThreads(t *testing.T) {
	t.Parallel()
	for _, tt := range wineDumps {
		path := "testdata/unwind/" + tt.name
		f := testdump.Open(t, path+".dmp.gz")
		stacks := wineFrames(t, f, nil)
		shown := winedbg(string(testdump.Read(t, path+".winedbg.txt")))
		whole := 0
		for _, s := range stacks {
			if s.Err != nil || slices.Contains(tt.elsewhere, s.Index) {
				continue // the thread that wrote the dump has no registers
			}
			var got []minidump.VA
			for _, frame := range s.Frames {
				got = append(got, frame.PC)
				if frame.Trust == TrustScan {
					t.Errorf("%s: thread %x: a frame is scanned", tt.name, s.ThreadID)
				}
			}
			want := shown[s.ThreadID]
			if len(want) == len(got) {
				whole++
			}
			if diff := gocmp.Diff(want, got[:min(len(got), len(want))]); diff != "" || s.Stop != StopStart {
				t.Errorf("%s: thread %x ends with %q (-winedbg +got):\n%s", tt.name, s.ThreadID, s.Stop, diff)
			}
		}
		if whole < tt.whole {
			t.Errorf("%s: winedbg shows as many frames of %d threads only", tt.name, whole)
		}
		golden := filepath.Join("..", "..", filepath.FromSlash(path+".golden"))
		text := describeStacks(t, f, stacks)
		if *update {
			if err := os.WriteFile(golden, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if diff := gocmp.Diff(string(testdump.Read(t, path+".golden")), text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestLeakyAMD64 unwinds the threads of the leaking program in a dump with all memory.
func TestLeakyAMD64(t *testing.T) {
	t.Parallel()
	n := 0
	for _, s := range wineFrames(t, testdump.Open(t, "../shared/dumps/leaky-c.dmp.gz"), nil) {
		if s.Err != nil {
			continue
		}
		n++
		for i, frame := range s.Frames {
			if i > 0 && frame.Trust != TrustCFI {
				t.Errorf("thread %x, frame %d: %s", s.ThreadID, i, frame.Trust)
			}
		}
		if s.Stop != StopStart || len(s.Frames) != 6 {
			t.Errorf("thread %x: %d frames, then %q", s.ThreadID, len(s.Frames), s.Stop)
		}
	}
	if n != 4 {
		t.Errorf("%d threads", n)
	}
}

// describeStacks writes all that is known of the frames.
func describeStacks(t testing.TB, f *minidump.File, stacks []ThreadStack) string {
	t.Helper()
	modules, err := f.Modules()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, s := range stacks {
		fmt.Fprintf(&out, "thread %x\n", s.ThreadID)
		for _, frame := range s.Frames {
			resolved, err := symbol.NewModules(modules).Resolve(t.Context(), []minidump.VA{frame.PC})
			if err != nil {
				t.Fatal(err)
			}
			kind := ""
			if !frame.Return {
				kind = ", interrupted"
			}
			fmt.Fprintf(&out, "%016x %s, %s%s\n", uint64(frame.SP), resolved.At(frame.PC).Place(), frame.Trust, kind)
		}
		if s.Err != nil {
			fmt.Fprintln(&out, s.Err)
		} else {
			fmt.Fprintln(&out, s.Stop)
		}
	}
	return out.String()
}

// winedbg returns the addresses of each thread. Frames that differ from the one
// before in the name alone are inlined calls.
func winedbg(text string) map[uint32][]minidump.VA {
	stacks := map[uint32][]minidump.VA{}
	thread, last := uint32(0), ""
	for _, line := range strings.Split(text, "\n") {
		if id, ok := strings.CutPrefix(line, "thread "); ok {
			n, _ := strconv.ParseUint(id, 16, 32)
			thread, last = uint32(n), ""
			continue
		}
		addr, name, _ := strings.Cut(line, " ")
		before, beforeName, _ := strings.Cut(last, " ")
		if addr == "" || addr == before && name != beforeName {
			continue
		}
		last = line
		n, _ := strconv.ParseUint(strings.TrimPrefix(addr, "0x"), 16, 64)
		stacks[thread] = append(stacks[thread], minidump.VA(n))
	}
	return stacks
}

// A recorder notes which memory is read, in lines of 64 bytes.
type recorder struct {
	r     CodeReader
	lines map[minidump.VA][]byte
}

const recorded = 64

func (r recorder) ReadAt(p []byte, addr minidump.VA) (int, error) {
	n, err := r.r.ReadAt(p, addr)
	if len(p) == windowSize {
		return n, err // the stack, of which all is kept
	}
	r.keep(addr, n)
	return n, err
}

func (r recorder) keep(addr minidump.VA, n int) {
	for at := addr &^ (recorded - 1); n > 0 && at < addr+minidump.VA(n); at += recorded {
		line := make([]byte, recorded)
		got, _ := r.r.ReadAt(line, at)
		r.lines[at] = line[:got]
	}
}

// TestRecord makes the small dumps: see -record. They hold what the unwinder reads,
// and the stacks.
func TestRecord(t *testing.T) {
	if *record == "" {
		t.Skip("-record is not given")
	}
	for _, tt := range wineDumps {
		name, _, _ := strings.Cut(tt.name, "-")
		data, err := os.ReadFile(filepath.Join(*record, name+".dmp"))
		if err != nil {
			t.Fatal(err)
		}
		recordDump(t, tt.name, data)
	}
}

func recordDump(t *testing.T, name string, data []byte) {
	f := testdump.Bytes(t, data)
	modules, err := f.Modules()
	if err != nil {
		t.Fatal(err)
	}
	threads, err := f.Threads()
	if err != nil {
		t.Fatal(err)
	}
	lines := map[minidump.VA][]byte{}
	d := dumptest.Dump{MemoryInfos: &dumptest.MemoryInfoList{}}
	for _, m := range modules {
		d.Modules = append(d.Modules, dumptest.Module{Base: uint64(m.BaseOfImage), Size: m.SizeOfImage, TimeDateStamp: m.TimeDateStamp, Name: m.ModuleName})
	}
	known := symbol.NewModules(modules)
	var made []codeRange
	var stacks []ThreadStack
	for range 2 { // the second time it is known where code was made at run time
		stacks = wineFrames(t, f, func(u *Unwinder) {
			r := recorder{u.code, lines}
			u.code, u.calls.Code = r, r
			u.runtime = runtimeCode(made...)
		})
		for _, s := range stacks {
			for _, frame := range s.Frames {
				page := frame.PC &^ 0xfff
				code := codeRange{page, page + 0xfff}
				if _, ok := known.Find(frame.PC); ok || frame.PC == 0 || slices.Contains(made, code) {
					continue
				}
				made = append(made, code)
				d.MemoryInfos.Regions = append(d.MemoryInfos.Regions, dumptest.MemoryInfo{
					BaseAddress: uint64(page), AllocationBase: uint64(page), AllocationProtect: uint32(minidump.PageExecuteReadWrite), RegionSize: 0x1000,
					State: uint32(minidump.MemCommit), Protect: uint32(minidump.PageExecuteReadWrite), Type: uint32(minidump.MemPrivate),
				})
			}
		}
	}
	memory, err := f.Memory()
	if err != nil {
		t.Fatal(err)
	}
	r := recorder{memory, lines}
	for i, s := range stacks {
		if len(s.Frames) > 0 {
			last := s.Frames[len(s.Frames)-1]
			r.keep(s.Frames[0].SP, int(last.SP-s.Frames[0].SP)+0x200)
		}
		th := threads[i]
		raw := make([]byte, th.ThreadContext.DataSize)
		copy(raw, data[th.ThreadContext.RVA:])
		d.Threads = append(d.Threads, dumptest.Thread{ThreadID: th.ThreadID, Teb: uint64(th.Teb), Context: raw})
	}
	for at, line := range lines {
		if len(line) > 0 {
			d.Memory = append(d.Memory, dumptest.MemoryRange{Start: uint64(at), Data: line})
		}
	}
	slices.SortFunc(d.Memory, func(a, b dumptest.MemoryRange) int { return cmp.Compare(a.Start, b.Start) })
	d.Memory = joined(d.Memory)
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if _, err := z.Write(d.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("..", "..", "testdata", "unwind", name+".dmp.gz"), out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// joined makes one of ranges that follow each other.
func joined(list []dumptest.MemoryRange) []dumptest.MemoryRange {
	var out []dumptest.MemoryRange
	for _, r := range list {
		if n := len(out); n > 0 && out[n-1].Start+uint64(len(out[n-1].Data)) == r.Start {
			out[n-1].Data = append(slices.Clip(out[n-1].Data), r.Data...)
			continue
		}
		out = append(out, r)
	}
	return out
}
