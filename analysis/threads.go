package analysis

import (
	"errors"

	"github.com/dumpscan/dumpscan/minidump"
)

// ThreadFacts is a thread with all that the dump says of it.
type ThreadFacts struct {
	minidump.Thread
	Name string               // "" if it was given none, or the dump does not say
	Info *minidump.ThreadInfo // nil if the dump has no such entry
}

// Threads joins the list of threads with their names and times. The error
// says what could not be read; the threads cover the rest.
func Threads(f *minidump.File) ([]ThreadFacts, error) {
	threads, err := f.Threads()
	var failed failures
	failed.note(err)

	names, err := f.ThreadNames()
	noteUnlessAbsent(&failed, err)
	nameOf := map[uint32]string{}
	for _, n := range names {
		nameOf[n.ThreadID] = n.Name
	}
	infos, err := f.ThreadInfos()
	noteUnlessAbsent(&failed, err)
	infoOf := map[uint32]*minidump.ThreadInfo{}
	for i := range infos {
		infoOf[infos[i].ThreadID] = &infos[i]
	}
	var facts []ThreadFacts
	for _, t := range threads {
		facts = append(facts, ThreadFacts{Thread: t, Name: nameOf[t.ThreadID], Info: infoOf[t.ThreadID]})
	}
	return facts, failed.err()
}

// noteUnlessAbsent is for streams that a dump need not have.
func noteUnlessAbsent(failed *failures, err error) {
	if !errors.Is(err, minidump.ErrNoStream) {
		failed.note(err)
	}
}
