package minidump

import "fmt"

// A PriorityClass is the priority of a process, by which those of its threads
// are counted (*_PRIORITY_CLASS of winbase.h).
type PriorityClass uint32

// The priority classes.
const (
	NormalPriorityClass      PriorityClass = 0x20
	IdlePriorityClass        PriorityClass = 0x40
	HighPriorityClass        PriorityClass = 0x80
	RealtimePriorityClass    PriorityClass = 0x100
	BelowNormalPriorityClass PriorityClass = 0x4000
	AboveNormalPriorityClass PriorityClass = 0x8000
)

// String returns the name in winbase.h, such as "NORMAL_PRIORITY_CLASS".
func (c PriorityClass) String() string {
	switch c {
	case NormalPriorityClass:
		return "NORMAL_PRIORITY_CLASS"
	case IdlePriorityClass:
		return "IDLE_PRIORITY_CLASS"
	case HighPriorityClass:
		return "HIGH_PRIORITY_CLASS"
	case RealtimePriorityClass:
		return "REALTIME_PRIORITY_CLASS"
	case BelowNormalPriorityClass:
		return "BELOW_NORMAL_PRIORITY_CLASS"
	case AboveNormalPriorityClass:
		return "ABOVE_NORMAL_PRIORITY_CLASS"
	}
	return fmt.Sprintf("PriorityClass(%#x)", uint32(c))
}

// A ThreadPriority is the priority of a thread within the class of its process
// (THREAD_PRIORITY_* of winbase.h). In a real-time process others than those
// with a name occur.
type ThreadPriority int32

// The priorities of threads.
const (
	ThreadPriorityIdle         ThreadPriority = -15
	ThreadPriorityLowest       ThreadPriority = -2
	ThreadPriorityBelowNormal  ThreadPriority = -1
	ThreadPriorityNormal       ThreadPriority = 0
	ThreadPriorityAboveNormal  ThreadPriority = 1
	ThreadPriorityHighest      ThreadPriority = 2
	ThreadPriorityTimeCritical ThreadPriority = 15
)

// String returns the name in winbase.h, such as "THREAD_PRIORITY_NORMAL".
func (p ThreadPriority) String() string {
	switch p {
	case ThreadPriorityIdle:
		return "THREAD_PRIORITY_IDLE"
	case ThreadPriorityLowest:
		return "THREAD_PRIORITY_LOWEST"
	case ThreadPriorityBelowNormal:
		return "THREAD_PRIORITY_BELOW_NORMAL"
	case ThreadPriorityNormal:
		return "THREAD_PRIORITY_NORMAL"
	case ThreadPriorityAboveNormal:
		return "THREAD_PRIORITY_ABOVE_NORMAL"
	case ThreadPriorityHighest:
		return "THREAD_PRIORITY_HIGHEST"
	case ThreadPriorityTimeCritical:
		return "THREAD_PRIORITY_TIME_CRITICAL"
	}
	return fmt.Sprintf("ThreadPriority(%d)", int32(p))
}
