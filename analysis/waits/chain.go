package waits

import (
	"fmt"
	"slices"
	"strings"
)

// chains joins the waits of threads of a process for each other. Threads that
// wait for several objects are the end of a chain: one of the objects may be
// enough for them.
func chains(waits []Wait, process uint32) []Chain {
	next := map[uint32]*Wait{} // the wait of a thread for another one
	for i := range waits {
		w := &waits[i]
		if len(w.Objects) == 1 && w.Objects[0].Thread != 0 && (process == 0 || w.Objects[0].Process == process) {
			next[w.ThreadID] = w
		}
	}
	waitedFor := map[uint32]bool{}
	for _, w := range next {
		waitedFor[w.Objects[0].Thread] = true
	}
	var list []Chain
	visited := map[uint32]bool{} // threads that are in a chain already
	add := func(c Chain) {
		for _, w := range c.Waits {
			visited[w.ThreadID] = true
		}
		list = append(list, c)
	}
	for _, c := range cycles(waits, next) {
		add(c)
	}
	for i := range waits {
		w := &waits[i]
		if next[w.ThreadID] != w || waitedFor[w.ThreadID] {
			continue
		}
		c := follow(w, next, visited)
		if last := c.Waits[len(c.Waits)-1]; len(c.Waits) > 1 || next[last.Objects[0].Thread] != nil {
			add(c)
		}
	}
	slices.SortStableFunc(list, func(a, b Chain) int {
		switch {
		case a.Closed == b.Closed:
			return len(b.Waits) - len(a.Waits)
		case a.Closed:
			return -1
		}
		return 1
	})
	return list
}

// cycles returns the chains that close, each from its first wait on.
func cycles(waits []Wait, next map[uint32]*Wait) []Chain {
	var list []Chain
	walk := map[uint32]int{} // the walk in which a thread was met
	for i := range waits {
		path := []*Wait(nil)
		w := next[waits[i].ThreadID]
		for ; w != nil && walk[w.ThreadID] == 0; w = next[w.Objects[0].Thread] {
			walk[w.ThreadID] = i + 1
			path = append(path, w)
		}
		if w != nil && walk[w.ThreadID] == i+1 { // the path has led into itself
			list = append(list, Chain{Waits: path[slices.Index(path, w):], Closed: true})
		}
	}
	return list
}

// follow follows the waits from one on, to the thread that does not wait, or that
// is in another chain.
func follow(first *Wait, next map[uint32]*Wait, visited map[uint32]bool) (c Chain) {
	seen := map[uint32]bool{}
	for w := first; w != nil && !seen[w.ThreadID] && !visited[w.ThreadID]; w = next[w.Objects[0].Thread] {
		seen[w.ThreadID] = true
		c.Waits = append(c.Waits, w)
	}
	return c
}

// String says who waits for whom: "thread 12 waits for Mutant 0x7e0, which
// thread 16 owns; thread 16 waits for ...".
func (c Chain) String() string {
	var parts []string
	for _, w := range c.Waits {
		parts = append(parts, fmt.Sprintf("thread %d waits for %s", w.ThreadID, &w.Objects[0]))
	}
	return strings.Join(parts, "; ")
}
