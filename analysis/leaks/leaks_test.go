package leaks_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// find returns the finding of a rule about a group.
func find(t *testing.T, r *leaks.Report, rule string) *leaks.Finding {
	t.Helper()
	for i := range r.Findings {
		if r.Findings[i].Rule == rule {
			return &r.Findings[i]
		}
	}
	t.Fatalf("no finding of %s; %s", rule, r.Verdict.Sentence)
	return nil
}

// Thresholds: one handle less and the verdict changes.
func TestRuleThresholds(t *testing.T) {
	grow := func(h dumptest.Handle, counts ...int) []shot {
		p := newProcess("a.exe", 1, 1)
		p.start(1)
		return p.series(len(counts), time.Hour, func(i int) { p.hold("group", h, counts[i]) })
	}
	other := withAccess(semaphore, 0x100003)
	for _, c := range []struct {
		name  string
		shots []shot
		want  leaks.Severity
	}{
		{"19 in three dumps", grow(other, 0, 10, 19), leaks.SeverityInfo},
		{"20 in three dumps", grow(other, 0, 10, 20), leaks.SeveritySuspect},
		{"49 in three dumps", grow(other, 0, 25, 49), leaks.SeveritySuspect},
		{"50 in three dumps", grow(other, 0, 25, 50), leaks.SeverityLeak},
		{"99 in two dumps", grow(other, 0, 99), leaks.SeverityInfo},
		{"100 in two dumps", grow(other, 0, 100), leaks.SeveritySuspect},
		{"100 in two dumps, less than threefold", grow(other, 60, 160), leaks.SeverityInfo},
		{"1000 in two dumps, less than half as many again", grow(other, 2100, 3100), leaks.SeverityInfo},
		{"1000 in two dumps, half as many again", grow(other, 2000, 3000), leaks.SeveritySuspect},
		{"100 to one object in two dumps", grow(withAccess(classesKey, 1), 60, 160), leaks.SeverityLeak},
		{"one object, one dump", grow(withAccess(classesKey, 1), 199), leaks.SeverityInfo},
		{"one object, one dump, most handles", grow(withAccess(classesKey, 1), 200), leaks.SeveritySuspect},
		{"4979 keys", grow(plainKey, 4976), leaks.SeverityInfo},
		{"5000 keys", grow(plainKey, 4977), leaks.SeveritySuspect}, // 23 more at the start
		{"198 exited threads", grow(exitedThread, 198), leaks.SeverityInfo},
		{"200 exited threads", grow(exitedThread, 199), leaks.SeveritySuspect},
		{"49 dead processes", grow(deadProcess, 49), leaks.SeverityInfo},
		{"50 dead processes", grow(deadProcess, 50), leaks.SeveritySuspect},
	} {
		if r := findLeaks(t, c.shots); r.Verdict.Severity != c.want {
			t.Errorf("%s: %s, want %s: %s", c.name, r.Verdict.Severity, c.want, r.Verdict.Sentence)
		}
	}
}

// A large group is suspicious in one dump, and acquitted by a second one that
// is late enough.
func TestRulesAcquit(t *testing.T) {
	p := newProcess("a.exe", 1, 1)
	p.start(1)
	p.open("keys", plainKey, 20000)
	p.wait(time.Hour)
	one := p.dump("1.dmp")
	p.wait(time.Minute)
	soon := p.dump("2.dmp")
	p.wait(time.Hour)
	late := p.dump("3.dmp")
	for _, c := range []struct {
		shots []shot
		want  leaks.Severity
	}{
		{[]shot{one}, leaks.SeveritySuspect},
		{[]shot{one, late}, leaks.SeverityInfo},
		{[]shot{one, soon, late}, leaks.SeverityInfo},
	} {
		if r := findLeaks(t, c.shots); r.Verdict.Severity != c.want {
			t.Errorf("%d dumps: %s, want %s", len(c.shots), r.Verdict.Sentence, c.want)
		}
	}
}

func TestFieldReport(t *testing.T) {
	r := findLeaks(t, files("w3wp.dmp.gz")(t))
	f := find(t, r, "dominant-type")
	if f.Group.Type != "Key" || f.Group.Last() != 65602 || r.Verdict.Leak {
		t.Errorf("%+v", f)
	}
	if !slices.Contains(f.Evidence, "opened in 13 min: 84.1 a second on average") {
		t.Errorf("evidence %q", f.Evidence)
	}
}

