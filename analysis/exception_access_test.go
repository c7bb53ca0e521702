package analysis_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

func TestExceptionMeaning(t *testing.T) {
	const (
		violation = 0xc0000005
		inPage    = 0xc0000006
		fastFail  = 0xc0000409
		linux     = 0x8201
	)
	access := func(kind analysis.AccessKind, address minidump.VA) *analysis.MemoryAccess {
		return &analysis.MemoryAccess{Kind: kind, Address: address}
	}
	for _, tt := range []struct {
		name       string
		platform   uint32
		code       uint32
		parameters []uint64
		access     *analysis.MemoryAccess
		meaning    string
	}{
		{name: "read", code: violation, parameters: []uint64{0, 4}, access: access(analysis.AccessRead, 4), meaning: "attempt to read from address 0x4"},
		{
			name: "write", code: violation, parameters: []uint64{1, 1<<64 - 1},
			access: access(analysis.AccessWrite, 1<<64-1), meaning: "attempt to write to address 0xffffffffffffffff",
		},
		{
			name: "execute", code: violation, parameters: []uint64{8, 0x10},
			access: access(analysis.AccessExecute, 0x10), meaning: "attempt to execute non-executable address 0x10",
		},
		{name: "an unknown access", code: violation, parameters: []uint64{2, 4}},
		{name: "an access without address", code: violation, parameters: []uint64{1}},
		{name: "an access without parameters", code: violation},
		{
			name: "in page", code: inPage, parameters: []uint64{0, 0x2000, 0xc000009a}, access: access(analysis.AccessRead, 0x2000),
			meaning: "attempt to read from address 0x2000, whose page could not be read: STATUS_INSUFFICIENT_RESOURCES",
		},
		{
			name: "in page without status", code: inPage, parameters: []uint64{1, 0x2000}, access: access(analysis.AccessWrite, 0x2000),
			meaning: "attempt to write to address 0x2000",
		},
		{name: "fast fail", code: fastFail, parameters: []uint64{5}, meaning: "subcode 0x5 (FAST_FAIL_INVALID_ARG)"},
		{name: "an unknown fast fail", code: fastFail, parameters: []uint64{0xdead}, meaning: "subcode 0xdead"},
		{name: "fast fail without subcode", code: fastFail},
		{name: "another exception", code: 0xc0000094, parameters: []uint64{0, 4}},
		{name: "Linux", platform: linux, code: 11, parameters: []uint64{0, 4}},
		{name: "Linux, a code that is one of Windows", platform: linux, code: violation, parameters: []uint64{0, 4}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := dumptest.Dump{Exception: &dumptest.Exception{ThreadID: 1, ExceptionCode: tt.code, Parameters: tt.parameters}}
			if tt.platform != 0 {
				d.SystemInfo = &dumptest.SystemInfo{PlatformID: tt.platform, BuildNumber: 1}
			}
			e, err := analysis.ReadException(testdump.Make(t, d), nil)
			if err != nil {
				t.Fatal(err)
			}
			var got *analysis.MemoryAccess
			if a, ok := e.Access(); ok {
				got = &a
			}
			if diff := cmp.Diff(tt.access, got); diff != "" {
				t.Error(diff)
			}
			if m := e.Meaning(); m != tt.meaning {
				t.Errorf("meaning %q, want %q", m, tt.meaning)
			}
		})
	}
}

// record puts an EXCEPTION_RECORD into the scene.
func (s *scene) record(at uint64, code uint32, next, address uint64, parameters ...uint64) {
	s.u32(at, code)
	s.u32(at+4, 1)
	s.ptrs(at+8, next, address, uint64(len(parameters)))
	s.ptrs(at+8+uint64(3*s.pointer), parameters...)
}

func TestNestedExceptions(t *testing.T) {
	const base, outside = 0x10000, 0x20000
	type nested struct {
		Code       minidump.ExceptionCode
		Address    minidump.VA
		Parameters []uint64
	}
	for _, tt := range []struct {
		name  string
		first uint64
		put   func(s *scene)
		want  []nested
		err   error
	}{
		{name: "none"},
		{
			name: "one", first: base, put: func(s *scene) { s.record(base, 0xc0000005, 0, 0x401000, 1, 0x30) },
			want: []nested{{0xc0000005, 0x401000, []uint64{1, 0x30}}},
		},
		{
			name: "a chain", first: base + 0x200,
			put: func(s *scene) {
				s.record(base+0x200, 0xc0000005, base, 0x401000)
				s.record(base, 0xe06d7363, 0, 0x402000, 7)
			},
			want: []nested{{0xc0000005, 0x401000, nil}, {0xe06d7363, 0x402000, []uint64{7}}},
		},
		{
			name: "a cycle", first: base,
			put: func(s *scene) {
				s.record(base, 1, base+0x200, 0x401000)
				s.record(base+0x200, 2, base, 0x402000)
			},
			want: []nested{{1, 0x401000, nil}, {2, 0x402000, nil}},
		},
		{
			name: "itself", first: base, put: func(s *scene) { s.record(base, 1, base, 0x401000) },
			want: []nested{{1, 0x401000, nil}},
		},
		{name: "not captured", first: outside, err: minidump.ErrNotCaptured},
		{
			name: "the second is not captured", first: base, put: func(s *scene) { s.record(base, 1, outside, 0x401000) },
			want: []nested{{1, 0x401000, nil}}, err: minidump.ErrNotCaptured,
		},
		{
			name: "parameters behind the end of memory", first: base + 0x3d8,
			put: func(s *scene) {
				s.u32(base+0x3d8, 5) // room for a record and one parameter of 64 bits, two of 32
				s.ptrs(base+0x3e0, 0, 0x401000)
				s.u32(base+0x3e0+uint64(2*s.pointer), 15)
				s.data = s.data[:0x3d8+8+4*s.pointer]
				s.ptrs(base+0x3e0+uint64(3*s.pointer), 9)
			},
			want: []nested{{5, 0x401000, []uint64{9}}},
		},
		{
			name: "more parameters than there are", first: base,
			put: func(s *scene) {
				s.record(base, 5, 0, 0x401000)
				s.u32(base+8+uint64(2*s.pointer), 0xffffffff)
			},
			want: []nested{{5, 0x401000, make([]uint64, 15)}},
		},
		{
			name: "half a record", first: base + 0x3f8, err: minidump.ErrNotCaptured,
		},
	} {
		for _, pointer := range []int{4, 8} {
			t.Run(tt.name, func(t *testing.T) {
				s := newScene(base, 0x400, pointer)
				if tt.put != nil {
					tt.put(s)
				}
				f := testdump.Make(t, dumptest.Dump{PointerSize: pointer, Memory: []dumptest.MemoryRange{s.memory()}})
				memory, err := f.Memory()
				if err != nil {
					t.Fatal(err)
				}
				list, err := analysis.NestedExceptions(memory, &minidump.Exception{ExceptionRecord: minidump.VA(tt.first)}, pointer)
				if !errors.Is(err, tt.err) || tt.err == nil && err != nil {
					t.Errorf("error %v, want %v", err, tt.err)
				}
				var got []nested
				for _, e := range list {
					got = append(got, nested{e.ExceptionCode, e.ExceptionAddress, e.ExceptionInformation})
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}
