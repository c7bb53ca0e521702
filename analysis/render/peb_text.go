package render

import (
	"bufio"
	"fmt"
	"time"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// text writes what !peb does. The environment comes on request alone: passwords
// live in it.
func (r *PEBReport) text(b *bufio.Writer, style Style) error {
	for i := len(r.PEBs) - 1; i >= 0; i-- { // WinDbg has the 32-bit half first
		r.PEBs[i].text(b, style)
	}
	return nil
}

func (p *PEB) text(b *bufio.Writer, style Style) {
	title := "PEB"
	switch {
	case p.wow64 && p.PointerSize == 4:
		title = "Wow64 PEB32"
	case p.wow64:
		title = "Wow64 PEB"
	}
	ptr := func(a Hex) string { return pointer(p.PointerSize, a) }
	fmt.Fprintln(b, style.Bold(title+" at "+ptr(p.Address)))
	line := func(format string, args ...any) { fmt.Fprintf(b, "    "+format+"\n", args...) }
	line("InheritedAddressSpace:    %s", yes(p.InheritedAddressSpace))
	line("ReadImageFileExecOptions: %s", yes(p.ReadImageFileExecOptions))
	line("BeingDebugged:            %s", yes(p.BeingDebugged))
	line("ImageBaseAddress:         %s", ptr(p.ImageBaseAddress))
	line("NtGlobalFlag:             %x", uint64(p.NtGlobalFlag))
	if f := p.NtGlobalFlag2; f != nil {
		line("NtGlobalFlag2:            %x", uint64(*f))
	}
	line("Ldr                       %s", ptr(p.LdrAddress))
	if l := p.Loader; l != nil {
		head := func(h [2]Hex) string { return ptr(h[0]) + " . " + ptr(h[1]) }
		line("Ldr.Initialized:          %s", yes(l.Initialized))
		line("Ldr.InInitializationOrderModuleList: %s", head(l.InInitializationOrder))
		line("Ldr.InLoadOrderModuleList:           %s", head(l.InLoadOrder))
		line("Ldr.InMemoryOrderModuleList:         %s", head(l.InMemoryOrder))
		width := 24 // of the base, which is right-aligned
		if p.PointerSize == 4 {
			width = 16
		}
		fmt.Fprintf(b, "%*s TimeStamp                     Module\n", width, "Base")
		for _, m := range l.Modules {
			fmt.Fprintf(b, "%*x %08x %s %s\n", width, uint64(m.Base), uint64(m.Timestamp), stamp(m.Timestamp).Format("Jan 02 15:04:05 2006"), pebText(m.Path))
		}
	} else {
		line("*** unable to read Ldr table at %s", ptr(p.LdrAddress))
	}
	line("SubSystemData:     %s", ptr(p.SubSystemData))
	line("ProcessHeap:       %s", ptr(p.ProcessHeap))
	line("ProcessParameters: %s", ptr(p.ParametersAddress))
	q := p.Parameters
	if q == nil {
		line("*** unable to read process parameters")
		return
	}
	line("CurrentDirectory:  '%s'", pebText(q.CurrentDirectory))
	line("WindowTitle:  '%s'", pebText(q.WindowTitle))
	line("ImageFile:    '%s'", pebText(q.ImageFile))
	line("CommandLine:  '%s'", pebText(q.CommandLine))
	line("DllPath:      '%s'", pebText(q.DLLPath))
	line("Environment:  %s", ptr(q.Environment))
	for _, v := range q.Variables {
		line("    %s", words.Escape(v.line))
	}
}

func yes(is bool) string { return choose(is, "Yes", "No") }

// pebText is a text of the process, or what WinDbg writes for one that is not
// there.
func pebText(s *string) string {
	if s == nil {
		return "< Name not readable >"
	}
	return words.Escape(*s)
}

// stamp is the time of a linker's time stamp, in UTC.
func stamp(t Hex) time.Time { return time.Unix(int64(uint32(t)), 0).UTC() }
