package main

import (
	"fmt"
	"slices"

	"github.com/dumpscan/dumpscan/analysis/unwind"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// stackNotes says what stacks lack that the user can give: the images whose
// unwind data leads on, and memory of stacks.
func (q *stackQuery) stackNotes(found *unwound) (notes []string) {
	var modules []string
	noImage, noStack := 0, 0
	for i := range found.stacks {
		s := &found.stacks[i]
		for _, stack := range []*unwind.Stack{&s.Stack, s.Stack32} {
			if stack == nil || len(stack.Frames) == 0 {
				continue
			}
			switch stack.Stop {
			case unwind.StopNoStack:
				noStack++
			case unwind.StopNoImage:
				noImage++
				if m, ok := q.session.Modules().Find(stack.Frames[len(stack.Frames)-1].Lookup()); ok && !slices.Contains(modules, m.Name()) {
					modules = append(modules, m.Name())
				}
			}
		}
	}
	if noImage > 0 {
		const most = 5
		of := "their modules"
		if len(modules) > 0 {
			more := max(len(modules)-most, 0)
			modules = modules[:len(modules)-more]
			if more > 0 {
				modules = append(modules, fmt.Sprintf("%d more", more))
			}
			of = words.List(modules...)
		}
		note := fmt.Sprintf("%s for want of the images of %s: name the folder that has them with -i", ends(noImage), of)
		if s, err := q.dump.SystemInfo(); err != nil || s.PlatformID == minidump.PlatformWindowsNT {
			note += ", or capture them too with: procdump -ma PID"
		}
		notes = append(notes, note)
	}
	if noStack > 0 {
		notes = append(notes, ends(noStack)+" where the dump holds no more of the stack's memory")
	}
	return notes
}

func ends(stacks int) string {
	if stacks == 1 {
		return "1 stack ends early"
	}
	return words.Count(stacks) + " stacks end early"
}
