package render

import (
	"bufio"
	"cmp"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// windbg writes the streams as .dumpdebug does. Bodies that nobody has published
// are left out.
func (r *StreamsReport) windbg(b *bufio.Writer) error { return r.dumpdebug(b, Style{}, false) }

// text is windbg with what the other streams hold, and with the names of streams
// that WinDbg has none for.
func (r *StreamsReport) text(b *bufio.Writer, style Style) error { return r.dumpdebug(b, style, true) }

func (r *StreamsReport) dumpdebug(b *bufio.Writer, style Style, own bool) error {
	fmt.Fprintf(b, "----- User Mini Dump Analysis\n\n%s\n", style.Bold("MINIDUMP_HEADER:"))
	fmt.Fprintf(b, "Version         %X (%X)\n", uint16(r.Version), r.Version>>16)
	fmt.Fprintf(b, "NumberOfStreams %d\n", r.NumberOfStreams)
	fmt.Fprintf(b, "Flags           %X\n", uint64(r.Flags.Value))
	for bit := minidump.Flags(1); bit != 0; bit <<= 1 {
		if minidump.Flags(r.Flags.Value)&bit != 0 {
			name := bit.String()
			if !strings.HasPrefix(name, "0x") {
				name = "MiniDump" + name
			}
			fmt.Fprintf(b, "                %04X %s\n", uint64(bit), name)
		}
	}
	fmt.Fprintf(b, "\n%s\n", style.Bold("Streams:"))
	for i := range r.Streams {
		s := &r.Streams[i]
		name := s.Name
		if strings.HasPrefix(name, "StreamType(") || !own && s.Type > lastOfWindows {
			name = "???"
		}
		fmt.Fprintf(b, "%s type %s (%d), size %08X, RVA %08X\n", style.Bold(fmt.Sprintf("Stream %d:", s.Index)), name, s.Type, s.Size, uint64(s.Offset))
		shown := !s.Ignored && r.body(b, s)
		if own {
			s.own(b, style, shown)
		}
	}
	return nil
}

// lastOfWindows is the highest type that Windows has given out.
const lastOfWindows = 0xffff

// body writes what WinDbg shows of a stream, and reports whether that is
// something.
func (r *StreamsReport) body(b *bufio.Writer, s *Stream) bool {
	switch minidump.StreamType(s.Type) {
	case minidump.ThreadListStream:
		fmt.Fprintf(b, "  %d threads\n", len(r.threads))
		for _, t := range r.threads {
			fmt.Fprintf(b, "  RVA %08X, ID %X, Teb:%016X\n", t.rva, t.id, uint64(t.teb))
		}
	case minidump.ThreadInfoListStream:
		for _, t := range r.threadInfos {
			fmt.Fprintf(b, "  RVA %08X, ID %X\n", t.rva, t.id)
		}
	case minidump.ModuleListStream:
		fmt.Fprintf(b, "  %d modules\n", len(r.modules))
		for _, m := range r.modules {
			fmt.Fprintf(b, "  RVA %08X, %s - %s: '%s'\n", m.rva, r.address(m.base), r.address(m.end), words.Escape(m.path))
		}
	case minidump.Memory64ListStream:
		if r.memory64 == nil {
			return false
		}
		r.ranges(b)
	case minidump.SystemInfoStream:
		if r.system == nil {
			return false
		}
		r.system.write(b)
	case minidump.HandleDataStream:
		if r.handles == nil {
			return false
		}
		fmt.Fprintf(b, "  %d descriptors, header size is %d, descriptor size is %d\n", r.handles.descriptors, r.handles.header, r.handles.size)
	default:
		return false
	}
	return true
}

// address writes an address with the digits of a pointer, in upper case like all
// other numbers here.
func (r *StreamsReport) address(a minidump.VA) string {
	return strings.ToUpper(pointer(r.Dump.PointerSize, a))
}

// ranges writes the memory of a full dump: where its bytes stand, and where they
// were.
func (r *StreamsReport) ranges(b *bufio.Writer) {
	fmt.Fprintf(b, "  %d memory ranges\n  RVA %#x BaseRva\n  range#    RVA      Address      Size\n", len(r.memory64.Ranges), r.memory64.BaseRVA)
	rva := r.memory64.BaseRVA
	for i, m := range r.memory64.Ranges {
		fmt.Fprintf(b, "%8d %08X    %s   %s\n", i, rva, r.address(m.StartOfMemoryRange), r.address(minidump.VA(m.DataSize)))
		rva += m.DataSize
	}
}

// write writes what the machine and its Windows are.
func (s *streamSystem) write(b *bufio.Writer) {
	fmt.Fprintf(b, "  ProcessorArchitecture   %04X (%s)\n", uint16(s.ProcessorArchitecture), cmp.Or(architectureNames[s.ProcessorArchitecture], s.ProcessorArchitecture.String()))
	fmt.Fprintf(b, "  ProcessorLevel          %04X\n", s.ProcessorLevel)
	fmt.Fprintf(b, "  ProcessorRevision       %04X\n", s.ProcessorRevision)
	fmt.Fprintf(b, "  NumberOfProcessors      %02X\n", s.NumberOfProcessors)
	fmt.Fprintf(b, "  MajorVersion            %08X\n", s.MajorVersion)
	fmt.Fprintf(b, "  MinorVersion            %08X\n", s.MinorVersion)
	fmt.Fprintf(b, "  BuildNumber             %08X (%d)\n", s.BuildNumber, s.BuildNumber)
	fmt.Fprintf(b, "  PlatformId              %08X (%s)\n", uint32(s.PlatformID), platformName(s.PlatformID))
	fmt.Fprintf(b, "  CSDVersionRva           %08X\n", s.csd)
	const indent = "                            "
	fmt.Fprintf(b, "%sLength: %d\n", indent, 2*len(utf16.Encode([]rune(s.CSDVersion))))
	fmt.Fprintf(b, "%sBuffer: {'%s'}\n", indent, words.Escape(s.CSDVersion))
	product, ok := map[minidump.ProductType]string{
		minidump.ProductWorkstation: "WinNt", minidump.ProductDomainController: "LanManNt", minidump.ProductServer: "Server",
	}[s.ProductType]
	if !ok {
		return // it is no Windows
	}
	suite := ""
	for _, v := range []struct {
		bit  minidump.SuiteMask
		name string
	}{{minidump.SuiteTerminal, "TerminalServer"}, {minidump.SuiteDataCenter, "DataCenter"}, {minidump.SuiteSingleUserTS, "SingleUserTS"}} {
		if s.SuiteMask&v.bit != 0 {
			suite += " " + v.name
		}
	}
	fmt.Fprintf(b, "  Product: %s, suite:%s\n", product, suite)
}

// architectureNames are those of winnt.h.
var architectureNames = map[minidump.ProcessorArchitecture]string{
	minidump.ProcessorX86: "PROCESSOR_ARCHITECTURE_INTEL", minidump.ProcessorARM: "PROCESSOR_ARCHITECTURE_ARM",
	minidump.ProcessorIA64: "PROCESSOR_ARCHITECTURE_IA64", minidump.ProcessorAMD64: "PROCESSOR_ARCHITECTURE_AMD64",
	10: "PROCESSOR_ARCHITECTURE_IA32_ON_WIN64", minidump.ProcessorARM64: "PROCESSOR_ARCHITECTURE_ARM64",
}

func platformName(p minidump.PlatformID) string {
	if p == minidump.PlatformWindowsNT {
		return "VER_PLATFORM_WIN32_NT"
	}
	return p.String()
}

// own writes what WinDbg does not. shown says that WinDbg writes the records, or
// all but the last fields.
func (s *Stream) own(b *bufio.Writer, style Style, shown bool) {
	if s.Ignored {
		fmt.Fprintf(b, "  %s\n", style.Warn("ignored: another stream of this type is read instead"))
	}
	if s.Recovered {
		fmt.Fprintf(b, "  %s\n", style.Warn("recovered: the directory does not list it, it was found by its shape"))
	}
	if s.Count != nil && !shown {
		fmt.Fprintf(b, "  %s\n", words.Plural(*s.Count, s.What))
	}
	for _, f := range s.Fields {
		if shown && s.Type == uint32(minidump.SystemInfoStream) && !strings.HasPrefix(f.Name, "VendorId") && !strings.HasPrefix(f.Name, "ProcessorFeatures") {
			continue
		}
		const labels = 26
		fmt.Fprintf(b, "  %-*s %s\n", labels-3, words.Escape(f.Name), style.Wrap(words.Escape(f.Value), labels))
	}
	if s.Error != "" {
		fmt.Fprintf(b, "  %s\n", style.Alarm("error: "+words.Escape(s.Error)))
	}
}