func TestOpener(t *testing.T) {
	r := findLeaks(t, files("leaky/leaky-x64-a.dmp.gz", "leaky/leaky-x64-b.dmp.gz", "leaky/leaky-x64-c.dmp.gz")(t))
	f := find(t, r, "steady-growth")
	o := f.Group.Opener
	if o == nil || o.Culprit.Module != "MyCustomDll" || o.Opens != 700 || o.Traced != 700 || o.Of != 700 || o.AllOpens != 700 {
		t.Errorf("opener %+v", o)
	}
	if !strings.Contains(r.Verdict.Sentence, "opened by MyCustomDll") {
		t.Error(r.Verdict.Sentence)
	}
	// What other rules say of the group is evidence.
	for _, want := range []string{
		`Key \REGISTRY\Machine\Software\Classes: 700 of 865 handles (80.9 %) are to this one object`,
		`Key \REGISTRY\Machine\Software\Classes: MyCustomDll+0x108e opened 700, and 700 are still open, 450 more than in leaky/leaky-x64-b.dmp.gz`,
	} {
		if !slices.Contains(f.Evidence, want) {
			t.Errorf("%q is not among the evidence", want)
		}
	}
}

// traced is a dump of n events that Own.dll opened, and of as many opens and
// closes before as asked for. Every handle was opened by Other.dll before,
// without a close in the trace.
func traced(file string, n, closed int, hour uint32) shot {
	d := dumptest.Dump{
		TimeDateStamp: epoch + 3600*hour,
		MiscInfo:      &dumptest.MiscInfo{ProcessID: 9, ProcessCreateTime: epoch - 60},
		Modules: []dumptest.Module{
			{Base: 0x10000000, Size: 0x10000, Name: `C:\app\app.exe`}, {Base: 0x20000000, Size: 0x10000, Name: `C:\app\Own.dll`},
			{Base: 0x30000000, Size: 0x10000, Name: `C:\app\Other.dll`},
		},
		HandleData:       &dumptest.HandleData{},
		HandleOperations: &dumptest.HandleOperationList{},
	}
	add := func(op uint32, value, frame uint64) {
		d.HandleOperations.Operations = append(d.HandleOperations.Operations,
			dumptest.HandleOperation{Handle: value, ProcessID: 9, ThreadID: 1, Type: op, Stack: []uint64{frame, 0x10001000}})
	}
	for i := range 50 { // from which the order of the operations can be told
		add(dumptest.OperationOpen, uint64(0x100000+4*i), 0x10001000)
		add(dumptest.OperationClose, uint64(0x100000+4*i), 0x10001000)
	}
	for i := range closed {
		add(dumptest.OperationOpen, uint64(0x8000+4*i), 0x20001000)
		add(dumptest.OperationClose, uint64(0x8000+4*i), 0x20001000)
	}
	for i := range n {
		add(dumptest.OperationOpen, uint64(4+4*i), 0x30001000)
	}
	for i := range n {
		h := autoEvent
		h.Value = uint64(4 + 4*i)
		d.HandleData.Handles = append(d.HandleData.Handles, h)
		add(dumptest.OperationOpen, h.Value, 0x20001000)
	}
	return shot{file, d.Bytes()}
}

func TestOutstandingOpens(t *testing.T) {
	for _, c := range []struct {
		name  string
		shots []shot
		want  leaks.Severity
	}{
		{"200 that stay open", []shot{traced("a", 200, 0, 0)}, leaks.SeveritySuspect},
		{"199", []shot{traced("a", 199, 0, 0)}, leaks.SeverityInfo},
		{"one in ten was closed", []shot{traced("a", 200, 22, 0)}, leaks.SeveritySuspect},
		{"more were", []shot{traced("a", 200, 23, 0)}, leaks.SeverityInfo},
		{"few, and 20 more than before", []shot{traced("a", 100, 0, 0), traced("b", 120, 0, 1)}, leaks.SeveritySuspect},
		{"few, and 19 more than before", []shot{traced("a", 101, 0, 0), traced("b", 120, 0, 1)}, leaks.SeverityInfo},
		{"few of which many were closed", []shot{traced("a", 40, 10, 0), traced("b", 120, 20, 1)}, leaks.SeverityInfo},
		{"no growth in three dumps", []shot{traced("a", 200, 0, 0), traced("b", 200, 0, 1), traced("c", 200, 0, 2)}, leaks.SeverityInfo},
	} {
		r := findLeaks(t, c.shots)
		if r.Verdict.Severity != c.want {
			t.Errorf("%s: %s, want %s: %s", c.name, r.Verdict.Severity, c.want, r.Verdict.Sentence)
		}
		if c.want == leaks.SeveritySuspect {
			if f := find(t, r, "outstanding-opens"); f.Group.Opener.Culprit.Module != "Own" {
				t.Errorf("%s: opened by %+v", c.name, f.Group.Opener.Culprit)
			}
		}
	}
}

