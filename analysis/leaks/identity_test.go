package leaks_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// jobs is a process with full memory and an event for each of n jobs: objects
// with the number and the name of the job, at one place for each value. Of these, the first
// ones are new in each dump, and have their values from those before; a few more
// have values of their own.
func jobs(dump, n, pool int) shot {
	const base, heap = 0x140000000, 0x1f010000000
	d := dumptest.Dump{
		TimeDateStamp: uint32(1700000000 + 3600*dump),
		Flags:         dumptest.WithFullMemory | dumptest.WithHandleData,
		MiscInfo:      &dumptest.MiscInfo{ProcessID: 7, ProcessCreateTime: 1699990000},
		HandleData:    &dumptest.HandleData{},
		Modules:       []dumptest.Module{{Base: base, Size: 0x1000, Name: `C:\app\app.exe`}},
	}
	memory := make([]byte, 0x30000)
	put := func(at int, v uint64) { binary.LittleEndian.PutUint64(memory[at:], v) }
	for i := range n + pool/16 {
		v := uint64(0x40 + 8*(i*7%1000))
		if i >= n {
			v = uint64(0x4000 + 8*(100*dump+i-n))
		}
		d.HandleData.Handles = append(d.HandleData.Handles, dumptest.Handle{Value: v, Type: "Event"})
		job := 50_000 + 13*i + i*i%11
		if i < pool || i >= n {
			job = 100_000*dump + 17*i + i*i%7
		}
		if i >= n {
			i += 1000 - n // in the same places
		}
		at := 96*i + 16*(i%3)
		put(at, base+0x400)
		put(at+8, uint64(job))
		put(at+16, v)
		put(at+24, heap+0x20000+uint64(32*i))
		copy(memory[0x20000+32*i:], fmt.Sprintf("job %d", job))
	}
	d.Memory64 = []dumptest.MemoryRange{{Start: heap, Data: memory}}
	return shot{fmt.Sprintf("%d.dmp", dump), d.Bytes()}
}

// What stays is called the same only where its holders show it, and so are those
// that were replaced; and the handles of a pool that are replaced without a trace
// count as coming and going.
func TestHeld(t *testing.T) {
	for _, test := range []struct {
		name     string
		pool     int
		counts   []int
		want     []string // of the evidence
		without  leaks.Severity
		severity leaks.Severity
	}{
		{"a leak", 0, []int{100, 200, 300, 400}, []string{
			"of 100 values that are new in 2.dmp, 100 are in all dumps since: 100 are the same handle, by what holds them",
			"of 200 values in 2.dmp and 4.dmp, 200 are the same handle, by what holds them",
		}, leaks.SeverityLeak, leaks.SeverityLeak},
		{"a leak beside a pool", 100, []int{200, 300, 400, 500}, []string{
			"of 106 values that are new in 2.dmp, 100 are in all dumps since: 100 are the same handle, by what holds them",
			"of 300 values in 2.dmp and 4.dmp, 200 are the same handle and 100 were replaced, by what holds them",
		}, leaks.SeveritySuspect, leaks.SeverityLeak},
		{"a pool that grows by chance", 700, []int{600, 620, 640, 660}, []string{
			"of 620 values in 2.dmp and 4.dmp, 620 were replaced, by what holds them",
		}, leaks.SeveritySuspect, leaks.SeverityInfo},
		{"two dumps", 0, []int{100, 900}, []string{
			"of 100 values in 1.dmp and 2.dmp, 100 are the same handle, by what holds them",
		}, leaks.SeveritySuspect, leaks.SeveritySuspect},
	} {
		var shots []shot
		for i, n := range test.counts {
			shots = append(shots, jobs(i+1, n, test.pool))
		}
		if r := judge(t, shots, leaks.Options{Owners: leaks.HuntNever}); r.Verdict.Severity != test.without {
			t.Errorf("%s, without holders: %s", test.name, r.Verdict.Sentence)
		}
		r := judge(t, shots, leaks.Options{})
		if r.Verdict.Severity != test.severity {
			t.Errorf("%s: %s", test.name, r.Verdict.Sentence)
		}
		var evidence []string
		for _, f := range r.Findings {
			evidence = append(evidence, f.Evidence...)
		}
		text := strings.Join(evidence, "\n") + "\n"
		for _, want := range test.want {
			if !strings.Contains(text, want+"\n") {
				t.Errorf("%s: %q is not in:\n%s", test.name, want, text)
			}
		}
	}
}
