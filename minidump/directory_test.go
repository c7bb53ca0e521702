package minidump_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// readers call the method that decodes each type of stream.
var readers = map[minidump.StreamType]func(f *minidump.File) error{
	minidump.ThreadListStream:         func(f *minidump.File) error { _, err := f.Threads(); return err },
	minidump.ModuleListStream:         func(f *minidump.File) error { _, err := f.Modules(); return err },
	minidump.MemoryListStream:         func(f *minidump.File) error { _, err := f.Memory(); return err },
	minidump.ExceptionStream:          func(f *minidump.File) error { _, err := f.Exception(); return err },
	minidump.SystemInfoStream:         func(f *minidump.File) error { _, err := f.SystemInfo(); return err },
	minidump.Memory64ListStream:       func(f *minidump.File) error { _, err := f.Memory(); return err },
	minidump.HandleDataStream:         func(f *minidump.File) error { _, err := f.HandleData(); return err },
	minidump.UnloadedModuleListStream: func(f *minidump.File) error { _, err := f.UnloadedModules(); return err },
	minidump.MiscInfoStream:           func(f *minidump.File) error { _, err := f.MiscInfo(); return err },
	minidump.MemoryInfoListStream:     func(f *minidump.File) error { _, err := f.MemoryInfos(); return err },
	minidump.ThreadInfoListStream:     func(f *minidump.File) error { _, err := f.ThreadInfos(); return err },
	minidump.HandleOperationListStream: func(f *minidump.File) error {
		_, err := f.HandleOperations()
		return err
	},
	minidump.ProcessVmCountersStream: func(f *minidump.File) error { _, err := f.ProcessVmCounters(); return err },
	minidump.SystemMemoryInfoStream:  func(f *minidump.File) error { _, err := f.SystemMemoryInfo(); return err },
	minidump.ThreadNamesStream:       func(f *minidump.File) error { _, err := f.ThreadNames(); return err },
	minidump.ThreadExListStream:      func(f *minidump.File) error { _, err := f.ThreadExs(); return err },
	minidump.FunctionTableStream: func(f *minidump.File) error {
		l, err := f.FunctionTables()
		if err == nil {
			_, err = l.Len()
		}
		return err
	},
	minidump.TokenStream:         func(f *minidump.File) error { _, err := f.Tokens(); return err },
	minidump.BreakpadInfoStream:  func(f *minidump.File) error { _, err := f.BreakpadInfo(); return err },
	minidump.AssertionInfoStream: func(f *minidump.File) error { _, err := f.AssertionInfo(); return err },
	minidump.CrashpadInfoStream:  func(f *minidump.File) error { _, err := f.CrashpadInfo(); return err },
}

// everyStream is a dump with one good stream of each type that is read.
func everyStream() dumptest.Dump {
	d := everything()
	d.UnloadedModules = &dumptest.UnloadedModuleList{Modules: []dumptest.UnloadedModule{{Name: "gone.dll"}}}
	return d
}

// leastSizes are how long a stream of each type must be.
var leastSizes = map[minidump.StreamType]uint32{
	minidump.ThreadListStream: 4, minidump.ModuleListStream: 4, minidump.MemoryListStream: 4, minidump.ThreadNamesStream: 4,
	minidump.SystemInfoStream: 32, minidump.ExceptionStream: 168, minidump.Memory64ListStream: 16, minidump.MemoryInfoListStream: 16,
	minidump.HandleDataStream: 12, minidump.UnloadedModuleListStream: 12, minidump.ThreadInfoListStream: 12,
	minidump.HandleOperationListStream: 12, minidump.MiscInfoStream: 24, minidump.ProcessVmCountersStream: 80,
	minidump.SystemMemoryInfoStream: 492, minidump.ThreadExListStream: 4, minidump.FunctionTableStream: 24, minidump.TokenStream: 16,
	minidump.BreakpadInfoStream: 12, minidump.AssertionInfoStream: 776, minidump.CrashpadInfoStream: 52,
}

