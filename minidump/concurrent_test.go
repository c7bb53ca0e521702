package minidump_test

import (
	"bytes"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
)

// TestConcurrent lets eight goroutines read all of one File, and share its
// lists and its memory. Each must get what one alone gets; -race looks at the
// rest.
func TestConcurrent(t *testing.T) {
	d := everything()
	damaged := everything()
	damaged.TruncateAt = int64(len(d.Bytes())) * 3 / 4
	for name, data := range map[string][]byte{"whole": d.Bytes(), "cut off": damaged.Bytes()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := func() *minidump.File {
				f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
				if err != nil {
					t.Fatal(err)
				}
				return f
			}
			alone := open()
			want := walkFile(alone) + shareWalk(newShare(alone)) + callAll(alone)
			f := open()
			s := newShare(f)
			var wg sync.WaitGroup
			got := make([]string, 8)
			for i := range got {
				wg.Go(func() {
					for range 3 {
						got[i] = walkFile(f) + shareWalk(s) + callAll(f)
					}
				})
			}
			wg.Wait()
			for i := range got {
				if diff := cmp.Diff(want, got[i]); diff != "" {
					t.Errorf("goroutine %d (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

// A share is what several goroutines read at a time.
type share struct {
	handles    *minidump.HandleData
	operations *minidump.HandleOperationList
	regions    *minidump.MemoryInfoList
	tables     *minidump.FunctionTables
	memory     *minidump.Memory
}

// newShare leaves what the dump lacks nil.
func newShare(f *minidump.File) (s share) {
	s.handles, _ = f.HandleData()
	s.operations, _ = f.HandleOperations()
	s.regions, _ = f.MemoryInfos()
	s.tables, _ = f.FunctionTables()
	s.memory, _ = f.Memory()
	return s
}

func shareWalk(s share) string {
	var out bytes.Buffer
	if s.handles != nil {
		for h, err := range s.handles.All() {
			fmt.Fprintf(&out, "%+v %v\n", *h, err)
		}
		for h, err := range s.handles.Range(1, 2, minidump.HandleAllParts) {
			fmt.Fprintf(&out, "%+v %v\n", *h, err)
		}
	}
	if s.operations != nil {
		for op, err := range s.operations.All() {
			fmt.Fprintln(&out, op.Handle, op.Frames(), err)
		}
	}
	if s.regions != nil {
		for r, err := range s.regions.All() {
			fmt.Fprintf(&out, "%+v %v\n", *r, err)
		}
	}
	if s.tables != nil {
		for table, err := range s.tables.All() {
			fmt.Fprintln(&out, table.MinimumAddress, table.EntryCount, s.tables.Find(table.MinimumAddress) != nil, err)
		}
	}
	if s.memory != nil {
		p := make([]byte, 16)
		for _, r := range s.memory.Ranges() {
			n, err := s.memory.ReadAt(p, r.Start)
			fmt.Fprintf(&out, "%q %v %v\n", p[:n], err, s.memory.Contains(r.Start))
			n, err = s.memory.Reader(r.Start, r.Size).ReadAt(p, 1)
			fmt.Fprintf(&out, "%q %v\n", p[:n], err)
		}
	}
	return out.String()
}

// callAll calls every method of a File that takes nothing, so that new ones are
// tested too, and says how many gave an error.
func callAll(f *minidump.File) string {
	v, calls, failed := reflect.ValueOf(f), 0, 0
	for i := range v.NumMethod() {
		if v.Type().Method(i).Name == "Close" || v.Method(i).Type().NumIn() > 0 {
			continue
		}
		calls++
		results := v.Method(i).Call(nil)
		if err, ok := results[len(results)-1].Interface().(error); ok && err != nil {
			failed++
		}
	}
	return fmt.Sprintf("%d calls, %d errors\n", calls, failed)
}
