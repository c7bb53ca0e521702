package waits

import (
	"context"
	"encoding/binary"
	"errors"
	"regexp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// A call is a system call by which a thread waits, and where its handles are
// among the arguments.
type call struct {
	many   bool // a count and an array of handles
	handle int  // the argument that is the handle
}

// waitCalls matches the names of the system calls of ntdll by which threads wait.
var waitCalls = regexp.MustCompile(`^(?:Nt|Zw)(?:WaitFor(Single|Multiple)Objects?(?:32)?|(SignalAndWait)ForSingleObject)$`)

// callOf returns the call that a function of ntdll is.
func callOf(l symbol.Location) (c call, ok bool) {
	if l.Module != "ntdll" {
		return c, false
	}
	switch m := waitCalls.FindStringSubmatch(l.Function); {
	case m == nil:
		return c, false
	case m[1] == "Multiple":
		return call{many: true}, true
	case m[2] != "":
		return call{handle: 1}, true
	}
	return c, true
}

// A place is where a thread stands in the system, and where the arguments of the
// call are.
type place struct {
	Thread
	pc   minidump.VA
	args minidump.VA // on the stack of x86
}

// fastCallReturn is where 32-bit Windows before Windows 8 waits for every system
// call to return; the call itself is the next frame.
const fastCallReturn = "KiFastSystemCallRet"

// allThreads are the threads of a dump whose registers it holds.
func allThreads(f *minidump.File) ([]Thread, error) {
	threads, err := f.Threads()
	var list []Thread
	for i := range threads {
		c, err := f.Context(threads[i].ThreadContext)
		if err != nil {
			continue // another command says so
		}
		list = append(list, Thread{i, threads[i].ThreadID, c})
	}
	return list, unlessAbsent(err)
}

// places returns where the threads stand.
func places(threads []Thread) []place {
	var list []place
	for _, t := range threads {
		p := place{Thread: t, pc: t.Context.PC}
		if t.Context.Arch == minidump.ProcessorX86 {
			p.args = t.Context.SP() + 4
		}
		list = append(list, p)
	}
	return list
}

// behindFastCall moves the places of threads that wait for a system call to
// return to the function that made it.
func behindFastCall(ctx context.Context, memory *minidump.Memory, list []place, names symbol.Resolver) (symbol.Names, error) {
	resolve := func() (symbol.Names, error) {
		addrs := make([]minidump.VA, len(list))
		for i := range list {
			addrs[i] = list[i].pc
		}
		return names.Resolve(ctx, addrs)
	}
	resolved, err := resolve()
	if err != nil {
		return nil, err
	}
	moved := false
	for i := range list {
		p := &list[i]
		if resolved.At(p.pc).Function != fastCallReturn || p.args == 0 {
			continue
		}
		if ret, ok := readWord(memory, p.Context.SP(), 4); ok {
			p.pc, p.args, moved = minidump.VA(ret), p.args+4, true
		}
	}
	if !moved {
		return resolved, nil
	}
	return resolve()
}

// maxObjects is MAXIMUM_WAIT_OBJECTS of winnt.h.
const maxObjects = 64

// handles returns the values with which a thread may wait in a call, and the
// evidence for them.
func (p *place) handles(memory *minidump.Memory, c call) (values []uint64, evidence string) {
	size := 8
	if p.Context.Arch == minidump.ProcessorX86 || p.Context.Arch == minidump.ProcessorARM {
		size = 4
	}
	if !c.many {
		v, from := p.argument(memory, c.handle)
		if from == "" {
			return nil, ""
		}
		return []uint64{v}, from
	}
	count, from := p.argument(memory, 0)
	array, _ := p.argument(memory, 1)
	if from == "" || count == 0 || count > maxObjects {
		return nil, ""
	}
	buf := make([]byte, int(count)*size)
	if n, _ := memory.ReadAt(buf, minidump.VA(array)); n < len(buf) {
		return nil, ""
	}
	for ; len(buf) > 0; buf = buf[size:] {
		if size == 4 {
			values = append(values, uint64(binary.LittleEndian.Uint32(buf)))
		} else {
			values = append(values, binary.LittleEndian.Uint64(buf))
		}
	}
	return values, "the array to which " + from + " leads"
}

// argument returns an argument of the system call: from the stack on x86, else
// from the register that it is passed in. Dumps of Windows 10 on AMD64 have the
// first two there while the thread waits; of ARM64 none was seen, and of Wine
// neither. from is "" if it is not there.
func (p *place) argument(memory *minidump.Memory, n int) (v uint64, from string) {
	switch p.Context.Arch {
	case minidump.ProcessorX86:
		if v, ok := readWord(memory, p.args+minidump.VA(4*n), 4); ok {
			return v, "an argument on the stack"
		}
	case minidump.ProcessorAMD64:
		if p.Context.Flags&minidump.ContextInteger != 0 && n < 2 {
			return p.Context.R[n+1], [...]string{"rcx", "rdx"}[n] // 1 is rcx, 2 is rdx
		}
	case minidump.ProcessorARM64:
		if p.Context.Flags&minidump.ContextInteger != 0 {
			return p.Context.R[n], [...]string{"x0", "x1"}[n]
		}
	}
	return 0, ""
}

func readWord(memory *minidump.Memory, addr minidump.VA, size int) (uint64, bool) {
	var buf [8]byte
	if n, _ := memory.ReadAt(buf[:size], addr); n < size {
		return 0, false
	}
	return binary.LittleEndian.Uint64(buf[:]), true
}

// memoryOf is the memory of a dump, which may be none.
func memoryOf(f *minidump.File) (*minidump.Memory, error) {
	m, err := f.Memory()
	if m == nil {
		m = &minidump.Memory{} // nothing is captured
	}
	if errors.Is(err, minidump.ErrNoStream) {
		err = nil
	}
	return m, err
}
