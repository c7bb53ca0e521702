package analysis

import (
	"errors"
	"fmt"

	"github.com/dumpscan/dumpscan/minidump"
)

// ThreadFacts is a thread with all that the dump says of it.
type ThreadFacts struct {
	minidump.Thread
	Name string               // "" if it was given none, or the dump does not say
	Info *minidump.ThreadInfo // nil if the dump has no such entry
	// Block is the TEB; nil if the dump does not hold it. Block32 is that of
	// the 32-bit half of the thread, of a WOW64 process.
	Block, Block32 *TEB
	WOW64          bool // the thread is one of a WOW64 process
}

// ProgramBlock is the TEB that the program of the thread uses: the 32-bit one
// of a WOW64 process. It is nil if the dump does not hold it.
func (t *ThreadFacts) ProgramBlock() *TEB {
	if t.WOW64 {
		return t.Block32
	}
	return t.Block
}

// Threads joins the list of threads with their names and times, and with what
// the memory in the dump has of them. The error says what could not be read;
// the threads cover the rest.
func Threads(f *minidump.File) ([]ThreadFacts, error) {
	threads, err := f.Threads()
	var failed Failures
	failed.Note(err)

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
	memory, err := f.Memory()
	noteUnlessAbsent(&failed, err)
	var facts []ThreadFacts
	for _, t := range threads {
		facts = append(facts, ThreadFacts{Thread: t, Name: nameOf[t.ThreadID], Info: infoOf[t.ThreadID]})
	}
	if memory != nil {
		m, pointer, wow64 := newProcessMemory(f, memory), f.PointerSize(), f.WOW64()
		for i := range facts {
			t := &facts[i]
			t.WOW64 = wow64
			t.Block, t.Block32 = readThreadTEBs(m, &t.Thread, pointer, wow64)
		}
		if err := m.spend(0); err != nil {
			failed.Note(fmt.Errorf("the TEBs of threads: %w", err))
		}
	}
	return facts, failed.Err()
}

// CaptureThreads is how to capture the times and start addresses of threads.
const CaptureThreads = "capture with MiniDumpWithThreadInfo: procdump -ma PID, or in WinDbg .dump /mt FILE"

// ThreadNotes say what the dump does not hold of any of its threads. On other
// systems than Windows there is nothing that it should.
func ThreadNotes(f *minidump.File, threads []ThreadFacts) []string {
	system, _ := f.SystemInfo() // an error may only be about the name of the service pack
	if system != nil && system.PlatformID > minidump.PlatformWindowsNT {
		return nil
	}
	var notes []string
	has := func(is func(*ThreadFacts) bool) bool {
		for i := range threads {
			if is(&threads[i]) {
				return true
			}
		}
		return len(threads) == 0
	}
	if !has(func(t *ThreadFacts) bool { return t.Info != nil }) {
		notes = append(notes, "the dump has no times and start addresses of threads; "+CaptureThreads)
	}
	if !has(func(t *ThreadFacts) bool { return t.ProgramBlock() != nil }) {
		notes = append(notes, "the dump does not hold the TEBs of threads, which have the last errors; "+CaptureProcess)
	}
	return notes
}

// noteUnlessAbsent is for streams that a dump need not have.
func noteUnlessAbsent(failed *Failures, err error) {
	if !errors.Is(err, minidump.ErrNoStream) {
		failed.Note(err)
	}
}
