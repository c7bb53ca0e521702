package dumptest

import (
	"encoding/binary"
	"time"
)

const (
	fieldReportThreadCount = 40
	threadStackSize        = 0x100
)

func fieldThreadID(i int) uint32 { return uint32(3132 + 4*i + i%7*64) }
func fieldTeb(i int) uint64 {
	if i < 12 {
		return uint64(0x7ffdf000 - 0x1000*i)
	}
	return uint64(0x7ff4f000 - 0x1000*(i-12))
}

// fieldReportThreads wait in ntdll, called from the worker pool or from
// MyCustomDll; each has the top of its stack, with two frames.
func fieldReportThreads() []Thread {
	const (
		inNtdll  = 0x7c82860c
		inKernel = 0x77e61d1e
		inPool   = 0x5a364324
		inCustom = 0x00863a10
	)
	threads := make([]Thread, fieldReportThreadCount)
	for i := range threads {
		start := uint32(0x00f0f000 + 0x40000*i)
		caller := uint32(inPool)
		if i%5 == 4 {
			caller = inCustom
		}
		stack := make([]byte, threadStackSize)
		frame := func(at int, next, ret uint32) {
			binary.LittleEndian.PutUint32(stack[at:], next)
			binary.LittleEndian.PutUint32(stack[at+4:], ret)
		}
		binary.LittleEndian.PutUint32(stack, inKernel)
		frame(0x20, start+0x60, inKernel+0x10)
		frame(0x60, start+0xc0, caller)
		frame(0xc0, 0, inKernel+0x2f91)
		threads[i] = Thread{
			ThreadID: fieldThreadID(i), PriorityClass: 0x20, Teb: fieldTeb(i),
			Stack:   MemoryRange{Start: uint64(start), Data: stack},
			Context: ContextX86(inNtdll, start, start+0x20),
		}
	}
	return threads
}

func fieldReportThreadInfos(started time.Time) *ThreadInfoList {
	const unixEpoch = 116444736000000000 // 1970 in FILETIME
	list := &ThreadInfoList{}
	for i := range fieldReportThreadCount {
		created := started.Add(time.Duration(i*i) * 350 * time.Millisecond)
		info := ThreadInfo{
			ThreadID: fieldThreadID(i), CreateTime: uint64(created.UnixNano()/100) + unixEpoch,
			KernelTime: uint64(1_562_500 * (1 + i%9)), UserTime: uint64(4_687_500 * (1 + i%13)),
			StartAddress: 0x5a362a5b, Affinity: 0xf,
		}
		switch {
		case i == 0:
			info.StartAddress = 0x010018cd
		case i%5 == 4:
			info.StartAddress = 0x008631c0
		}
		list.Threads = append(list.Threads, info)
	}
	return list
}
