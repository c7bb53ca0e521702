package testdump

import "github.com/dumpscan/dumpscan/minidump/dumptest"

// Epoch is when the clocks of synthetic processes begin, in seconds since 1970
// UTC: 2023-11-14 22:13:20.
const Epoch = 1_700_000_000

// A Process is what a dump says of the identity and the age of a process that
// has so many keys.
type Process struct {
	File, Program string
	PID           uint32
	Created, Time uint32 // seconds after Epoch; 0 unknown
	CPU           uint32 // seconds
	Keys          int
}

// Dump returns the dump, with a Key without name for each of the keys.
func (p Process) Dump() dumptest.Dump {
	d := dumptest.Dump{
		TimeDateStamp: Epoch + p.Time,
		MiscInfo:      &dumptest.MiscInfo{ProcessID: p.PID, ProcessUserTime: p.CPU},
		HandleData: &dumptest.HandleData{Each: dumptest.GenerateHandles(p.Keys, func(i int) dumptest.Handle {
			return dumptest.Handle{Value: uint64(4 * (i + 1)), Type: "Key", GrantedAccess: 0x20019}
		})},
	}
	if p.Time == 0 {
		d.Patches = []dumptest.Patch{dumptest.PutU32("Header", 20, 0)} // TimeDateStamp
	}
	if p.Program != "" {
		d.Modules = []dumptest.Module{{Base: 0x400000, Size: 0x1000, Name: `C:\bin\` + p.Program}}
	}
	d.MiscInfo.ProcessCreateTime = Epoch + p.Created
	if p.Created == 0 {
		d.MiscInfo.Flags1 = 1 // the process id alone
	}
	return d
}
