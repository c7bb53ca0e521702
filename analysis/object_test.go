package analysis

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
)

// TestRealObjectInformation compares the states of objects with the table that
// came with a dump that is not in the repository.
func TestRealObjectInformation(t *testing.T) {
	for _, name := range []string{"object-info", "object-info-32"} {
		t.Run(name, func(t *testing.T) {
			base := "../shared/dumps/" + name
			truth := testdump.Read(t, base+".truth.json")
			var want []struct {
				Handle string
				Object map[string]any
			}
			if err := json.Unmarshal(truth, &want); err != nil {
				t.Fatal(err)
			}
			hd, err := testdump.Open(t, base+".dmp").HandleData()
			if err != nil {
				t.Fatal(err)
			}
			handles, err := hd.Slice()
			if err != nil {
				t.Fatal(err)
			}
			for i, h := range handles {
				got := objectFacts(DecodeObject(h.ObjectInfo))
				for key, value := range want[i].Object {
					if fmt.Sprint(value) != got[key] {
						t.Errorf("%s: %s is %q, want %v", want[i].Handle, key, got[key], value)
					}
				}
			}
		})
	}
}

// objectFacts writes a state in the words of that table.
func objectFacts(o ObjectState) map[string]string {
	facts := map[string]string{}
	add := func(key string, value any) { facts[key] = fmt.Sprint(value) }
	pick := func(is bool, yes, no string) string {
		if is {
			return yes
		}
		return no
	}
	if e := o.Event; e != nil {
		add("event", pick(e.ManualReset, "manual", "auto"))
		add("set", e.Set)
	}
	if m := o.Mutant; m != nil {
		add("mutant", pick(m.Owned, "owned", "free"))
		add("abandoned", m.Abandoned)
		add("recursion", m.Recursion)
		add("ownerPid", m.OwnerPID)
		add("ownerTid", m.OwnerTID)
	}
	if s := o.Semaphore; s != nil {
		add("count", s.CurrentCount)
		add("limit", float64(s.MaximumCount)) // as the table's numbers are decoded
	}
	if s := o.Section; s != nil {
		add("base", uint64(s.BaseAddress))
		add("attributes", fmt.Sprintf("%#x", s.AllocationAttributes))
		add("maxSize", s.MaximumSize)
	}
	if th := o.Thread; th != nil {
		add("exitStatus", fmt.Sprintf("%#x", th.ExitStatus))
		add("pid", th.ProcessID)
		add("tid", th.ThreadID)
		add("basePriority", th.BasePriority)
		add("exited", th.Exited)
	}
	if p := o.Process; p != nil {
		add("pid", p.ProcessID)
		add("parentPid", p.ParentProcessID)
		add("flags", p.ExtendedFlags)
	}
	for _, u := range o.Unknown {
		add("unknown", strconv.Itoa(int(u.InfoType)))
	}
	return facts
}
