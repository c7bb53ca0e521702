package dumptest

import "fmt"

// fieldReportHandles are the handles of the report in ascending order. What the
// process opened when it started comes first; then come the leaked keys, with
// the rest strewn among them.
func fieldReportHandles() []Handle {
	others := fieldReportOthers()
	keys := fieldReportKeys()
	random := xorshift(20120120)

	const early = 700 // handles that the start of the process left behind
	handles := make([]Handle, 0, len(others)+len(keys))
	value := uint64(0)
	for len(others)+len(keys) > 0 {
		value += 4
		if value%0x800 == 0 { // Windows gives out no first entry of a page of its table
			continue
		}
		must := value == 0x7e0 || value == 0x7fc || value == 0x834
		other := len(keys) == 0
		if len(others) > 0 && !must {
			if len(handles) < early {
				other = other || random.below(100) < 55
			} else {
				other = other || random.below(len(others)+len(keys)) < len(others)
			}
		}
		var h Handle
		if other {
			h, others = others[0], others[1:]
		} else {
			h, keys = keys[0], keys[1:]
		}
		h.Value = value
		handles = append(handles, h)
	}
	fix(handles, 0x7e0, 0x20019, `\REGISTRY\MACHINE\SOFTWARE\Classes`)
	fix(handles, 0x7fc, 0xf003f, "")
	fix(handles, 0x834, 0xf003f, "")
	return handles
}

// fix gives the key of that value what the report says of it, in exchange with
// the next keys that have it, so that all counts stay.
func fix(handles []Handle, value uint64, access uint32, name string) {
	at := 0
	for handles[at].Value != value {
		at++
	}
	key := &handles[at]
	later := func(has func(h Handle) bool) *Handle {
		for i := at; ; i++ {
			if handles[i].Type == "Key" && has(handles[i]) {
				return &handles[i]
			}
		}
	}
	a := later(func(h Handle) bool { return h.GrantedAccess == access })
	a.GrantedAccess, key.GrantedAccess = key.GrantedAccess, access
	n := later(func(h Handle) bool { return h.Name == name })
	n.Name, key.Name = key.Name, name
}

// fieldReportKeys: each leaking call leaves three, one of them opened for
// reading, one for reading and writing, one with all rights.
func fieldReportKeys() []Handle {
	const (
		count = 65602
		named = 65602 - 65104
		early = 240 // names of all kinds; later ones are those of the leak
	)
	names := []string{
		`\REGISTRY\MACHINE`, `\REGISTRY\USER\S-1-5-20`, `\REGISTRY\USER\S-1-5-20_Classes`, `\REGISTRY\USER`,
		`\REGISTRY\MACHINE\SOFTWARE\Classes`, `\REGISTRY\MACHINE\SOFTWARE\Classes\CLSID`,
		`\REGISTRY\MACHINE\SOFTWARE\Microsoft\COM3`, `\REGISTRY\MACHINE\SOFTWARE\Microsoft\InetStp`,
		`\REGISTRY\MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options`,
		`\REGISTRY\MACHINE\SYSTEM\ControlSet001\Control\Nls\Locale`, `\REGISTRY\MACHINE\SYSTEM\ControlSet001\Control\Nls\Language Groups`,
		`\REGISTRY\MACHINE\SYSTEM\ControlSet001\Control\NetworkProvider\HwOrder`,
		`\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\Tcpip\Parameters`, `\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\Tcpip\Linkage`,
		`\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\WinSock2\Parameters\Protocol_Catalog9`,
		`\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\WinSock2\Parameters\NameSpace_Catalog5`,
		`\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\W3SVC\Parameters`, `\REGISTRY\MACHINE\SOFTWARE\MyCustomApp\Settings`,
	}
	rare := []uint32{0x20006, 0x6, 0x1, 0x9, 0x3, 0xf, 0x2}
	keys := make([]Handle, count)
	given := 0
	for i := range keys {
		keys[i] = Handle{Type: "Key", GrantedAccess: 0xf003f}
		switch {
		case i%3 == 0:
			keys[i].GrantedAccess = 0x20019
		case i%3 == 2:
			keys[i].GrantedAccess = 0x2001f
		case i < 400 && i%5 == 1:
			keys[i].GrantedAccess = rare[i/5%len(rare)]
		}
		// The names left over are given out evenly to the end.
		switch {
		case i < early:
			keys[i].Name = names[i%len(names)]
			given++
		case given < named && (i-early)*(named-early)/(count-early) >= given-early:
			keys[i].Name = `\REGISTRY\MACHINE\SOFTWARE\Classes`
			given++
		}
	}
	return keys
}

