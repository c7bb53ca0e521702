package render

import (
	"bufio"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/waits"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// A ThreadWait is what a thread seems to wait for.
type ThreadWait struct {
	Function string       `json:"function"` // the system call
	Objects  []WaitObject `json:"objects"`  // any or all of them
	Evidence string       `json:"evidence"` // where the handles come from

	sentence string
}

// A WaitObject is what a thread waits for.
type WaitObject struct {
	Handle    Hex    `json:"handle"`
	Type      string `json:"type"`
	Name      string `json:"name"`
	ThreadID  uint32 `json:"threadId,omitempty"`  // the owner of a Mutant, or the Thread itself
	ProcessID uint32 `json:"processId,omitempty"` // of that thread
	Abandoned bool   `json:"abandoned,omitempty"`
}

// A WaitChain is threads of which each waits for the next.
type WaitChain struct {
	Closed    bool     `json:"closed"`    // the last waits for the first: a deadlock
	ThreadIDs []uint32 `json:"threadIds"` // in their order
	Sentence  string   `json:"sentence"`
}

// addWaits gives the threads of the report their waits.
func (r *StackReport) addWaits(w *waits.Waits) {
	if w == nil {
		return
	}
	of := map[int]*waits.Wait{}
	for i := range w.Waits {
		of[w.Waits[i].Index] = &w.Waits[i]
	}
	for i := range r.Threads {
		if w := of[r.Threads[i].Index]; w != nil {
			r.Threads[i].Wait = newThreadWait(w)
		}
	}
}

func newThreadWait(w *waits.Wait) *ThreadWait {
	row := &ThreadWait{Function: w.Function, Evidence: w.Evidence, sentence: w.String()}
	for _, o := range w.Objects {
		row.Objects = append(row.Objects, WaitObject{Hex(o.Handle), o.Type, o.Name, o.Thread, o.Process, o.Abandoned})
	}
	return row
}

func newWaitChains(w *waits.Waits) []WaitChain {
	if w == nil {
		return nil
	}
	var list []WaitChain
	for _, c := range w.Chains {
		row := WaitChain{Closed: c.Closed, Sentence: c.String()}
		for _, w := range c.Waits {
			row.ThreadIDs = append(row.ThreadIDs, w.ThreadID)
		}
		list = append(list, row)
	}
	return list
}

// writeWaitChains says which threads wait for each other, before their stacks.
func writeWaitChains(b *bufio.Writer, chains []WaitChain, style Style) {
	for _, c := range chains {
		label, mark := "wait chain:", style.Warn
		if c.Closed {
			label, mark = "deadlock, unless a wait has a timeout:", style.Alarm
		}
		fmt.Fprintf(b, "%s\n\n", style.labelled(mark, label, words.Escape(c.Sentence)))
	}
}
