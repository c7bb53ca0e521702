package leaks

import (
	"context"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// Objects is what the newest dump says of the objects behind the handles of a
// group, beside their names.
type Objects struct {
	// Same is how many handles seem to lead to one object, and Sign what that
	// rests on; 0 and "" if nothing says so.
	Same uint64
	Sign string
	// Own and Foreign count the handles to threads of the process itself, and
	// of other processes.
	Own, Foreign uint64
}

// An objectKey is what two handles to one object agree in.
type objectKey struct {
	process, thread uint64
	handles         uint32 // HandleCount of the object; only where the ids are not known
}

// readObjects looks at the objects behind large groups without a name of their
// own, and behind threads, in the newest dump.
func (p *Process) readObjects(ctx context.Context, dumps *dumpReader) error {
	last := p.Series.Last()
	wanted := map[int]*Group{}   // by row
	unnamed := map[string]bool{} // the types of these groups, and whether all of them are without names
	for i := range p.Kinds {
		g := &p.Kinds[i]
		if g.Type == "Thread" && g.Last() >= minGroup || (g.Name == "" || g.Type == "File") && g.Last() >= sameObjectCount {
			wanted[g.rows[0]] = g
			before, known := unnamed[g.Type]
			unnamed[g.Type] = g.Name == "" && !p.table.NamesIgnored && (before || !known)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	find := p.table.Finder()
	counts := map[*Group]map[objectKey]uint64{}
	err := dumps.evidence(ctx, p, last, func(h *minidump.Handle) {
		// To find the row of a name takes most of the time, and most names are of
		// groups that are not wanted.
		if nameless, ok := unnamed[h.TypeName]; !ok || nameless && h.ObjectName != "" {
			return
		}
		g := wanted[find.Row(h)]
		if g == nil {
			return
		}
		key := objectKey{handles: h.HandleCount}
		if len(h.ObjectInfo) > 0 {
			state := analysis.DecodeObject(h.ObjectInfo)
			switch {
			case state.Thread != nil:
				key = objectKey{process: state.Thread.ProcessID, thread: state.Thread.ThreadID}
				g.Objects.thread(state.Thread.ProcessID, last)
			case state.Process != nil:
				key = objectKey{process: state.Process.ProcessID}
			}
		}
		if counts[g] == nil {
			counts[g] = map[objectKey]uint64{}
		}
		// Two handles to one object have one key; so many keys are many objects.
		if seen := counts[g]; len(seen) < mostKeys || seen[key] > 0 {
			seen[key]++
		}
	})
	for g, keys := range counts {
		for key, n := range keys {
			if sign := key.sign(n, g.Last()); sign != "" && n > g.Objects.Same {
				g.Objects.Same, g.Objects.Sign = n, sign
			}
		}
	}
	return err
}

// thread counts a handle to a thread.
func (o *Objects) thread(process uint64, dump *analysis.Snapshot) {
	switch {
	case !dump.HasProcessID || process == 0:
	case process == uint64(dump.ProcessID):
		o.Own++
	default:
		o.Foreign++
	}
}

// sign says why n of so many handles with this key lead to one object; "" if
// they need not.
func (k objectKey) sign(n, of uint64) string {
	if float64(n) < oneObjectShare*float64(of) || n < sameObjectCount {
		return ""
	}
	switch {
	case k.thread != 0:
		return fmt.Sprintf("all are to thread %d of process %d", k.thread, k.process)
	case k.process != 0:
		return fmt.Sprintf("all are to process %d", k.process)
	case float64(k.handles) >= oneObjectShare*float64(n) && float64(k.handles) <= float64(n)/oneObjectShare:
		// The object counts its handles; a writer may add one of its own.
		return fmt.Sprintf("the object of each counts %s", words.Plural(k.handles, "handle"))
	}
	return ""
}
