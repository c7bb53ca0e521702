package analysis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dumpscan/dumpscan/minidump"
)

// A Snapshot is the facts of one dump of a series: whose it is, when it was
// written, and its handles by kind. It holds no open file; who needs more of
// the dump opens it again.
type Snapshot struct {
	File string // as named by the caller
	ProcessIdentity
	Info  *DumpInfo   // of [DescribeHeader]
	Time  time.Time   // when it was written; zero if the header does not say
	Kinds *KindCounts // nil of [NewSnapshot]
	// Memory has the pool quotas, if the dump has them; else nil.
	Memory *minidump.ProcessVmCounters
	// Machine is the memory of the machine, likewise.
	Machine *minidump.SystemMemoryInfo
	// Problems are what could not be read. The counts cover the rest.
	Problems []error
	// Partial says why there may be more handles than were counted; nil if all
	// of them were. It is one of Problems.
	Partial error
}

// An OpenFunc opens a dump again by the name that its [Snapshot] bears. The
// caller calls done when it no longer needs the dump.
type OpenFunc func(ctx context.Context, file string) (f *minidump.File, done func() error, err error)

// NewSnapshot describes a dump without its handles.
func NewSnapshot(f *minidump.File, file string) *Snapshot {
	info := DescribeHeader(f)
	info.readMemory(f)
	s := &Snapshot{
		File: file, Info: info, Time: info.Time, ProcessIdentity: info.Identity(),
		Memory: info.Memory, Machine: info.Machine, Problems: slices.Clone(info.Problems),
	}
	return s
}

// LoadSnapshot describes a dump and counts its handles, which it reads once.
// The error is that of ctx or of [ReadHandles]; what could not be read of the
// handles is in Problems.
func LoadSnapshot(ctx context.Context, f *minidump.File, file string) (*Snapshot, error) {
	l, err := ReadHandles(f)
	if err != nil {
		return nil, err
	}
	s := NewSnapshot(f, file)
	s.Kinds, err = CountKinds(ctx, l)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s.Partial = err
	s.problem(err)
	return s, nil
}

func (s *Snapshot) problem(err error) {
	if err != nil {
		s.Problems = append(s.Problems, err)
	}
}

// BaseName is the file name of a Windows path.
func BaseName(path string) string { return path[strings.LastIndexAny(path, `\/`)+1:] }

// A ProcessIdentity distinguishes processes. What a dump does not say is zero.
type ProcessIdentity struct {
	Process      string // path of the main module
	ProcessID    uint32
	HasProcessID bool
	Created      time.Time // to the second
}

// Identity returns what the dump says of the identity of its process.
func (d *DumpInfo) Identity() ProcessIdentity {
	p := ProcessIdentity{Process: d.Process, Created: d.Created}
	if d.Misc != nil && d.Misc.Flags1&minidump.MiscProcessID != 0 {
		p.ProcessID, p.HasProcessID = d.Misc.ProcessID, true
	}
	return p
}

// Name returns the file name of the main module, or "process".
func (p ProcessIdentity) Name() string {
	return cmp.Or(BaseName(p.Process), "process")
}

// String returns the name and the process id, "w3wp.exe (7640)".
func (p ProcessIdentity) String() string {
	if !p.HasProcessID {
		return p.Name()
	}
	return fmt.Sprintf("%s (%d)", p.Name(), p.ProcessID)
}

// Differences names what shows that p and q are two processes; nil if nothing
// does. Only what both dumps say is compared. Times of creation may differ by
// two seconds, since writers round them in their own ways.
func (p ProcessIdentity) Differences(q ProcessIdentity) []string {
	var diff []string
	if p.Process != "" && q.Process != "" && !strings.EqualFold(p.Name(), q.Name()) {
		diff = append(diff, fmt.Sprintf("main module %s and %s", p.Name(), q.Name()))
	}
	if p.HasProcessID && q.HasProcessID && p.ProcessID != q.ProcessID {
		diff = append(diff, fmt.Sprintf("process id %d and %d", p.ProcessID, q.ProcessID))
	}
	if !p.Created.IsZero() && !q.Created.IsZero() && p.Created.Sub(q.Created).Abs() > 2*time.Second {
		diff = append(diff, fmt.Sprintf("started %s and %s", p.Created.UTC().Format(time.RFC3339), q.Created.UTC().Format(time.RFC3339)))
	}
	return diff
}

// Unknown names the parts of the identity that the dump does not say.
func (p ProcessIdentity) Unknown() []string {
	var unknown []string
	if p.Process == "" {
		unknown = append(unknown, "main module")
	}
	if !p.HasProcessID {
		unknown = append(unknown, "process id")
	}
	if p.Created.IsZero() {
		unknown = append(unknown, "start time")
	}
	return unknown
}
