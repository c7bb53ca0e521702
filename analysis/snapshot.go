package analysis

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/dumpscan/dumpscan/minidump"
)

// A Snapshot is one dump of a series: whose it is, when it was written, and
// its handles by kind.
type Snapshot struct {
	File string // as named by the caller
	ProcessIdentity
	Info  *DumpInfo // of DescribeHeader
	Time  time.Time // when it was written; zero if the header does not tell
	Kinds *KindCounts
	// Memory has the pool quotas, if the dump tells; else nil.
	Memory *minidump.ProcessVmCounters
	// Problems are what could not be read. The counts cover the rest.
	Problems []error

	handles *minidump.HandleData
	dump    *minidump.File
}

// LoadSnapshot counts the handles of a dump, which it reads once. The dump must
// stay open as long as the snapshot is used. The error wraps
// [minidump.ErrNoStream] if the dump has no handles, or is that of reading the
// head of their list.
func LoadSnapshot(f *minidump.File, file string) (*Snapshot, error) {
	hd, err := f.HandleData()
	if err != nil {
		return nil, err
	}
	info := DescribeHeader(f)
	s := &Snapshot{
		File: file, Info: info, Time: info.Time, ProcessIdentity: info.Identity(),
		Problems: slices.Clone(info.Problems), handles: hd, dump: f,
	}
	if f.Has(minidump.ProcessVmCountersStream) {
		var err error
		s.Memory, err = f.ProcessVmCounters()
		s.Problem(err)
	}
	var failed Failures
	s.Kinds = CountKinds(Handles(hd.Only(KindParts), &failed))
	s.Problem(failed.Err())
	return s, nil
}

func (s *Snapshot) Problem(err error) {
	if err != nil {
		s.Problems = append(s.Problems, err)
	}
}

// Handles iterates over the handles of the dump once more. Errors are left
// out; Problems has them.
func (s *Snapshot) Handles(parts minidump.HandleParts) iter.Seq[*minidump.Handle] {
	return Handles(s.handles.Only(parts), &Failures{})
}

// Dump returns the dump of the snapshot.
func (s *Snapshot) Dump() *minidump.File { return s.dump }

// BaseName is the file name of a Windows path.
func BaseName(path string) string { return path[strings.LastIndexAny(path, `\/`)+1:] }

// A ProcessIdentity tells processes apart. What a dump does not tell is zero.
type ProcessIdentity struct {
	Process      string // path of the main module
	ProcessID    uint32
	HasProcessID bool
	Created      time.Time // to the second
}

// Identity returns what the dump tells of the identity of its process.
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

// Differences names what tells that p and q are two processes; nil if nothing
// does. Only what both dumps tell is compared. Times of creation may differ by
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

// Unknown names the parts of the identity that the dump does not tell.
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

// SameProcess returns what speaks against two dumps being of one process,
// written in this order; nothing if that is what they are. What one of the dumps
// does not tell is not compared.
func SameProcess(earlier, later *DumpInfo) []string {
	differ := earlier.Identity().Differences(later.Identity())
	if a, b := earlier.Time, later.Time; !a.IsZero() && !b.IsZero() && b.Before(a) {
		const format = "2006-01-02 15:04:05 UTC"
		differ = append(differ, fmt.Sprintf("the earlier one was written at %s, the later one at %s", a.Format(format), b.Format(format)))
	}
	return differ
}
