package leaks_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// A process opens and closes handles as Windows does: values are multiples of
// four, and the value freed last is given out first.
type process struct {
	name    string
	pid     uint32
	created int64 // seconds since 1970
	now     int64
	cpu     float64 // seconds
	clock   int64   // by which the clock of the machine is wrong, seconds
	rand    *rand.Rand

	handles map[uint64]dumptest.Handle
	next    uint64
	free    []uint64
	groups  map[string][]uint64 // values by what opened them
	serial  int
}

const epoch = testdump.Epoch

func newProcess(name string, pid uint32, seed uint64) *process {
	return &process{
		name: name, pid: pid, created: epoch, now: epoch, rand: rand.New(rand.NewPCG(seed, 7)),
		handles: map[uint64]dumptest.Handle{}, next: 4, groups: map[string][]uint64{},
	}
}

// wait lets time pass.
func (p *process) wait(d time.Duration) {
	p.now += int64(d / time.Second)
	p.cpu += d.Seconds() / 50
}

// open opens n handles like h for a group; "%x" in the name becomes a number
// that was not used before.
func (p *process) open(group string, h dumptest.Handle, n int) {
	name := h.Name
	for range n {
		h.Value = p.next
		if k := len(p.free); k > 0 {
			h.Value, p.free = p.free[k-1], p.free[:k-1]
		} else {
			p.next += 4
		}
		if bytes.Contains([]byte(name), []byte("%")) {
			p.serial++
			h.Name = fmt.Sprintf(name, uint32(p.serial)*2654435761)
		}
		p.handles[h.Value] = h
		p.groups[group] = append(p.groups[group], h.Value)
	}
}

// close closes n handles of a group, in no particular order.
func (p *process) close(group string, n int) {
	values := p.groups[group]
	for range min(n, len(values)) {
		i := p.rand.IntN(len(values))
		v := values[i]
		values[i] = values[len(values)-1]
		values = values[:len(values)-1]
		delete(p.handles, v)
		p.free = append(p.free, v)
	}
	p.groups[group] = values
}

// hold opens or closes handles until the group has n.
func (p *process) hold(group string, h dumptest.Handle, n int) {
	if have := len(p.groups[group]); have < n {
		p.open(group, h, n-have)
	} else {
		p.close(group, have-n)
	}
}

// around is n with a noise of 20 %.
func (p *process) around(n int) int { return int(float64(n) * (0.8 + 0.4*p.rand.Float64())) }

// A shot is a dump under a name.
type shot struct {
	file string
	data []byte
}

