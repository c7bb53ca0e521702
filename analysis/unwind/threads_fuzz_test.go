package unwind_test

import (
	"bytes"
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/unwind"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// FuzzThreads unwinds all threads of damaged dumps: soon, twice the same, each stack
// with a reason for its end or an error, and with its registers as the first frame
// alone.
func FuzzThreads(f *testing.F) {
	f.Add(twoFrames().Bytes())
	for _, arch := range []struct {
		number  uint16
		context []byte
	}{
		{dumptest.ArchAMD64, dumptest.ContextAMD64(0x401020, 0x9000, 0x9010)},
		{dumptest.ArchARM64, dumptest.ContextARM64(0x401020, 0x9000, 0x9010, 0x401030)},
	} {
		d := twoFrames()
		d.PointerSize, d.SystemInfo = 8, &dumptest.SystemInfo{ProcessorArchitecture: &arch.number}
		d.Threads[0].Context = arch.context
		d.Exception = &dumptest.Exception{ThreadID: 7, ExceptionCode: 0xc0000005, Context: arch.context}
		f.Add(d.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		begin := time.Now()
		stacks := allStacks(t, file)
		if d := time.Since(begin); d > 10*time.Second {
			t.Fatalf("%d bytes took %s", len(data), d)
		}
		if again := allStacks(t, file); !reflect.DeepEqual(stacks, again) {
			t.Fatalf("two answers: %+v, %+v", stacks, again)
		}
		for _, s := range stacks {
			if s.Err == nil && s.Stop == "" {
				t.Fatalf("no reason for the end of %+v", s)
			}
			for i, frame := range s.Frames {
				if (frame.Trust == unwind.TrustContext) != (i == 0) {
					t.Fatalf("frame %d by %q of %+v", i, frame.Trust, s)
				}
			}
		}
	})
}

// allStacks unwinds all threads, as far as the dump can be read.
func allStacks(t *testing.T, f *minidump.File) []unwind.ThreadStack {
	session, _ := symbol.NewResolver(f, symbol.Options{Offline: true})
	if session == nil {
		return nil
	}
	defer session.Close()
	code := session.Code(context.Background())
	u, err := unwind.New(f, session, code)
	if err != nil {
		return nil
	}
	threads, _ := f.Threads()
	exception, _ := f.Exception()
	indexes := make([]int, min(len(threads), 50))
	for i := range indexes {
		indexes[i] = i
	}
	stacks, err := u.Threads(t.Context(), f, threads, exception, indexes)
	if err != nil {
		t.Fatal(err)
	}
	return stacks
}
