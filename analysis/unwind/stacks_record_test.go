package unwind

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

var recordStacks = flag.String("recordstacks", "", "make the files of testdata/stacks of what build.sh left in this folder")

// TestRecordStacks makes the dumps of testdata/stacks: see -recordstacks. They hold the
// stacks, and of the system's images what the unwinder reads. Of the libraries they
// hold nothing: their images lie beside.
func TestRecordStacks(t *testing.T) {
	if *recordStacks == "" {
		t.Skip("-recordstacks is not given")
	}
	for _, arch := range stackDumps {
		from := filepath.Join(*recordStacks, arch)
		data, err := os.ReadFile(filepath.Join(from, "run", "stacks.dmp"))
		if errors.Is(err, os.ErrNotExist) {
			t.Logf("no dump of %s", arch)
			continue
		}
		table, err2 := os.ReadFile(filepath.Join(from, "run", "truth.tsv"))
		images, err3 := filepath.Glob(filepath.Join(from, "images", "*"))
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatal(err)
		}
		files := map[string][]byte{"stacks-" + arch + ".tsv": table, "stacks-" + arch + ".dmp.gz": cutStacks(t, data, readTruth(t, string(table)))}
		for _, path := range append(images, filepath.Join(from, "stacks.exe")) {
			if filepath.Ext(path) != ".lib" {
				if files[filepath.Join("images", arch, filepath.Base(path))], err = os.ReadFile(path); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := os.MkdirAll(filepath.Join(stackFolder, "images", arch), 0o777); err != nil {
			t.Fatal(err)
		}
		for name, data := range files {
			if err := os.WriteFile(filepath.Join(stackFolder, name), data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// cutStacks returns the dump with what is needed, packed.
func cutStacks(t *testing.T, data []byte, truths map[uint32]*truth) []byte {
	f := testdump.Bytes(t, data)
	modules, err := f.Modules()
	threads, err2 := f.Threads()
	memory, err3 := f.Memory()
	exception, err4 := f.Exception()
	if err := errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	raw := func(l minidump.Location) []byte { return slices.Clone(data[l.RVA:][:l.DataSize]) }
	d := dumptest.Dump{PointerSize: 8, Exception: &dumptest.Exception{
		ThreadID: exception.ThreadID, ExceptionCode: uint32(exception.ExceptionCode), ExceptionFlags: exception.ExceptionFlags,
		ExceptionAddress: uint64(exception.ExceptionAddress), Parameters: exception.ExceptionInformation, Context: raw(exception.ThreadContext),
	}}
	if f.PointerSize() == 4 {
		d.PointerSize = 4
	}
	own := map[minidump.VA]bool{} // the bases of the libraries
	for _, m := range modules {
		d.Modules = append(d.Modules, dumptest.Module{Base: uint64(m.BaseOfImage), Size: m.SizeOfImage, TimeDateStamp: m.TimeDateStamp, CheckSum: m.CheckSum, Name: m.ModuleName})
		own[m.BaseOfImage] = strings.HasPrefix(m.ModuleName, `C:\app\`) && strings.HasSuffix(m.ModuleName, ".dll")
	}
	lines := map[minidump.VA][]byte{}
	r := recorder{memory, lines}
	stacks := ownStacks(t, f, symbol.Options{}, func(u *Unwinder) {
		r := recorder{u.code, lines}
		u.code, u.calls.Code = r, r
	})
	whole := ownScore(truths, stacks)
	t.Logf("in the dump with all memory: %d threads, %d of them whole; %d frames, %d right, %d wrong, %d marked, %d left out\n%s",
		whole.Threads, whole.Whole, whole.Frames, whole.Right, whole.Wrong, whole.Marked, whole.Left, strings.Join(whole.lines, "\n"))
	for _, th := range threads {
		tr := truths[th.ThreadID]
		if tr == nil {
			continue // the thread that wrote the dump has no registers; others are Wine's
		}
		last := tr.frames[len(tr.frames)-1]
		start, size := th.Stack.StartOfMemoryRange, int(last.sp-th.Stack.StartOfMemoryRange)+0x100
		stack := make([]byte, size)
		n, _ := memory.ReadAt(stack, start)
		d.Threads = append(d.Threads, dumptest.Thread{
			ThreadID: th.ThreadID, Teb: uint64(th.Teb), Context: raw(th.ThreadContext),
			Stack: dumptest.MemoryRange{Start: uint64(start), Data: stack[:n]},
		})
	}
	known := symbol.NewModules(modules)
	onStack := map[minidump.VA]bool{}
	for _, tr := range truths {
		for _, f := range tr.frames {
			if m, ok := known.Find(f.pc); ok && !own[m.BaseOfImage] {
				onStack[m.BaseOfImage] = true
				r.keep(f.pc-0x40, 0x240) // without symbols the way to the return is followed
			}
		}
	}
	for _, m := range modules { // what identifies an image, and the names of its functions
		r.keep(m.BaseOfImage, 0x1000)
		if header := peHeader(memory, m.BaseOfImage); header != nil {
			at := 0x78 // of the data directory, whose first entry are the exports
			if d.PointerSize == 8 {
				at = 0x88
			}
			if onStack[m.BaseOfImage] {
				r.keep(m.BaseOfImage+minidump.VA(binary.LittleEndian.Uint32(header[at:])), int(binary.LittleEndian.Uint32(header[at+4:])))
			}
		}
	}
	for at, line := range lines {
		m, ok := known.Find(at)
		if ok && !own[m.BaseOfImage] && len(line) > 0 {
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
	return out.Bytes()
}

// peHeader returns the headers of an image from "PE" on; nil if they are not there.
func peHeader(memory *minidump.Memory, base minidump.VA) []byte {
	page := make([]byte, 0x1000)
	if n, _ := memory.ReadAt(page, base); n < len(page) {
		return nil
	}
	at := binary.LittleEndian.Uint32(page[0x3c:])
	if at > 0x800 {
		return nil
	}
	return page[at:]
}
