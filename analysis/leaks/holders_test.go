package leaks_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// holding is a process with full memory: an array of events in the variables of
// its module, or none.
func holding(n int, held bool) []byte {
	const base, heap = 0x140000000, 0x10000
	d := dumptest.Dump{
		TimeDateStamp: uint32(1700000000 + 3600*n/100),
		Flags:         dumptest.WithFullMemory | dumptest.WithHandleData,
		MiscInfo:      &dumptest.MiscInfo{ProcessID: 7, ProcessCreateTime: 1699990000},
		HandleData:    &dumptest.HandleData{},
		Modules:       []dumptest.Module{{Base: base, Size: 0x1000, Name: `C:\app\app.exe`}},
	}
	memory := make([]byte, 0x4000)
	for i := range memory {
		memory[i] = byte(i * i >> 3)
	}
	for i := range n {
		v := uint64(0x40 + 8*(i*7%1000))
		d.HandleData.Handles = append(d.HandleData.Handles, dumptest.Handle{Value: v, Type: "Event"})
		if held {
			binary.LittleEndian.PutUint64(memory[0x400+8*i:], v)
		}
	}
	d.Memory64 = []dumptest.MemoryRange{{Start: heap, Data: memory}}
	return d.Bytes()
}

// The holder is in the sentence and in the next step, and its growth is
// evidence; that there is none is, too.
func TestHolderNamed(t *testing.T) {
	for _, held := range []bool{true, false} {
		var shots []shot
		for _, n := range []int{100, 200, 300, 400} {
			shots = append(shots, shot{fmt.Sprintf("%d.dmp", n), holding(n, held)})
		}
		r := judge(t, shots, leaks.Options{Repeat: []string{"-i", "images"}})
		i := slices.IndexFunc(r.Findings, func(f leaks.Finding) bool { return f.Severity != leaks.SeverityInfo })
		if i < 0 {
			t.Fatal(r.Verdict.Sentence)
		}
		f := &r.Findings[i]
		evidence := strings.Join(f.Evidence, "\n")
		command := strings.Join(f.Next.Args, " ")
		if held {
			for text, want := range map[string]string{
				r.Verdict.Sentence: "held by the array at 0x10400",
				evidence:           "400 of 400 Event handles stand in an array at 0x10400, one every 8 bytes",
				evidence + "\n":    "the array at 0x10400 held 100 of them in 100.dmp, now 400\n",
				command:            "dumpscan owners 400.dmp --type Event -i images",
			} {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in:\n%s", want, text)
				}
			}
			continue
		}
		if strings.Contains(r.Verdict.Sentence, "held by") || !strings.Contains(evidence, "no structure in memory holds 400 of 400 Event handles") {
			t.Errorf("%s\n%s", r.Verdict.Sentence, evidence)
		}
	}
}
