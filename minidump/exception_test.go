package minidump_test

import (
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestException(t *testing.T) {
	written := dumptest.Exception{
		ThreadID: 7, ExceptionCode: 0xc0000005, ExceptionFlags: 1, ExceptionRecord: 0x12f000, ExceptionAddress: 0xffffffff80401234,
		Parameters: []uint64{1, 0x45}, Context: []byte("registers"),
	}
	want := &minidump.Exception{
		ThreadID: 7, ExceptionCode: minidump.StatusAccessViolation, ExceptionFlags: 1, ExceptionRecord: 0x12f000, ExceptionAddress: 0xffffffff80401234,
		NumberParameters: 2, ExceptionInformation: []uint64{1, 0x45},
	}
	all := make([]uint64, 15)
	for i := range all {
		all[i] = uint64(i + 1)
	}
	for _, tt := range []struct {
		name   string
		ptr    int
		change func(d *dumptest.Dump, want *minidump.Exception)
	}{
		{"64 bits", 8, func(*dumptest.Dump, *minidump.Exception) {}},
		{"32 bits", 4, func(_ *dumptest.Dump, e *minidump.Exception) { e.ExceptionAddress = 0x80401234 }},
		{"no parameters", 8, func(d *dumptest.Dump, e *minidump.Exception) {
			d.Exception.Parameters = nil
			e.NumberParameters, e.ExceptionInformation = 0, nil
		}},
		{"all parameters", 8, func(d *dumptest.Dump, e *minidump.Exception) {
			d.Exception.Parameters = all
			e.NumberParameters, e.ExceptionInformation = 15, all
		}},
		{"more parameters than there is room for", 8, func(d *dumptest.Dump, e *minidump.Exception) {
			d.Exception.Parameters = all
			d.Patches = []dumptest.Patch{dumptest.PutU32("Exception", 32, 0xffffffff)}
			e.NumberParameters, e.ExceptionInformation = 0xffffffff, all
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			copied, want := written, *want
			d := dumptest.Dump{PointerSize: tt.ptr, Exception: &copied}
			tt.change(&d, &want)
			f := build(t, d)
			got, err := f.Exception()
			if err != nil {
				t.Fatal(err)
			}
			r, err := f.Section(got.ThreadContext)
			if err != nil {
				t.Fatal(err)
			}
			if context, err := io.ReadAll(r); string(context) != "registers" || err != nil {
				t.Errorf("context %q, %v", context, err)
			}
			got.ThreadContext = minidump.Location{}
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, err := build(t, dumptest.Dump{}).Exception(); !errors.Is(err, minidump.ErrNoStream) {
		t.Errorf("without an exception: %v", err)
	}
	d := dumptest.Dump{Exception: &written}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	d.TruncateAt = layout["Exception"] + 167
	e, err := build(t, d).Exception()
	var format *minidump.FormatError
	if e != nil || !errors.As(err, &format) || format.Stream != minidump.ExceptionStream || format.Off != layout["Exception"]+164 {
		t.Errorf("cut off: %+v, %v", e, err)
	}
}

func TestExceptionNames(t *testing.T) {
	for _, tt := range []struct {
		code     minidump.ExceptionCode
		platform minidump.PlatformID
		want     string
	}{
		{0xc0000005, minidump.PlatformWindowsNT, "STATUS_ACCESS_VIOLATION"},
		{minidump.StatusInvalidHandle, minidump.PlatformWindowsNT, "STATUS_INVALID_HANDLE"},
		{0x80000003, minidump.PlatformWindowsNT, "STATUS_BREAKPOINT"},
		{0x80000004, minidump.PlatformWindowsNT, "STATUS_SINGLE_STEP"},
		{0xc00000fd, minidump.PlatformWindowsNT, "STATUS_STACK_OVERFLOW"},
		{0xc0000374, minidump.PlatformWindowsNT, "STATUS_HEAP_CORRUPTION"},
		{0xc0000409, minidump.PlatformWindowsNT, "STATUS_STACK_BUFFER_OVERRUN"},
		{0xc0000420, minidump.PlatformWindowsNT, "STATUS_ASSERTION_FAILURE"},
		{0xe06d7363, minidump.PlatformWindowsNT, "C++ exception"},
		{0xe0434352, minidump.PlatformWindowsNT, "CLR exception"},
		{0x406d1388, minidump.PlatformWindowsNT, "SetThreadName"},
		{0xdeadbea7, minidump.PlatformWindowsNT, "0xdeadbea7"},
		{11, minidump.PlatformWindowsNT, "0xb"},
		{1, minidump.PlatformLinux, "SIGHUP"},
		{11, minidump.PlatformLinux, "SIGSEGV"},
		{6, minidump.PlatformAndroid, "SIGABRT"},
		{31, minidump.PlatformLinux, "SIGSYS"},
		{32, minidump.PlatformLinux, "0x20"},
		{0, minidump.PlatformLinux, "0x0"},
		{0xc0000005, minidump.PlatformLinux, "0xc0000005"},
		{1, minidump.PlatformMacOS, "EXC_BAD_ACCESS"},
		{6, minidump.PlatformIOS, "EXC_BREAKPOINT"},
		{13, minidump.PlatformMacOS, "EXC_CORPSE_NOTIFY"},
		{14, minidump.PlatformMacOS, "0xe"},
		{11, 0x8206, "0xb"},
	} {
		if got := tt.code.Name(tt.platform); got != tt.want {
			t.Errorf("%#x on %s: %s, want %s", uint32(tt.code), tt.platform, got, tt.want)
		}
	}
}
