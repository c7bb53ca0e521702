package htrace

import (
	"strings"

	"github.com/dumpscan/dumpscan/analysis/symbol"
)

// duplicateDepth is how many frames are between the trace and DuplicateHandle
// at most: the system call, layers of KERNELBASE and kernel32, and Application
// Verifier's hooks.
const duplicateDepth = 8

// FindDuplicates adds an anomaly for each stack with which the process made a
// second handle to an object that it had a handle to: opens that were called
// by DuplicateHandle. It needs names of functions; with module names alone it
// finds nothing. Injected handles are reported as such and not again here.
func (t *Trace) FindDuplicates(names symbol.Names) {
	found := map[uint32]*Anomaly{}
	duplicates := make([]int8, len(t.pool.stacks)) // 0 not looked at, 1 yes, -1 no
	for i, rec := range t.records {
		if t.kinds[rec.caller] != kindOpen || t.pool.callers[rec.caller].process != t.ProcessID {
			continue
		}
		if duplicates[rec.stack] == 0 {
			duplicates[rec.stack] = -1
			if t.callsDuplicate(rec.stack, names) {
				duplicates[rec.stack] = 1
			}
		}
		if duplicates[rec.stack] < 0 {
			continue
		}
		a := found[rec.stack]
		if a == nil {
			a = &Anomaly{
				Kind: Duplicated, Handle: t.pool.handles[rec.handle], Position: i, Previous: none,
			}
			found[rec.stack] = a
		}
		a.Count++
	}
	var anomalies []Anomaly
	for _, a := range found {
		anomalies = append(anomalies, *a)
	}
	t.sum(Duplicated, anomalies)
}

func (t *Trace) callsDuplicate(stack uint32, names symbol.Names) bool {
	frames := t.pool.stackFrames(stack)
	for _, addr := range frames[:min(len(frames), duplicateDepth)] {
		name := names.At(addr).Function
		for _, end := range []string{"DuplicateHandle", "DuplicateHandleStub", "DuplicateObject"} {
			if strings.HasSuffix(name, end) {
				return true
			}
		}
	}
	return false
}