// fieldReportOthers are all handles but the keys, shuffled.
func fieldReportOthers() []Handle {
	var all []Handle
	add := func(typ string, make func(i int) Handle) {
		for i := range fieldReportCounts[typ] {
			h := make(i)
			h.Type = typ
			all = append(all, h)
		}
	}
	named := func(i int, names ...string) string {
		if i < len(names) {
			return names[i]
		}
		return ""
	}
	based := func(name string) string { return `\BaseNamedObjects\` + name }

	add("", func(int) Handle { return Handle{} }) // not to be duplicated: all zero
	add("Event", func(i int) Handle {
		h := Handle{GrantedAccess: 0x1f0003, Name: named(i, based("crypt32LogoffEvent"), based("userenv:  User Profile setup event"),
			based(fmt.Sprintf("CLR_PerfMon_StartEnumEvent_%d", fieldReportProcess)), based("TermSrvReadyEvent"), `\Security\LSA_AUTHENTICATION_INITIALIZED`)}
		if i%11 == 10 {
			h.GrantedAccess = 0x100000 // without the right to query, there is no information
			return h
		}
		h.Info = []ObjectInformation{EventInformation{AutoReset: i%3 != 0, Set: i%8 == 3}}
		return h
	})
	add("Section", func(i int) Handle {
		return Handle{GrantedAccess: []uint32{0xf001f, 0xf0007, 0x4}[i%3] | 1, Name: named(i, based(fmt.Sprintf("Cor_Private_IPCBlock_%d", fieldReportProcess)),
			based(fmt.Sprintf("Cor_Public_IPCBlock_%d", fieldReportProcess)), based("__R_0000000000da_SMem__"), based("RotHintTable"), `\NLS\NlsSectionCType`),
			Info: []ObjectInformation{SectionInformation{AllocationAttributes: 0x8000000, MaximumSize: int64(0x1000 << (i % 9))}}}
	})
	// Writers ask no file for its name, because the answer may never come.
	add("File", func(i int) Handle {
		return Handle{GrantedAccess: []uint32{0x12019f, 0x100001, 0x120089, 0x100020, 0x16019f}[i%5]}
	})
	add("Port", func(i int) Handle {
		return Handle{GrantedAccess: 0x1f0001, Name: named(i, `\RPC Control\OLE5C1F60B2A4D94B7C8E21`)}
	})
	add("Directory", func(i int) Handle {
		return Handle{GrantedAccess: []uint32{0x3, 0x2000f}[i], Attributes: []uint32{0x10, 0}[i], Name: []string{`\KnownDlls`, `\BaseNamedObjects`}[i]}
	})
	add("Mutant", func(i int) Handle {
		h := Handle{GrantedAccess: 0x1f0001, Name: named(i, based("ShimCacheMutex"), `\NlsCacheMutant`, based(".NET CLR Data_Perf_Library_Lock"))}
		h.Info = []ObjectInformation{MutantOwner{}, MutantInformation{CurrentCount: 1}}
		if i == 4 {
			h.Info = []ObjectInformation{MutantOwner{fieldReportProcess, uint64(fieldThreadID(9))}, MutantInformation{}}
		}
		return h
	})
	add("WindowStation", func(int) Handle {
		return Handle{GrantedAccess: 0xf037f, Name: `\Windows\WindowStations\Service-0x0-3e4$`}
	})
	add("Desktop", func(int) Handle { return Handle{GrantedAccess: 0xf01ff, Name: `\Default`} })
	add("Semaphore", func(i int) Handle {
		return Handle{GrantedAccess: 0x1f0003, Name: named(i, based("shell.{A48F1A32-A340-11D1-BC6B-00A0C90312E1}")),
			Info: []ObjectInformation{SemaphoreInformation{int32(i % 4), 0x7fffffff}}}
	})
	add("Token", func(i int) Handle { return Handle{GrantedAccess: []uint32{0xc, 0x8, 0xf01ff}[i%3]} })
	add("Process", func(int) Handle {
		return Handle{GrantedAccess: 0x1f0fff, Info: []ObjectInformation{ProcessInformation{ExitStatus: 0x103, Peb: 0x7ffdc000,
			AffinityMask: 0xf, BasePriority: 8, ProcessID: fieldReportProcess, ParentProcessID: 1860}}}
	})
	add("Thread", fieldReportThreadHandle)
	add("IoCompletion", func(int) Handle { return Handle{GrantedAccess: 0x1f0003} })
	add("Timer", func(int) Handle { return Handle{GrantedAccess: 0x1f0003} })
	add("KeyedEvent", func(int) Handle {
		return Handle{GrantedAccess: 0xf0003, Name: `\KernelObjects\CritSecOutOfMemoryEvent`}
	})

	random := xorshift(3128)
	for i := len(all) - 1; i > 0; i-- {
		j := random.below(i + 1)
		all[i], all[j] = all[j], all[i]
	}
	return all
}

// fieldReportThreadHandle: most threads have two handles, and twelve handles
// keep threads that have exited.
func fieldReportThreadHandle(i int) Handle {
	const living = 70
	h := Handle{GrantedAccess: 0x1f03ff, HandleCount: 3, PointerCount: 5}
	info := ThreadInformation{ProcessID: fieldReportProcess, AffinityMask: 0xf}
	if i < living {
		n := i % fieldReportThreadCount
		if n >= living-fieldReportThreadCount {
			h.HandleCount, h.PointerCount = 2, 4
		}
		info.ThreadID, info.Teb, info.ExitStatus = uint64(fieldThreadID(n)), fieldTeb(n), 0x103
		info.Priority, info.BasePriority = int32(8+n%3), 0
	} else {
		h.HandleCount, h.PointerCount = 2, 3
		info.ThreadID = uint64(4400 + 4*i)
	}
	h.Info = []ObjectInformation{info}
	return h
}

// xorshift is a generator of numbers that are the same for ever.
type xorshift uint64

func (x *xorshift) below(n int) int {
	*x ^= *x << 13
	*x ^= *x >> 7
	*x ^= *x << 17
	return int(uint64(*x) >> 11 % uint64(n))
}
