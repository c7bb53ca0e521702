package unwind

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// A ThreadStack is the stack of one thread of a dump.
type ThreadStack struct {
	Index    int // in the list of threads, from 0; the number that debuggers give it
	ThreadID uint32
	// Faulting says that the dump was written for an exception of this thread, and
	// that the stack is the one from there, as after WinDbg's ".ecxr": what the
	// thread did after that was to write the dump.
	Faulting bool
	Context  *minidump.Context // of the innermost frame; nil if the dump holds none
	Stack
	// Stack32 is where the thread left its 32-bit code, in a dump that a 64-bit
	// debugger has written of a 32-bit process (WOW64), as after WinDbg's "!sw";
	// nil in others, and where that is not in the dump.
	Stack32 *Stack
	// Err says why there are no frames; it wraps [minidump.ErrNoContext] or is a
	// [*minidump.FormatError].
	Err error
}

// Current returns the index of the thread that a debugger begins with: that of
// the exception, or else the first. exception may be nil.
func Current(threads []minidump.Thread, exception *minidump.Exception) int {
	if exception != nil {
		i := slices.IndexFunc(threads, func(t minidump.Thread) bool { return t.ThreadID == exception.ThreadID })
		return max(i, 0)
	}
	return 0
}

// Threads unwinds the stacks of the threads with these indexes of a list, all
// threads of a dump in the order of the file. exception is that of the dump, or
// nil. The error is that of ctx; what is wrong with one thread is in its Err.
func (u *Unwinder) Threads(ctx context.Context, f *minidump.File, threads []minidump.Thread, exception *minidump.Exception, indexes []int) ([]ThreadStack, error) {
	stacks := make([]ThreadStack, 0, len(indexes))
	half := u.half32(f)
	for _, i := range indexes {
		t := &threads[i]
		s := ThreadStack{Index: i, ThreadID: t.ThreadID}
		if exception != nil && exception.ThreadID == t.ThreadID {
			s.Context, s.Err = f.Context(exception.ThreadContext)
			s.Faulting = s.Err == nil
		}
		if s.Context == nil {
			s.Context, s.Err = f.Context(t.ThreadContext)
		}
		if s.Context != nil {
			var err error
			if s.Stack, err = u.Stack(ctx, s.Context); err != nil {
				return nil, err
			}
		}
		if c, err := half.context(t); err == nil {
			stack, err := half.Stack(ctx, c)
			if err != nil {
				return nil, err
			}
			s.Stack32 = &stack
		}
		stacks = append(stacks, s)
	}
	return stacks, nil
}

// A Group is the threads whose stacks are equal.
type Group struct {
	Threads []int // positions in the list that was grouped, ascending
}

// Unique groups the stacks that have the same frames, address by address, as
// WinDbg's "!uniqstack" does. The widest group comes first, and of those of
// one size that with the first thread. Threads without registers are in no group
// with others.
func Unique(stacks []ThreadStack) []Group {
	var groups []Group
	at := map[string]int{}
	var key []byte
	for i := range stacks {
		key = appendPCs(key[:0], stacks[i].Frames)
		if s := stacks[i].Stack32; s != nil {
			key = appendPCs(append(key, '/'), s.Frames)
		}
		if n, ok := at[string(key)]; ok && len(key) > 0 {
			groups[n].Threads = append(groups[n].Threads, i)
			continue
		}
		at[string(key)] = len(groups)
		groups = append(groups, Group{Threads: []int{i}})
	}
	slices.SortStableFunc(groups, func(a, b Group) int { return len(b.Threads) - len(a.Threads) })
	return groups
}

func appendPCs(key []byte, frames []Frame) []byte {
	for _, f := range frames {
		key = binary.LittleEndian.AppendUint64(key, uint64(f.PC))
	}
	return key
}