func TestLimitAndQuota(t *testing.T) {
	p := newProcess("a.exe", 1, 1)
	p.start(1)
	shots := []shot{p.dump("a")}
	n := uint64(len(p.handles))
	for limit, want := range map[uint64]bool{n * 5 / 4: true, n*5/4 + 3: false} {
		r := judge(t, shots, leaks.Options{Limit: limit})
		if got := r.Verdict.Severity == leaks.SeveritySuspect; got != want {
			t.Errorf("%d handles of %d: %s", n, limit, r.Verdict.Sentence)
		}
	}
	f := find(t, findLeaks(t, files("w3wp.dmp.gz")(t)), "pool-quota")
	if f.Severity != leaks.SeverityInfo || !strings.Contains(f.Sentence, "40 MiB of paged") || !strings.Contains(f.Next.Text, "2020") {
		t.Errorf("%+v", f)
	}
}

func TestHolders(t *testing.T) {
	shots := files("leaky/leaky-x64-a.dmp.gz", "leaky/leaky-x64-c-heap.dmp.gz")(t)
	for _, c := range []struct {
		hunt leaks.Hunt
		want int
	}{{leaks.HuntAlways, 1}, {leaks.HuntAuto, 0}, {leaks.HuntNever, 0}} {
		r := judge(t, shots, leaks.Options{Owners: c.hunt})
		holders := find(t, r, "growth").Group.Holders
		if len(holders) != c.want {
			t.Fatalf("%q: %d holders, want %d", c.hunt, len(holders), c.want)
		}
		if c.want > 0 && (holders[0].Module != "MyCustomDll" || holders[0].Handles != 698 || holders[0].FieldOffset != 8) {
			t.Errorf("%+v", holders[0])
		}
	}
}

func TestGrowsTogether(t *testing.T) {
	i := slices.IndexFunc(simulated, func(s scenario) bool { return s.name == "tokens in two processes" })
	f := find(t, findLeaks(t, simulated[i].make(t)), "grows-together")
	if f.Severity != leaks.SeverityInfo || !strings.HasPrefix(f.Sentence, "Token in lsass.exe (700) grows with Token in w3wp.exe (5000): 1 Token in w3wp.exe for 1 Token in lsass.exe") {
		t.Error(f.Sentence)
	}
	// Two steady leaks that have nothing to do with each other.
	a, b := newProcess("a.exe", 1, 1), newProcess("b.exe", 2, 2)
	var shots []shot
	for i := range 8 {
		a.open("leak", token, []int{50, 10, 90, 20, 80, 30, 70, 40}[i])
		b.open("leak", token, []int{30, 70, 20, 80, 90, 10, 20, 60}[i])
		shots = append(shots, a.dump(fmt.Sprintf("a%d", i)), b.dump(fmt.Sprintf("b%d", i)))
		a.wait(time.Hour)
		b.wait(time.Hour)
	}
	r := findLeaks(t, shots)
	if len(accused(r)) != 2 {
		t.Fatal(r.Verdict.Sentence)
	}
	for _, f := range r.Findings {
		if f.Rule == "grows-together" {
			t.Errorf("%s, but they do not", f.Sentence)
		}
	}
}

func TestTimeLeft(t *testing.T) {
	p := newProcess("a.exe", 1, 1)
	shots := p.series(3, time.Hour, func(i int) { p.open("leak", plainKey, 100) })
	for limit, want := range map[uint64]string{
		0:   "", // past a year
		800: "at this rate 800 handles are reached in 5 h",
		200: "", // reached
	} {
		r := judge(t, shots, leaks.Options{Limit: limit})
		got := ""
		for _, e := range find(t, r, "steady-growth").Evidence {
			if strings.Contains(e, "at this rate") {
				got = e
			}
		}
		if got != want {
			t.Errorf("limit %d: %q, want %q", limit, got, want)
		}
	}
}