// dump writes a dump of the process as dbghelp would.
func (p *process) dump(file string) shot {
	values := make([]uint64, 0, len(p.handles))
	for v := range p.handles {
		values = append(values, v)
	}
	slices.Sort(values)
	d := dumptest.Dump{
		TimeDateStamp: uint32(p.now + p.clock),
		MiscInfo: &dumptest.MiscInfo{
			ProcessID: p.pid, ProcessCreateTime: uint32(p.created),
			ProcessUserTime: uint32(p.cpu), ProcessKernelTime: uint32(p.cpu / 3),
		},
		Modules: []dumptest.Module{{Base: 0x140000000, Size: 0x10000, Name: `C:\Program Files\` + p.name}},
		ProcessVmCounters: &dumptest.ProcessVmCounters{
			PageFaultCount: uint32(1000 * p.cpu), QuotaPagedPoolUsage: uint64(500 * len(values)), QuotaNonPagedPoolUsage: uint64(100 * len(values)),
		},
		HandleData: &dumptest.HandleData{Each: dumptest.GenerateHandles(len(values), func(i int) dumptest.Handle { return p.handles[values[i]] })},
	}
	return shot{file, d.Bytes()}
}

// Handles that occur in the scenarios.
var (
	classesKey    = dumptest.Handle{Type: "Key", Name: `\REGISTRY\MACHINE\SOFTWARE\Classes`, GrantedAccess: 0x20019}
	userKey       = dumptest.Handle{Type: "Key", Name: `\REGISTRY\USER\S-1-5-21-3623811015-3361044348-30300820-1013\Software\App\Calibration\%x`, GrantedAccess: 0x20019}
	plainKey      = dumptest.Handle{Type: "Key", GrantedAccess: 0xf003f}
	autoEvent     = dumptest.Handle{Type: "Event", GrantedAccess: 0x1f0003, Info: []dumptest.ObjectInformation{dumptest.EventInformation{AutoReset: true}}}
	manualEvent   = dumptest.Handle{Type: "Event", GrantedAccess: 0x1f0003, Info: []dumptest.ObjectInformation{dumptest.EventInformation{Set: true}}}
	semaphore     = dumptest.Handle{Type: "Semaphore", GrantedAccess: 0x1f0003}
	tempFile      = dumptest.Handle{Type: "File", Name: `\Device\HarddiskVolume3\inetpub\temp\upload-%x.dat`, GrantedAccess: 0x12019f}
	cacheFile     = dumptest.Handle{Type: "File", Name: `\Device\HarddiskVolume3\cache\%x.bin`, GrantedAccess: 0x120089}
	socket        = dumptest.Handle{Type: "File", Name: `\Device\Afd`, GrantedAccess: 0x16019f}
	section       = dumptest.Handle{Type: "Section", GrantedAccess: 0xf0007}
	token         = dumptest.Handle{Type: "Token", GrantedAccess: 0xf01ff}
	runningThread = dumptest.Handle{Type: "Thread", GrantedAccess: 0x1fffff, Info: []dumptest.ObjectInformation{dumptest.ThreadInformation{ExitStatus: 0x103, Teb: 0x7ff000}}}
	exitedThread  = dumptest.Handle{Type: "Thread", GrantedAccess: 0x1fffff, Info: []dumptest.ObjectInformation{dumptest.ThreadInformation{}}}
	deadProcess   = dumptest.Handle{Type: "Process", GrantedAccess: 0x1fffff, Info: []dumptest.ObjectInformation{dumptest.ProcessInformation{ExitStatus: 1}}}
	etw           = dumptest.Handle{GrantedAccess: 0x804}
)

// start opens what a service has at least.
func (p *process) start(scale int) {
	p.open("base", classesKey, 3*scale)
	p.open("base", plainKey, 20*scale)
	p.open("base", autoEvent, 60*scale)
	p.open("base", manualEvent, 30*scale)
	p.open("base", semaphore, 20*scale)
	p.open("base", runningThread, 12*scale)
	p.open("base", exitedThread, scale)
	p.open("base", section, 8*scale)
	p.open("base", etw, 25*scale)
	p.open("base", dumptest.Handle{Type: "File", Name: `\Device\HarddiskVolume3\Windows\System32`, GrantedAccess: 0x100020}, 1)
	p.open("base", cacheFile, 5*scale)
}

// serve ends all requests and begins so many others, whose handles are opened
// in turns.
func (p *process) serve(requests int) {
	groups := []string{"sockets", "request events", "request tokens", "request files"}
	for _, g := range groups {
		p.close(g, len(p.groups[g]))
	}
	p.rand.Shuffle(len(p.free), func(i, j int) { p.free[i], p.free[j] = p.free[j], p.free[i] })
	for i := range p.around(requests) {
		p.open("sockets", socket, 1)
		p.open("request events", autoEvent, 1)
		if i%4 == 0 {
			p.open("request tokens", token, 1)
		}
		if i%8 == 0 {
			p.open("request files", tempFile, 1)
		}
	}
}

// vary lets a pool of handles breathe for a while: its size follows the load,
// which changes by up to 20 % several times between two dumps.
func (p *process) vary(group string, h dumptest.Handle, n int) {
	for range 8 {
		p.hold(group, h, p.around(n))
	}
}

// series lets a process live for n intervals and dumps it after each.
func (p *process) series(n int, interval time.Duration, live func(i int)) []shot {
	var shots []shot
	for i := range n {
		live(i)
		shots = append(shots, p.dump(fmt.Sprintf("%s-%02d.dmp", p.name, i)))
		p.wait(interval)
	}
	return shots
}

// snapshots counts the handles of the dumps.
func snapshots(t testing.TB, shots []shot) []*analysis.Snapshot {
	t.Helper()
	var out []*analysis.Snapshot
	for _, s := range shots {
		snap, err := analysis.LoadSnapshot(t.Context(), testdump.Bytes(t, s.data), s.file)
		if err != nil {
			t.Fatalf("%s: %v", s.file, err)
		}
		out = append(out, snap)
	}
	return out
}

// opens opens the dumps again.
func opens(shots []shot) analysis.OpenFunc {
	return func(_ context.Context, file string) (*minidump.File, func() error, error) {
		i := slices.IndexFunc(shots, func(s shot) bool { return s.file == file })
		if i < 0 {
			return nil, nil, fmt.Errorf("no dump %s", file)
		}
		f, err := minidump.NewFile(bytes.NewReader(shots[i].data), int64(len(shots[i].data)))
		return f, func() error { return nil }, err
	}
}

// judge finds the leaks in dumps.
func judge(t testing.TB, shots []shot, o leaks.Options) *leaks.Report {
	t.Helper()
	o.Open = opens(shots)
	r, err := leaks.Find(t.Context(), snapshots(t, shots), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// findLeaks finds them without a search of memory.
func findLeaks(t testing.TB, shots []shot) *leaks.Report {
	t.Helper()
	return judge(t, shots, leaks.Options{Owners: leaks.HuntNever})
}
