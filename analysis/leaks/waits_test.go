package leaks_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// waiting is a dump of two threads that wait for Mutants, each of which the thread
// of the same number owns.
func waiting(first, second uint64) shot {
	d := dumptest.Dump{
		TimeDateStamp: epoch, MiscInfo: &dumptest.MiscInfo{ProcessID: 9, ProcessCreateTime: epoch - 60},
		HandleData: &dumptest.HandleData{},
	}
	for i, handle := range []uint64{first, second} {
		r := dumptest.Registers{PC: 0x77001014}
		r.R[1] = handle
		owner := dumptest.MutantOwner{ProcessID: 9, ThreadID: uint64(i + 1)}
		d.Threads = append(d.Threads, dumptest.Thread{ThreadID: uint32(i + 1), Context: r.AMD64()})
		d.HandleData.Handles = append(d.HandleData.Handles, dumptest.Handle{
			Value: uint64(0x10 * (i + 1)), Type: "Mutant", Info: []dumptest.ObjectInformation{owner, dumptest.MutantInformation{}},
		})
	}
	return shot{"a.dmp", d.Bytes()}
}

func TestDeadlock(t *testing.T) {
	options := leaks.Options{Resolver: func(*minidump.File) (leaks.ResolveCloser, error) {
		return &resolver{location: symbol.Location{Module: "ntdll", Function: "NtWaitForSingleObject"}}, nil
	}}
	closed := waiting(0x20, 0x10)
	r := judge(t, []shot{closed}, options)
	f := find(t, r, "deadlock")
	const sentence = "a deadlock, unless one of the waits has a timeout: thread 1 waits for Mutant 0x20, which thread 2 owns; " +
		"thread 2 waits for Mutant 0x10, which thread 1 owns"
	if f.Severity != leaks.SeverityInfo || f.Sentence != sentence {
		t.Errorf("%s: %s", f.Severity, f.Sentence)
	}
	if d := cmp.Diff([]string{"dumpscan", "stacks", "a.dmp", "--all"}, f.Next.Args); d != "" {
		t.Error(d)
	}
	if !strings.Contains(f.Evidence[0], "(rcx)") {
		t.Errorf("evidence %q", f.Evidence)
	}
	if !strings.HasPrefix(r.Verdict.Sentence, "No handle leak found") {
		t.Errorf("a deadlock is no leak, but the verdict is %q", r.Verdict.Sentence)
	}
	for _, c := range []struct {
		name string
		shot shot
		o    leaks.Options
	}{
		{"a chain that is open", waiting(0x20, 0x99), options},
		{"no names of functions", closed, leaks.Options{}},
	} {
		for _, f := range judge(t, []shot{c.shot}, c.o).Findings {
			if f.Rule == "deadlock" {
				t.Errorf("%s: %s", c.name, f.Sentence)
			}
		}
	}
}
