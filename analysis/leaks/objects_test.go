package leaks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// Many handles to one object are found without a name for it.
func TestOneObjectWithoutName(t *testing.T) {
	event := dumptest.Handle{Type: "Event", GrantedAccess: 0x1f0003}
	for _, c := range []struct {
		name   string
		handle dumptest.Handle
		count  uint32 // the object's handle count
		want   string // in the finding; "" none
	}{
		{"its handle count", event, 601, "the object of each counts 601 handles"},
		{"one handle each", event, 1, ""},
		{"another number of handles", event, 60, ""},
		{"a file", dumptest.Handle{Type: "File", Name: `\Device\Afd`, GrantedAccess: 0x16019f}, 600, "the object of each counts 600 handles"},
		{"a live thread", dumptest.Handle{Type: "Thread", GrantedAccess: 0x1fffff, Info: []dumptest.ObjectInformation{
			dumptest.ThreadInformation{ExitStatus: 0x103, Teb: 0x7ff000, ProcessID: 9, ThreadID: 77}}}, 1, "all are to thread 77 of process 9"},
		{"a process", dumptest.Handle{Type: "Process", GrantedAccess: 0x1fffff, Info: []dumptest.ObjectInformation{
			dumptest.ProcessInformation{ExitStatus: 0x103, ProcessID: 1234}}}, 1, "all are to process 1234"},
	} {
		p := newProcess("a.exe", 1, 1)
		p.start(1)
		c.handle.HandleCount = c.count
		p.open("leak", c.handle, 600)
		p.wait(time.Hour)
		r := findLeaks(t, []shot{p.dump("a.dmp")})
		got := ""
		for _, f := range r.Findings {
			if f.Rule == "same-object" {
				got = f.Sentence + "; " + strings.Join(f.Evidence, "; ")
			}
		}
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Threads of the process itself were not made by CreateProcess.
func TestExitedThreadsOfWhom(t *testing.T) {
	for pid, want := range map[uint64]string{
		7: "threads of the process itself that have exited", 8: "threads of other processes that have exited", 0: "threads that have exited",
	} {
		p := newProcess("a.exe", 7, 1)
		p.start(1)
		h := exitedThread
		h.Info = []dumptest.ObjectInformation{dumptest.ThreadInformation{ProcessID: pid}}
		for i := range 300 {
			h.Info = []dumptest.ObjectInformation{dumptest.ThreadInformation{ProcessID: pid, ThreadID: uint64(4 * i)}}
			p.open("leak", h, 1)
		}
		f := find(t, findLeaks(t, []shot{p.dump("a.dmp")}), "exited-threads")
		if !strings.HasSuffix(f.Sentence, want) || (f.Known != nil) != (pid == 8) {
			t.Errorf("process %d: %s, known %v", pid, f.Sentence, f.Known)
		}
	}
}

// Far too many handles of many types deserve a remark.
func TestManyHandles(t *testing.T) {
	p := newProcess("a.exe", 1, 1)
	p.start(1)
	for _, h := range []dumptest.Handle{plainKey, autoEvent, section, semaphore, {Type: "Mutant", GrantedAccess: 1}} {
		p.open("many", h, 6000)
	}
	f := find(t, findLeaks(t, []shot{p.dump("a.dmp")}), "many-handles")
	if f.Severity != leaks.SeverityInfo || len(f.Evidence) < 4 {
		t.Errorf("%s %q", f.Sentence, f.Evidence)
	}
}