// TestSeveralStreams puts streams that cannot be used in front of a good one of
// the same type, for every type.
func TestSeveralStreams(t *testing.T) {
	end := uint32(len(everyStream().Bytes()))
	for typ, read := range readers {
		bad := map[string]dumptest.DirectoryEntry{
			"empty":              {RVA: 40},
			"too short":          {RVA: 40, DataSize: leastSizes[typ] - 1},
			"inside the header":  {RVA: 31, DataSize: 0x1000},
			"behind the file":    {RVA: 0x01000000, DataSize: 0x1000},
			"at the end of file": {RVA: end + 24, DataSize: 0x1000}, // with two entries more
		}
		for name, entry := range bad {
			entry.Type = dumptest.StreamType(typ)
			t.Run(typ.String()+", "+name, func(t *testing.T) {
				d := everyStream()
				d.Directory.Leading = []dumptest.DirectoryEntry{entry}
				d.Directory.Trailing = []dumptest.DirectoryEntry{entry}
				f := build(t, d)
				if err := read(f); err != nil {
					t.Errorf("with a good one: %v", err)
				}
				if !f.Has(typ) {
					t.Error("Has says no")
				}
				ignored := f.Ignored()
				if len(ignored) != 2 {
					t.Fatalf("ignored: %+v", ignored)
				}
				for _, s := range ignored {
					if s.StreamType != typ || s.RVA != entry.RVA || s.DataSize != entry.DataSize || s.Err == nil {
						t.Errorf("ignored: %+v", s)
					}
					if s.Taken.StreamType != typ || s.Taken.DataSize < leastSizes[typ] || s.Taken.RVA == s.RVA {
						t.Errorf("taken instead: %+v", s.Taken)
					}
				}
			})
		}
	}
}

// TestUnusableStreams are alone of their type.
func TestUnusableStreams(t *testing.T) {
	for typ, read := range readers {
		for _, tt := range []struct {
			rva, size uint32
			want      string // "" means that the stream can be used
		}{
			{40, 0, "0 bytes are too short for "},
			{40, leastSizes[typ] - 1, " bytes are too short for "},
			{31, leastSizes[typ], "starts inside the header"},
			{44, leastSizes[typ], "starts behind the end of the file, which has 44 bytes"},
			{43, leastSizes[typ], "the file ends"},
		} {
			d := dumptest.Dump{NoSystemInfo: true, Directory: dumptest.Directory{
				Leading: []dumptest.DirectoryEntry{{Type: dumptest.StreamType(typ), RVA: tt.rva, DataSize: tt.size}},
			}}
			f := build(t, d)
			err := read(f)
			var format *minidump.FormatError
			switch {
			case tt.rva == 43: // one byte is there: too few, but nothing is wrong with the directory
				if err == nil || strings.Contains(err.Error(), "starts") {
					t.Errorf("%s, one byte: %v", typ, err)
				}
			case !errors.As(err, &format) || !strings.Contains(err.Error(), tt.want) || format.Stream != typ || format.Off != int64(tt.rva):
				t.Errorf("%s at %d with %d bytes: %v, want %q", typ, tt.rva, tt.size, err, tt.want)
			}
			if errors.Is(err, minidump.ErrNoStream) || !f.Has(typ) || len(f.Ignored()) != 0 {
				t.Errorf("%s at %d: %v, Has %v, ignored %v", typ, tt.rva, err, f.Has(typ), f.Ignored())
			}
		}
		if err := read(build(t, dumptest.Dump{NoSystemInfo: true})); !errors.Is(err, minidump.ErrNoStream) {
			t.Errorf("%s is not there: %v", typ, err)
		}
	}
}

// TestStreamsEndWhereTheyEnd cuts the declared size of every stream to each
// possible one. What stands behind is no part of it.
func TestStreamsEndWhereTheyEnd(t *testing.T) {
	t.Parallel()
	data := everyStream().Bytes()
	f := build(t, everyStream())
	dir, err := f.Directory()
	if err != nil {
		t.Fatal(err)
	}
	for i, entry := range dir {
		read, ok := readers[entry.StreamType]
		if !ok {
			continue
		}
		for size := range entry.DataSize {
			if size > 64 && size%11 != 0 { // no header is so long
				continue
			}
			cut := everyStream()
			cut.Patches = []dumptest.Patch{dumptest.ResizeStream(i, size)}
			poisoned := cut.Bytes()
			if len(poisoned) != len(data) {
				t.Fatal("the patch moves things")
			}
			before := walk(poisoned)
			// Everything behind the declared end that belongs to the stream alone.
			for at := entry.RVA + size; at < entry.RVA+entry.DataSize; at++ {
				poisoned[at] ^= 0xa5
			}
			if after := walk(poisoned); before != after {
				t.Fatalf("%s of %d bytes: bytes behind its end are read (-before +after):\n%s", entry.StreamType, size, cmp.Diff(before, after))
			}
			if size < leastSizes[entry.StreamType] {
				c := build(t, cut)
				if read(c) == nil {
					t.Errorf("%s of %d bytes: no error", entry.StreamType, size)
				}
			}
		}
	}
}

