package dumptest

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

// objectInfoHandles are the handles of object-info.dmp and object-info-32.dmp,
// as their truth files give them.
func objectInfoHandles(teb, peb uint64) []Handle {
	thread := func(tid uint64, exited bool) ThreadInformation {
		t := ThreadInformation{ProcessID: 19756, ThreadID: tid, AffinityMask: 0xfff}
		if !exited {
			t.ExitStatus, t.Teb, t.Priority, t.BasePriority = 0x103, teb, 15, 15
		}
		return t
	}
	process := ProcessInformation{ExitStatus: 0x103, Peb: peb, AffinityMask: 0xfff, BasePriority: 8, ProcessID: 4660, ParentProcessID: 19756}
	return []Handle{
		{Value: 0x4, Type: "Event", GrantedAccess: 0x1f0003, HandleCount: 2, PointerCount: 65537,
			Info: []ObjectInformation{EventInformation{Set: true}}},
		{Value: 0x8, Type: "Event", Name: `\Sessions\1\BaseNamedObjects\Ready`, GrantedAccess: 0x1f0003, PointerCount: 32769, HandleCount: 2,
			Info: []ObjectInformation{EventInformation{AutoReset: true}}},
		{Value: 0xc, Type: "Key", Name: `\REGISTRY\MACHINE\SOFTWARE\Classes`, GrantedAccess: 0x20019, HandleCount: 2, PointerCount: 65533},
		{Value: 0x10, Type: "WaitCompletionPacket", GrantedAccess: 1, HandleCount: 2, PointerCount: 65538},
		{Value: 0x14, Type: "Thread", GrantedAccess: 0x1fffff, HandleCount: 6, PointerCount: 163798,
			Info: []ObjectInformation{thread(6700, false)}},
		{Value: 0x18, Type: "Thread", GrantedAccess: 0x1fffff, HandleCount: 2, PointerCount: 32768,
			Info: []ObjectInformation{thread(11181, true)}},
		{Value: 0x1c, Type: "Mutant", Name: `\Sessions\1\BaseNamedObjects\SM0:19756:304:WilStaging_02`, GrantedAccess: 0x1f0001, HandleCount: 2, PointerCount: 65527,
			Info: []ObjectInformation{MutantOwner{}, MutantInformation{CurrentCount: 1}}},
		{Value: 0x20, Type: "Mutant", Name: `\BaseNamedObjects\Held`, GrantedAccess: 0x1f0001, HandleCount: 3, PointerCount: 65527,
			Info: []ObjectInformation{MutantOwner{19756, 6700}, MutantInformation{CurrentCount: -1}}},
		{Value: 0x24, Type: "Semaphore", GrantedAccess: 0x1f0003, HandleCount: 2, PointerCount: 32771,
			Info: []ObjectInformation{SemaphoreInformation{3, 0x7fffffff}}},
		{Value: 0x28, Type: "Section", Name: `\Windows\Theme1`, GrantedAccess: 0xf0007, HandleCount: 3, PointerCount: 98306,
			Info: []ObjectInformation{SectionInformation{AllocationAttributes: 0x8000000, MaximumSize: 0x4000}}},
		{Value: 0x2c, Type: "Process", GrantedAccess: 0x1fffff, HandleCount: 17, PointerCount: 520448,
			Info: []ObjectInformation{ProcessExtended{process, 2}, process}},
		{Value: 0x30, Type: "Event", GrantedAccess: 0x100000, HandleCount: 18, PointerCount: 65553},
		{Value: 0x34},
		{Value: 0x38, Type: "Directory", Name: `\KnownDlls`, Attributes: 0x10, GrantedAccess: 3, HandleCount: 329, PointerCount: 10762533},
		{Value: 0x3c, Type: "Gadget", GrantedAccess: 0xf0003, HandleCount: 2, PointerCount: 3,
			Info: []ObjectInformation{RawInformation{99, []byte{1, 2, 3}}, EventInformation{AutoReset: true, Set: true}}},
	}
}

// TestAgreesWithForeignWriter rebuilds the handle data of dumps that another
// program wrote in dbgcore's layout, byte for byte but for the padding.
func TestAgreesWithForeignWriter(t *testing.T) {
	for _, tt := range []struct {
		file     string
		ptr      int
		teb, peb uint64
	}{
		{"object-info-32.dmp", 4, 0x7ffde000, 0x7ff5000},
		{"object-info.dmp", 8, 0x58a7b00000, 0x7ff5000},
	} {
		t.Run(tt.file, func(t *testing.T) {
			file, err := os.ReadFile("../../../shared/dumps/" + tt.file)
			if errors.Is(err, fs.ErrNotExist) {
				t.Skipf("%v: it is not part of the repository", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			build := func(padding byte) ([]byte, int64) {
				d := Dump{NoSystemInfo: true, PointerSize: tt.ptr, Skew: 1, Padding: padding,
					// Seven entries beside ours put the first string where it is there.
					Directory:  Directory{Unused: 7},
					HandleData: &HandleData{Handles: objectInfoHandles(tt.teb, tt.peb)}}
				layout, err := d.Layout()
				if err != nil {
					t.Fatal(err)
				}
				return d.Bytes(), layout["HandleData[0].TypeName"]
			}
			got, start := build(0)
			other, _ := build(0xff)
			want := file[:len(got)]
			for i := range got {
				if got[i] != other[i] { // padding
					got[i] = want[i]
				}
			}
			equal(t, got[start:], want[start:])
		})
	}
}
