package leaks

import (
	"testing"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

func TestPoolEnd(t *testing.T) {
	system := func(arch minidump.ProcessorArchitecture, major, minor uint32) *minidump.SystemInfo {
		return &minidump.SystemInfo{ProcessorArchitecture: arch, MajorVersion: major, MinorVersion: minor, PlatformID: minidump.PlatformWindowsNT}
	}
	x86, x64 := minidump.ProcessorX86, minidump.ProcessorAMD64
	machine := &minidump.SystemMemoryInfo{
		BasicInfo:     minidump.SystemBasicInfo{PageSize: 4096, NumberOfPhysicalPages: 1 << 20},
		BasicPerfInfo: minidump.SystemBasicPerfInfo{CommittedPages: 1 << 18, CommitLimit: 3 << 18},
		PerfInfo:      minidump.SystemPerfInfo{NonPagedPoolPages: 1 << 17},
	}
	const limit2003 = "the charge for paged pool grows by 100 MiB an hour; if that goes on, it reaches the 530 MiB that a 32-bit Windows of this version has at most for the paged pool in 4 h 18 min, or sooner, as others use it too"
	for _, tt := range []struct {
		name            string
		system          *minidump.SystemInfo
		wow64           bool
		machine         *minidump.SystemMemoryInfo
		paged, nonpaged [2]uint64 // in two dumps an hour apart, in MiB
		want            string
	}{
		{"Server 2003", system(x86, 5, 2), false, nil, [2]uint64{0, 100}, [2]uint64{}, limit2003},
		{"Server 2003, the pool was in use", system(x86, 5, 2), false, nil, [2]uint64{230, 330}, [2]uint64{},
			"the charge for paged pool grows by 100 MiB an hour; if that goes on, it reaches the 530 MiB that a 32-bit Windows of this version has at most for the paged pool in 2 h, or sooner, as others use it too"},
		{"the nonpaged pool ends sooner", system(x86, 5, 1), false, nil, [2]uint64{0, 10}, [2]uint64{0, 128},
			"the charge for nonpaged pool grows by 128 MiB an hour; if that goes on, it reaches the 256 MiB that a 32-bit Windows of this version has at most for the nonpaged pool in 1 h, or sooner, as others use it too"},
		{"Windows 7, 32-bit", system(x86, 6, 1), false, nil, [2]uint64{0, 512}, [2]uint64{},
			"the charge for paged pool grows by 512 MiB an hour; if that goes on, it reaches the 2.0 GiB that a 32-bit Windows of this version has at most for the paged pool in 3 h, or sooner, as others use it too"},
		{"a 32-bit process of a 64-bit system", system(x86, 6, 1), true, nil, [2]uint64{0, 512}, [2]uint64{}, ""},
		{"64-bit, nothing about the machine", system(x64, 10, 0), false, nil, [2]uint64{0, 512}, [2]uint64{}, ""},
		{"64-bit, paged", system(x64, 10, 0), false, machine, [2]uint64{0, 1024}, [2]uint64{},
			"the charge for paged pool grows by 1.0 GiB an hour; if that goes on, the commit limit of the machine, towards which it counts and of which 2.0 GiB are left, is reached in 2 h, or sooner, as others use it too"},
		{"64-bit, nonpaged", system(x64, 10, 0), false, machine, [2]uint64{}, [2]uint64{0, 1024},
			"the charge for nonpaged pool grows by 1.0 GiB an hour; if that goes on, the nonpaged pool of the machine, 512 MiB by now, reaches three quarters of its memory in 2 h 30 min, or sooner, as others use it too"},
		{"no growth", system(x86, 5, 2), false, nil, [2]uint64{100, 100}, [2]uint64{9, 5}, ""},
		{"in more than a year", system(x86, 6, 1), false, nil, [2]uint64{0, 0}, [2]uint64{0, 0}, ""},
		{"Linux", &minidump.SystemInfo{ProcessorArchitecture: x86, PlatformID: minidump.PlatformLinux, MajorVersion: 6}, false, nil, [2]uint64{0, 100}, [2]uint64{}, ""},
	} {
		p := &Process{Series: &analysis.Series{Hours: []float64{0, 1}}}
		for i := range 2 {
			p.Series.Snapshots = append(p.Series.Snapshots, &analysis.Snapshot{
				Info: &analysis.DumpInfo{System: tt.system, WOW64: tt.wow64}, Machine: tt.machine, Time: time.Unix(int64(1000+3600*i), 0),
				Memory: &minidump.ProcessVmCounters{QuotaPagedPoolUsage: tt.paged[i] * mega, QuotaNonPagedPoolUsage: tt.nonpaged[i] * mega},
			})
		}
		got := ""
		if end := p.poolEnd(); end != nil {
			got = end.String()
		}
		if got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}