// TestSeveralGoodStreams: the first counts, also of types that only Stream reads.
func TestSeveralGoodStreams(t *testing.T) {
	d := dumptest.Dump{NoSystemInfo: true, Streams: []dumptest.RawStream{
		{Type: 0xfff0}, {Type: 0xfff0, Data: []byte("first")}, {Type: 0xfff1}, {Type: 0xfff0, Data: []byte("second")}, {Type: 0xfff1},
	}}
	f := build(t, d)
	r, err := f.Stream(0xfff0)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); string(text) != "first" || err != nil {
		t.Errorf("Stream reads %q, %v", text, err)
	}
	// Nothing says that a stream of an unknown type must not be empty.
	if r, err := f.Stream(0xfff1); err != nil || r.Size() != 0 {
		t.Errorf("an empty stream: %v", err)
	}
	if r, err := f.Stream(0xfff2); r != nil || !errors.Is(err, minidump.ErrNoStream) {
		t.Errorf("no stream: %v, %v", r, err)
	}
	dir, err := f.Directory()
	if err != nil {
		t.Fatal(err)
	}
	want := []minidump.IgnoredStream{
		{DirectoryEntry: dir[0], Taken: dir[1]}, {DirectoryEntry: dir[3], Taken: dir[1]}, {DirectoryEntry: dir[4], Taken: dir[2]},
	}
	got := f.Ignored()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(minidump.IgnoredStream{}, "Err")); diff != "" {
		t.Fatalf("ignored (-want +got):\n%s", diff)
	}
	if got[0].Err == nil || got[1].Err != nil || got[2].Err == nil {
		t.Errorf("ignored because: %v, %v, %v", got[0].Err, got[1].Err, got[2].Err)
	}
}

// TestStreamBehindTheHeader begins at its very end, which is where the directory
// is in this file.
func TestStreamBehindTheHeader(t *testing.T) {
	for rva, usable := range map[uint32]bool{31: false, 32: true} {
		f := build(t, dumptest.Dump{NoSystemInfo: true, Directory: dumptest.Directory{Leading: []dumptest.DirectoryEntry{
			{Type: 0xfff0, RVA: rva, DataSize: 1}, {Type: 0xfff0, RVA: 33, DataSize: 1},
		}}})
		ignored := f.Ignored()
		if len(ignored) != 1 || (ignored[0].RVA == 33) != usable || (ignored[0].Err == nil) != usable {
			t.Errorf("RVA %d: ignored %+v", rva, ignored)
		}
	}
}

// TestCheck compares a stream with the end of the file.
func TestCheck(t *testing.T) {
	d := dumptest.Dump{NoSystemInfo: true, Streams: []dumptest.RawStream{{Type: 0xfff0, Data: []byte("12345")}}}
	for cut, want := range []string{"", "5 bytes declared, but the file ends after 4"} {
		data := d.Bytes()
		data = data[:len(data)-cut]
		f, err := minidump.NewFile(strings.NewReader(string(data)), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		dir, err := f.Directory()
		if err != nil {
			t.Fatal(err)
		}
		err = f.Check(dir[0])
		r, streamErr := f.Stream(0xfff0)
		if want == "" {
			if err != nil || streamErr != nil || r.Size() != 5 {
				t.Errorf("whole: %v, %v, %d bytes", err, streamErr, r.Size())
			}
			continue
		}
		if err == nil || streamErr == nil || !strings.Contains(err.Error(), want) || r.Size() != 4 {
			t.Errorf("cut: %v, %v, %d bytes", err, streamErr, r.Size())
		}
	}
}
