package analysis

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestDescribe(t *testing.T) {
	crashpad := dumptest.RawStream{Type: 0x43500001, Data: make([]byte, 64)}
	key := []dumptest.Handle{{Value: 4, Type: "Key", GrantedAccess: 1}}
	named := []dumptest.Handle{{Value: 4, Type: "Key", Name: "x", GrantedAccess: 1}}
	type answers struct{ Writer, Handles, Traces, Memory string }
	tests := []struct {
		name string
		dump dumptest.Dump
		want answers // the beginning of each answer
	}{
		{"dbghelp with everything", dumptest.Dump{
			HandleData:       &dumptest.HandleData{Handles: named},
			HandleOperations: &dumptest.HandleOperationList{Operations: []dumptest.HandleOperation{{Handle: 4, Type: dumptest.OperationOpen}}},
			Memory64:         []dumptest.MemoryRange{{Start: 0x10000, Data: []byte("x")}},
		}, answers{"dbghelp", "true 1 handles, with names and object information", "true 1 operations", "true 1 bytes in 1 ranges"}},
		{"dbghelp without handles", dumptest.Dump{Memory: []dumptest.MemoryRange{{Start: 0x10000, Data: []byte("x")}}},
			answers{"dbghelp", "false the dump was written without MiniDumpWithHandleData; capture with: procdump -ma", "false", "false stacks and selected memory only, 1 bytes"}},
		{"handles that the writer did not save", dumptest.Dump{Flags: dumptest.WithHandleData},
			answers{"dbghelp", "false handle data was asked for (MiniDumpWithHandleData), but the writer saved none", "false", "false the dump holds no memory"}},
		{"no handles in the list", dumptest.Dump{HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{}}},
			answers{"dbghelp", "true the list of handles is there, but empty", "false", "false"}},
		{"crashpad", dumptest.Dump{Version: 0xa793, HandleData: &dumptest.HandleData{Handles: key, Style: dumptest.Crashpad}, Streams: []dumptest.RawStream{crashpad}},
			answers{"crashpad", "true 1 handles, without names (Crashpad never writes names)", "false", "false"}},
		{"breakpad on Linux", dumptest.Dump{
			Version: 0xa793, SystemInfo: &dumptest.SystemInfo{PlatformId: 0x8201},
			Streams: []dumptest.RawStream{{Type: 0x47670009, Data: []byte("maps")}},
		}, answers{"breakpad", "false it is a dump of a process on Linux, where there are no Windows handles", "false", "false"}},
		{"Wine", dumptest.Dump{Version: 0xa793, Streams: []dumptest.RawStream{{Type: 0xfff0, Data: []byte{0, 0, 0, 0}}}},
			answers{"wine", "false the dump was written without handle data; capture with", "false", "false"}},
		{"a writer that nothing tells", dumptest.Dump{Version: 0xa793}, answers{"", "false", "false", "false"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := Describe(testdump.Make(t, tt.dump))
			if len(d.Problems) > 0 {
				t.Errorf("problems %v", d.Problems)
			}
			begin := func(a Answer, want string) string {
				text := "false "
				if a.Can {
					text = "true "
				}
				text += a.Detail
				return text[:min(len(want), len(text))]
			}
			got := answers{d.Writer.Name, begin(d.Handles, tt.want.Handles), begin(d.Traces, tt.want.Traces), begin(d.FullMem, tt.want.Memory)}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestUptime(t *testing.T) {
	for _, tt := range []struct {
		name            string
		dumped, created uint32
		want            time.Duration
	}{
		{"13 minutes", 1327051696, 1327050916, 13 * time.Minute},
		{"a clock that jumped back", 1327050916, 1327051696, 0},
		{"no start", 1327051696, 0, 0},
	} {
		d := dumptest.Dump{TimeDateStamp: tt.dumped, MiscInfo: &dumptest.MiscInfo{ProcessID: 1, ProcessCreateTime: tt.created}}
		if got := DescribeHeader(testdump.Make(t, d)).Uptime; got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestProblemsAreCollected(t *testing.T) {
	d := dumptest.Dump{
		MiscInfo: &dumptest.MiscInfo{}, HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 4, Type: "Key"}}},
		Patches: []dumptest.Patch{dumptest.DeclareCount(dumptest.HandleDataStream, 7), dumptest.PutU32("MiscInfo", 0, 3)},
	}
	got := Describe(testdump.Make(t, d))
	var text []string
	for _, err := range got.Problems {
		text = append(text, err.Error())
	}
	all := strings.Join(text, "\n")
	for _, want := range []string{"MiscInfoStream", "7 handle descriptors of 40 bytes declared"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in %q", want, all)
		}
	}
}

// TestRealWriters tells the writers of dumps that are not in the repository.
func TestRealWriters(t *testing.T) {
	for name, want := range map[string]string{
		"stability-report.dmp": WriterCrashpad, "simple-crashpad.dmp": WriterCrashpad, "tiny-exe-with-cet-xsave.dmp": WriterCrashpad,
		"calc.dmp": WriterDbghelp, "sigsegv.dmp": WriterDbghelp, "tiny-exe-with-cet-xsave-x86.dmp": WriterDbghelp,
		"minidump2.dmp": WriterBreakpad, "linux_null_dereference.dmp": WriterBreakpad,
		"leaky-b.dmp": WriterWine,
	} {
		f, err := minidump.Open(filepath.Join("../../shared/dumps", name))
		if os.IsNotExist(err) {
			t.Skip("no real dumps here")
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := DetectWriter(f); got.Name != want {
			t.Errorf("%s: %+v, want %s", name, got, want)
		}
		f.Close()
	}
}
