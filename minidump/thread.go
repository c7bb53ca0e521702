package minidump

import "time"

// A MemoryDescriptor is a range of memory of the process and the place of its
// bytes in the file (MINIDUMP_MEMORY_DESCRIPTOR). In full-memory dumps RVA may
// be 0: the bytes are then in the Memory64List, and [File.Memory] finds them.
type MemoryDescriptor struct {
	StartOfMemoryRange VA
	Memory             Location
}

func (c *cursor) memoryDescriptor() MemoryDescriptor {
	return MemoryDescriptor{StartOfMemoryRange: c.va(), Memory: c.location()}
}

// A Thread of the dumped process (MINIDUMP_THREAD, 48 bytes).
type Thread struct {
	ThreadID      uint32
	SuspendCount  uint32         // 0 for a thread that may run
	PriorityClass PriorityClass  // of the process
	Priority      ThreadPriority // relative to the class
	Teb           VA
	Stack         MemoryDescriptor // what the dump holds of it, from the stack pointer up
	ThreadContext Location         // see [File.Section]; a CONTEXT of the processor
}

const threadSize = 48

// Threads returns the ThreadList in the order of the file. With an error, the
// threads that can be read are returned too.
func (f *File) Threads() ([]Thread, error) {
	t, err := f.listTable(ThreadListStream, threadSize, "threads")
	if err != nil {
		return nil, err
	}
	var threads []Thread
	err = f.each(t, func(c *cursor) { threads = append(threads, c.thread()) })
	return threads, err
}

func (c *cursor) thread() Thread {
	return Thread{
		ThreadID:      c.u32(),
		SuspendCount:  c.u32(),
		PriorityClass: PriorityClass(c.u32()),
		Priority:      ThreadPriority(c.i32()),
		Teb:           c.va(),
		Stack:         c.memoryDescriptor(),
		ThreadContext: c.location(),
	}
}

// A ThreadEx is a thread of a processor with a second stack, for its registers
// (MINIDUMP_THREAD_EX, 64 bytes; Itanium).
type ThreadEx struct {
	Thread
	BackingStore MemoryDescriptor
}

// ThreadExs returns the ThreadExList in the order of the file. With an error,
// the threads that can be read are returned too. A dump has this list instead
// of the ThreadList, for Itanium alone.
func (f *File) ThreadExs() ([]ThreadEx, error) {
	t, err := f.listTable(ThreadExListStream, threadSize+16, "threads")
	if err != nil {
		return nil, err
	}
	var threads []ThreadEx
	err = f.each(t, func(c *cursor) {
		threads = append(threads, ThreadEx{Thread: c.thread(), BackingStore: c.memoryDescriptor()})
	})
	return threads, err
}

// ThreadDumpFlags say what went wrong, or was special, when a thread was
// dumped (MINIDUMP_THREAD_INFO_*).
type ThreadDumpFlags uint32

// The flags of a [ThreadInfo].
const (
	ThreadErrorThread    ThreadDumpFlags = 0x1
	ThreadWritingThread  ThreadDumpFlags = 0x2
	ThreadExitedThread   ThreadDumpFlags = 0x4
	ThreadInvalidInfo    ThreadDumpFlags = 0x8
	ThreadInvalidContext ThreadDumpFlags = 0x10
	ThreadInvalidTeb     ThreadDumpFlags = 0x20
)

var threadDumpFlagNames = [...]string{
	"MINIDUMP_THREAD_INFO_ERROR_THREAD", "MINIDUMP_THREAD_INFO_WRITING_THREAD", "MINIDUMP_THREAD_INFO_EXITED_THREAD",
	"MINIDUMP_THREAD_INFO_INVALID_INFO", "MINIDUMP_THREAD_INFO_INVALID_CONTEXT", "MINIDUMP_THREAD_INFO_INVALID_TEB",
}

// String returns the names in minidumpapiset.h, joined by "|". Bits without a
// name come last, as one hexadecimal number; none is "0".
func (f ThreadDumpFlags) String() string { return bitString(uint64(f), threadDumpFlagNames[:]) }

// StillActive is the ExitStatus of a thread or process that runs.
const StillActive = 0x103

// ThreadInfo holds times and the start address of a thread
// (MINIDUMP_THREAD_INFO, 64 bytes).
type ThreadInfo struct {
	ThreadID     uint32
	DumpFlags    ThreadDumpFlags
	DumpError    uint32 // HRESULT
	ExitStatus   uint32 // StillActive while it runs
	CreateTime   uint64 // FILETIME: 100 ns since 1601 UTC; see [FileTime]
	ExitTime     uint64 // FILETIME
	KernelTime   uint64 // 100 ns
	UserTime     uint64 // 100 ns
	StartAddress VA
	Affinity     uint64 // a bit for each processor
}

// ThreadInfos returns the ThreadInfoList, which a dump has if it was written
// with MiniDumpWithThreadInfo. With an error, the entries that can be read
// are returned too.
func (f *File) ThreadInfos() ([]ThreadInfo, error) {
	t, err := f.exTable(ThreadInfoListStream, 64, false, "threads")
	if err != nil {
		return nil, err
	}
	var infos []ThreadInfo
	err = f.each(t, func(c *cursor) {
		infos = append(infos, ThreadInfo{
			ThreadID:     c.u32(),
			DumpFlags:    ThreadDumpFlags(c.u32()),
			DumpError:    c.u32(),
			ExitStatus:   c.u32(),
			CreateTime:   c.u64(),
			ExitTime:     c.u64(),
			KernelTime:   c.u64(),
			UserTime:     c.u64(),
			StartAddress: c.va(),
			Affinity:     c.u64(),
		})
	})
	return infos, err
}

// FileTime converts a FILETIME (100 ns since 1601 UTC) to a time in UTC. 0,
// which stands for a time that is not known, becomes 1601.
func FileTime(t uint64) time.Time {
	const perSecond, from1601to1970 = 10_000_000, 11_644_473_600
	return time.Unix(int64(t/perSecond)-from1601to1970, int64(t%perSecond)*100).UTC()
}

// A ThreadName is the name that a program gave a thread with
// SetThreadDescription (MINIDUMP_THREAD_NAME, 12 bytes).
type ThreadName struct {
	ThreadID uint32
	Name     string
}

// ThreadNames returns the ThreadNamesStream. A name that cannot be read is
// left empty; the error is the first that was met.
func (f *File) ThreadNames() ([]ThreadName, error) {
	t, err := f.listTable(ThreadNamesStream, 12, "thread names")
	if err != nil {
		return nil, err
	}
	var names []ThreadName
	strings := nameReader{f: f, stream: ThreadNamesStream}
	var first error
	err = f.each(t, func(c *cursor) {
		id, rva := c.u32(), c.u64() // the one place with 64-bit RVAs
		name, err := strings.read(rva)
		if first == nil {
			first = err
		}
		names = append(names, ThreadName{ThreadID: id, Name: name})
	})
	if first == nil {
		first = err
	}
	return names, first
}