func TestKnownLeaks(t *testing.T) {
	for _, k := range leaks.KnownLeaks() {
		if k.Title == "" || k.Advice == "" || k.Type == "" || !strings.HasPrefix(k.Source, "https://") || k.Module == "" && k.State == "" {
			t.Errorf("%+v lacks something", k)
		}
	}
	p := newProcess("launcher.exe", 82, 11)
	p.open("leak", deadProcess, 120)
	if f := find(t, findLeaks(t, []shot{p.dump("x")}), "exited-processes"); f.Known == nil || !strings.Contains(f.Known.Title, "hProcess") {
		t.Errorf("%+v", f.Known)
	}
	// Knowing a leak makes no finding: few dead processes are no suspicion.
	p.close("leak", 100)
	if f := find(t, findLeaks(t, []shot{p.dump("x")}), "exited-processes"); f.Known != nil || f.Severity != leaks.SeverityInfo {
		t.Errorf("%+v", f)
	}
}

func TestSuppress(t *testing.T) {
	p := newProcess("w3wp.exe", 1, 1)
	shots := p.series(3, time.Hour, func(i int) { p.open("leak", classesKey, 100); p.open("leak", tempFile, 100) })
	for _, c := range []struct {
		text       string
		suppressed int
		unmatched  int
		severity   leaks.Severity
	}{
		{"", 0, 0, leaks.SeverityLeak},
		{"# nothing\n\n", 0, 0, leaks.SeverityLeak},
		{`key:SOFTWARE\Classes # ticket 1`, 1, 0, leaks.SeverityLeak},
		{"W3WP.exe!Key\nFile:upload-<n>.dat", 2, 0, leaks.SeverityInfo},
		{"*", 2, 0, leaks.SeverityInfo},
		{"other.exe!*\nToken", 0, 2, leaks.SeverityLeak},
	} {
		list, err := leaks.ParseSuppressions(strings.NewReader(c.text), "accepted")
		if err != nil {
			t.Fatal(err)
		}
		r := judge(t, shots, leaks.Options{Suppress: list})
		if len(r.Suppressed) != c.suppressed || len(r.Unmatched) != c.unmatched || r.Verdict.Severity != c.severity {
			t.Errorf("%q: %d suppressed, %d unmatched, %s", c.text, len(r.Suppressed), len(r.Unmatched), r.Verdict.Severity)
		}
	}
	list, err := leaks.ParseSuppressions(strings.NewReader("Key:\\a#b  # why\n"), "accepted")
	if err != nil || list[0].Text != `Key:\a#b` || list[0].Reason != "why" {
		t.Errorf("%+v, %v", list, err)
	}
	for _, bad := range []string{":x", "Key:", "Key:re:(", "a.exe!"} {
		if _, err := leaks.ParseSuppressions(strings.NewReader("Token\n"+bad), "accepted"); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}

func TestFindLeaksCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := newProcess("a.exe", 1, 1)
	shots := p.series(2, time.Hour, func(i int) { p.open("leak", classesKey, 500) })
	if _, err := leaks.Find(ctx, snapshots(t, shots), leaks.Options{Open: opens(shots)}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestLoadSnapshotErrors(t *testing.T) {
	f := testdump.Make(t, dumptest.Dump{})
	if _, err := analysis.LoadSnapshot(t.Context(), f, "x"); !errors.Is(err, minidump.ErrNoStream) {
		t.Errorf("no handles: %v", err)
	}
	d := dumptest.Dump{HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 4, Type: "Key"}, {Value: 8, Type: "Key"}}}}
	d.Patches = []dumptest.Patch{dumptest.DeclareCount(dumptest.HandleDataStream, 1000)}
	s, err := analysis.LoadSnapshot(t.Context(), testdump.Make(t, d), "x")
	if err != nil || s.Kinds.Total < 2 || len(s.Problems) == 0 {
		t.Errorf("a list that ends early: %+v, %v", s, err)
	}
}

func TestRulesAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range leaks.Rules() {
		if r.Name == "" || r.Doc == "" || r.Apply == nil || seen[r.Name] {
			t.Errorf("rule %q", r.Name)
		}
		seen[r.Name] = true
	}
}
