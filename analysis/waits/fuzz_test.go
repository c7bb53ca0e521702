package waits

import (
	"bytes"
	"context"
	"reflect"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// waiters names all addresses by a function that waits, so that damaged registers
// lead into the code too.
type waiters struct{}

func (waiters) Resolve(_ context.Context, addrs []minidump.VA) (symbol.Names, error) {
	names := symbol.Names{}
	for _, a := range addrs {
		function := []string{"NtWaitForSingleObject", "NtWaitForMultipleObjects", "NtSignalAndWaitForSingleObject", "KiFastSystemCallRet"}[a>>12&3]
		names[a] = symbol.Location{Module: "ntdll", Function: function}
	}
	return names, nil
}

// FuzzRead reads damaged dumps: twice the same, each wait of a thread that is
// there and with objects, each chain joined by them.
func FuzzRead(f *testing.F) {
	memory := numbers(array, 8, 0x24, 0x10, 0x14)
	f.Add(with(dumpOf(8, dumptest.ArchAMD64, amd64(0x1000, 0x10, 0), amd64(0x1000, 0x14, 0), amd64(0x2000, 3, array)), memory).Bytes())
	f.Add(with(dumpOf(4, dumptest.ArchX86, x86(0x3000, 0x9000), x86(0x1000, 0x9000)), numbers(0x9000, 4, 0x1000, 0x401000, 0x10)).Bytes())
	f.Add(with(dumpOf(8, dumptest.ArchARM64, arm64(0x1000, 2, array)), memory).Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		w, _ := Read(t.Context(), file, waiters{}, nil)
		if again, _ := Read(t.Context(), file, waiters{}, nil); !reflect.DeepEqual(w, again) {
			t.Fatalf("two answers: %+v, %+v", w, again)
		}
		if w == nil {
			t.Fatal("no answer, although nothing was canceled")
		}
		threads, _ := file.Threads()
		for i := range w.Waits {
			w := &w.Waits[i]
			if w.Index >= len(threads) || threads[w.Index].ThreadID != w.ThreadID || len(w.Objects) == 0 || len(w.Objects) > maxObjects {
				t.Fatalf("the wait %+v of %d threads", w, len(threads))
			}
		}
		for _, c := range w.Chains {
			for i, w := range c.Waits {
				next := c.Waits[(i+1)%len(c.Waits)].ThreadID
				if (i+1 < len(c.Waits) || c.Closed) && w.Objects[0].Thread != next {
					t.Fatalf("the chain %s, closed %t", c, c.Closed)
				}
			}
		}
	})
}
