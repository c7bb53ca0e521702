package minidump_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestStrings(t *testing.T) {
	for _, tt := range []struct {
		value fmt.Stringer
		want  string
	}{
		{minidump.VA(0x7ff6127dc480), "0x7ff6127dc480"},
		{minidump.HandleDataStream, "HandleDataStream"},
		{minidump.StreamType(0xfff0), "StreamType(0xfff0)"},
		{minidump.Flags(0), "Normal"},
		{minidump.WithFullMemory | minidump.WithHandleData, "WithFullMemory|WithHandleData"},
		{minidump.Flags(1<<25 | 1<<26 | 1<<63), "NoIgnoreInaccessibleMemory|0x8000000004000000"},
		{minidump.Flags(1 << 26), "0x4000000"},
		{minidump.ProcessorAMD64, "AMD64"},
		{minidump.ProcessorArchitecture(0x77), "ProcessorArchitecture(0x77)"},
		{minidump.PlatformWindowsNT, "Windows NT"},
		{minidump.PlatformID(0x77), "PlatformID(0x77)"},
		{minidump.ProductWorkstation, "VER_NT_WORKSTATION"},
		{minidump.ProductDomainController, "VER_NT_DOMAIN_CONTROLLER"},
		{minidump.ProductServer, "VER_NT_SERVER"},
		{minidump.ProductType(0), "ProductType(0)"},
		{minidump.MemCommit, "MEM_COMMIT"},
		{minidump.MemReserve, "MEM_RESERVE"},
		{minidump.MemFree, "MEM_FREE"},
		{minidump.MemoryState(3), "MemoryState(0x3)"},
		{minidump.MemPrivate, "MEM_PRIVATE"},
		{minidump.MemMapped, "MEM_MAPPED"},
		{minidump.MemImage, "MEM_IMAGE"},
		{minidump.MemoryType(0), "MemoryType(0x0)"},
		{minidump.Protection(0), "0"},
		{minidump.PageReadWrite, "PAGE_READWRITE"},
		{minidump.PageExecuteWriteCopy | minidump.PageGuard, "PAGE_EXECUTE_WRITECOPY|PAGE_GUARD"},
		{minidump.Protection(0x7ff), "PAGE_NOACCESS|PAGE_READONLY|PAGE_READWRITE|PAGE_WRITECOPY|PAGE_EXECUTE|PAGE_EXECUTE_READ|" +
			"PAGE_EXECUTE_READWRITE|PAGE_EXECUTE_WRITECOPY|PAGE_GUARD|PAGE_NOCACHE|PAGE_WRITECOMBINE"},
		{minidump.PageReadOnly | minidump.PageTargetsInvalid | 0x20000800, "PAGE_READONLY|PAGE_TARGETS_INVALID|0x20000800"},
		{minidump.NotificationEvent, "NotificationEvent"},
		{minidump.SynchronizationEvent, "SynchronizationEvent"},
		{minidump.EventType(2), "EventType(2)"},
		{minidump.OperationOpen, "OPEN"},
		{minidump.OperationClose, "CLOSE"},
		{minidump.OperationBadRef, "BADREF"},
		{minidump.OperationUnused, "OperationType(0)"},
		{minidump.MiniHandleObjectInformationNone, "MiniHandleObjectInformationNone"},
		{minidump.MiniSemaphoreInformation1, "MiniSemaphoreInformation1"},
		{minidump.MiniSemaphoreInformation1 + 1, "ObjectInfoType(9)"},
		{minidump.CodeViewRSDS, `"RSDS"`},
	} {
		if got := tt.value.String(); got != tt.want {
			t.Errorf("%T: %s, want %s", tt.value, got, tt.want)
		}
	}
}

func TestWritable(t *testing.T) {
	for p, want := range map[minidump.Protection]bool{
		minidump.PageNoAccess: false, minidump.PageReadOnly: false, minidump.PageReadWrite: true, minidump.PageWriteCopy: true,
		minidump.PageExecute: false, minidump.PageExecuteRead: false, minidump.PageExecuteReadWrite: true, minidump.PageExecuteWriteCopy: true,
		minidump.PageReadWrite | minidump.PageGuard: true, minidump.PageGuard: false, 0: false,
	} {
		if p.Writable() != want {
			t.Errorf("%s: Writable() = %v", p, !want)
		}
	}
}

func TestEvents(t *testing.T) {
	for _, tt := range []struct {
		event            minidump.EventInformation
		manual, signaled bool
	}{
		{minidump.EventInformation{}, true, false},
		{minidump.EventInformation{EventType: minidump.SynchronizationEvent, EventState: 1}, false, true},
		{minidump.EventInformation{EventType: 2, EventState: -1}, false, true},
	} {
		if tt.event.ManualReset() != tt.manual || tt.event.Signaled() != tt.signaled {
			t.Errorf("%+v: manual reset %v, signaled %v", tt.event, tt.event.ManualReset(), tt.event.Signaled())
		}
	}
}

// TestOpen wants the path, once, in every error, and the cause for errors.Is.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	data := dumptest.Dump{MiscInfo: &dumptest.MiscInfo{ProcessID: 4242}}.Bytes()
	good := write("good.dmp", data)
	for _, tt := range []struct {
		path string
		want error
		text string
	}{
		{filepath.Join(dir, "absent.dmp"), fs.ErrNotExist, ""},
		{dir, nil, "not a regular file"},
		{write("packed.dmp.gz", []byte("\x1f\x8b\x08")), minidump.ErrNotMinidump, "unpack it first, or open it with package minidump/dumpfile"},
		{write("cut.dmp", data[:31]), nil, "the file ends inside the header, after 31 of 32 bytes"},
	} {
		f, err := minidump.Open(tt.path)
		var path *fs.PathError
		if f != nil || !errors.As(err, &path) || path.Path != tt.path || path.Op != "open" || strings.Count(err.Error(), tt.path) != 1 {
			t.Errorf("%s: %v, %v", tt.path, f, err)
		}
		if tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v, want %v and %q", tt.path, err, tt.want, tt.text)
		}
	}
	f, err := minidump.Open(good)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := f.MiscInfo(); err != nil || m.ProcessID != 4242 || f.Size() != int64(len(data)) {
		t.Errorf("%+v, %v, %d bytes", m, err, f.Size())
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.MiscInfo(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if f, err := minidump.NewFile(strings.NewReader(string(data)), int64(len(data))); err != nil || f.Close() != nil {
		t.Errorf("Close after NewFile: %v", err)
	}
}
