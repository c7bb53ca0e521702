package analysis

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

func systemFacts(f *minidump.File, info *StreamsInfo, s *StreamFact) error {
	system, err := f.SystemInfo()
	if system == nil {
		return err
	}
	const csdVersion = 24
	info.System, info.CSDVersion = system, u32In(f, s.StreamType, csdVersion)
	s.add("ProcessorArchitecture", "%s", system.ProcessorArchitecture)
	s.add("ProcessorLevel", "%d", system.ProcessorLevel)
	s.add("ProcessorRevision", "%s", words.Hex(system.ProcessorRevision))
	s.add("NumberOfProcessors", "%d", system.NumberOfProcessors)
	s.add("ProductType", "%s", system.ProductType)
	s.add("Version", "%d.%d.%d", system.MajorVersion, system.MinorVersion, system.BuildNumber)
	s.add("PlatformId", "%s", system.PlatformID)
	s.addText("CSDVersion", system.CSDVersion)
	s.add("SuiteMask", "%s", system.SuiteMask)
	if cpu, ok := system.CPU.X86(); ok {
		s.add("VendorId", "%s", cpu.VendorID)
		s.add("VersionInformation", "%s", words.Hex(cpu.VersionInformation))
		s.add("FeatureInformation", "%s", words.Hex(cpu.FeatureInformation))
		s.add("AMDExtendedCpuFeatures", "%s", words.Hex(cpu.AMDExtendedCPUFeatures))
	} else if system.CPU != (minidump.CPUInformation{}) {
		s.add("ProcessorFeatures", "%s", strings.Join(system.CPU.ProcessorFeatures().Names(), " "))
	}
	return err
}

func miscFacts(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
	m, err := f.MiscInfo()
	if m == nil {
		return err
	}
	s.add("Flags1", "%s", m.Flags1)
	has := func(flag minidump.MiscFlags) bool { return m.Flags1&flag != 0 }
	if has(minidump.MiscProcessID) {
		s.add("ProcessId", "%d (%s)", m.ProcessID, words.Hex(m.ProcessID))
	}
	if created, ok := m.CreateTime(); ok {
		s.add("ProcessCreateTime", "%s", words.Timestamp(created))
	}
	if has(minidump.MiscProcessTimes) {
		s.add("ProcessUserTime", "%d s", m.ProcessUserTime)
		s.add("ProcessKernelTime", "%d s", m.ProcessKernelTime)
	}
	if has(minidump.MiscProcessorPowerInfo) {
		s.add("ProcessorMhz", "%d, at most %d, limited to %d", m.ProcessorCurrentMhz, m.ProcessorMaxMhz, m.ProcessorMhzLimit)
	}
	if has(minidump.MiscProcessIntegrity) {
		s.add("ProcessIntegrityLevel", "%s", m.ProcessIntegrityLevel)
	}
	if has(minidump.MiscProcessExecuteFlags) {
		s.add("ProcessExecuteFlags", "%s", words.Hex(m.ProcessExecuteFlags))
	}
	if has(minidump.MiscProtectedProcess) {
		s.add("ProtectedProcess", "%d", m.ProtectedProcess)
	}
	if has(minidump.MiscTimeZone) {
		zone := m.TimeZone
		s.add("TimeZone", "%d, UTC = local time %+d min, %s, %s", m.TimeZoneID, zone.Bias, words.Name(zone.StandardName), words.Name(zone.DaylightName))
	}
	s.addText("BuildString", m.BuildString)
	s.addText("DbgBldStr", m.DbgBldStr)
	if m.XState.ContextSize > 0 {
		s.add("XStateData", "%d bytes, features %s", m.XState.ContextSize, words.Hex(m.XState.EnabledFeatures))
	}
	if has(minidump.MiscProcessCookie) {
		s.add("ProcessCookie", "%s", words.Hex(m.ProcessCookie))
	}
	return err
}

func exceptionFacts(f *minidump.File, info *StreamsInfo, s *StreamFact) error {
	e, err := f.Exception()
	if e == nil {
		return err
	}
	platform := minidump.PlatformWindowsNT
	if system, _ := f.SystemInfo(); system != nil { // an error is that of another stream
		platform = system.PlatformID
	}
	s.add("ThreadId", "%d (%s)", e.ThreadID, words.Hex(e.ThreadID))
	s.add("ExceptionCode", "%s (%s)", words.Hex(e.ExceptionCode), e.ExceptionCode.Name(platform))
	s.add("ExceptionFlags", "%s", words.Hex(e.ExceptionFlags))
	s.add("ExceptionAddress", "%s", words.Hex(e.ExceptionAddress))
	for i, p := range e.ExceptionInformation {
		s.add(fmt.Sprintf("ExceptionInformation[%d]", i), "%s", words.Hex(p))
	}
	return err
}

func systemMemoryFacts(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
	m, err := f.SystemMemoryInfo()
	if m == nil {
		return err
	}
	page := uint64(m.BasicInfo.PageSize)
	s.add("Revision", "%d", m.Revision)
	s.add("Flags", "%s", m.Flags)
	s.add("PageSize", "%s", words.Bytes(page))
	s.add("NumberOfPhysicalPages", "%s", pages(uint64(m.BasicInfo.NumberOfPhysicalPages), page))
	s.add("AvailablePages", "%s", pages(m.BasicPerfInfo.AvailablePages, page))
	s.add("CommittedPages", "%s", pages(m.BasicPerfInfo.CommittedPages, page))
	s.add("CommitLimit", "%s", pages(m.BasicPerfInfo.CommitLimit, page))
	s.add("PagedPoolPages", "%s", pages(uint64(m.PerfInfo.PagedPoolPages), page))
	s.add("NonPagedPoolPages", "%s", pages(uint64(m.PerfInfo.NonPagedPoolPages), page))
	s.add("FreeSystemPtes", "%s", words.Count(m.PerfInfo.FreeSystemPtes))
	return err
}

// pages writes a number of pages, and their bytes unless that is nonsense.
func pages(n, size uint64) string {
	if bytes := n * size; size > 0 && bytes/size == n {
		return fmt.Sprintf("%s (%s)", words.Count(n), words.Bytes(bytes))
	}
	return words.Count(n)
}

func vmCountersFacts(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
	v, err := f.ProcessVmCounters()
	if v == nil {
		return err
	}
	s.add("Revision", "%d", v.Revision)
	s.add("Flags", "%s", v.Flags)
	s.add("PageFaultCount", "%s", words.Count(v.PageFaultCount))
	for _, c := range []struct {
		flag  minidump.VmCountersFlags
		name  string
		bytes uint64
	}{
		{0, "PeakWorkingSetSize", v.PeakWorkingSetSize}, {0, "WorkingSetSize", v.WorkingSetSize},
		{0, "QuotaPagedPoolUsage", v.QuotaPagedPoolUsage}, {0, "QuotaNonPagedPoolUsage", v.QuotaNonPagedPoolUsage},
		{0, "PagefileUsage", v.PagefileUsage}, {0, "PeakPagefileUsage", v.PeakPagefileUsage},
		{minidump.VmCountersVirtualSize, "PeakVirtualSize", v.PeakVirtualSize}, {minidump.VmCountersVirtualSize, "VirtualSize", v.VirtualSize},
		{minidump.VmCountersEx, "PrivateUsage", v.PrivateUsage},
		{minidump.VmCountersEx2, "PrivateWorkingSetSize", v.PrivateWorkingSetSize}, {minidump.VmCountersEx2, "SharedCommitUsage", v.SharedCommitUsage},
		{minidump.VmCountersJob, "JobSharedCommitUsage", v.JobSharedCommitUsage}, {minidump.VmCountersJob, "JobPrivateCommitUsage", v.JobPrivateCommitUsage},
		{minidump.VmCountersJob, "JobPeakPrivateCommitUsage", v.JobPeakPrivateCommitUsage},
		{minidump.VmCountersJob, "JobPrivateCommitLimit", v.JobPrivateCommitLimit}, {minidump.VmCountersJob, "JobTotalCommitLimit", v.JobTotalCommitLimit},
	} {
		if v.Flags&c.flag == c.flag {
			s.add(c.name, "%s", words.Bytes(c.bytes))
		}
	}
	return err
}

func commentFacts(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
	text, err := f.Comment(s.StreamType)
	s.addText("Comment", text)
	return err
}

func breakpadFacts(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
	b, err := f.BreakpadInfo()
	if b == nil {
		return err
	}
	if b.Validity&minidump.BreakpadDumpThreadID != 0 {
		s.add("DumpThreadId", "%d (%s)", b.DumpThreadID, words.Hex(b.DumpThreadID))
	}
	if b.Validity&minidump.BreakpadRequestingThreadID != 0 {
		s.add("RequestingThreadId", "%d (%s)", b.RequestingThreadID, words.Hex(b.RequestingThreadID))
	}
	return err
}

func assertionFacts(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
	a, err := f.AssertionInfo()
	if a == nil {
		return err
	}
	s.add("Type", "%s", a.Type)
	s.addText("Expression", a.Expression)
	s.addText("Function", a.Function)
	s.addText("File", a.File)
	if a.Line != 0 {
		s.add("Line", "%d", a.Line)
	}
	return err
}

func textFacts(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
	text, err := f.Text(s.StreamType)
	what, end := "line", "\n"
	if s.StreamType == minidump.LinuxCmdLineStream || s.StreamType == minidump.LinuxEnvironStream {
		what, end = "string", "\x00"
	}
	n := strings.Count(text, end)
	if text != "" && !strings.HasSuffix(text, end) {
		n++
	}
	s.list(n, what)
	if s.StreamType == minidump.LinuxCmdLineStream {
		s.addText("Command line", strings.TrimSpace(strings.ReplaceAll(text, end, " ")))
	}
	return err
}

func auxvFacts(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
	entries, err := f.LinuxAuxv()
	s.list(len(entries), "entry")
	for _, e := range entries {
		s.add(e.Type.String(), "%s", words.Hex(e.Value))
	}
	return err
}

func dsoFacts(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
	d, err := f.LinuxDSODebug()
	if d == nil {
		return err
	}
	s.list(len(d.Links), "shared object")
	for _, l := range d.Links {
		s.add(words.Hex(l.Addr), "%s", cmp.Or(l.Name, "the program"))
	}
	return err
}

func crashpadFacts(f *minidump.File, _ *StreamsInfo, s *StreamFact) error {
	c, err := f.CrashpadInfo()
	if c == nil {
		return err
	}
	s.add("ReportId", "%s", c.ReportID.UUID())
	s.add("ClientId", "%s", c.ClientID.UUID())
	if c.AddressMask != 0 {
		s.add("AddressMask", "%s", words.Hex(c.AddressMask))
	}
	for _, a := range c.SimpleAnnotations {
		s.add(a.Key, "%s", a.Value)
	}
	for _, m := range c.Modules {
		prefix := fmt.Sprintf("Module %d", m.ModuleIndex)
		for _, text := range m.ListAnnotations {
			s.add(prefix, "%s", text)
		}
		for _, a := range m.SimpleAnnotations {
			s.add(prefix+" "+a.Key, "%s", a.Value)
		}
		for _, o := range m.AnnotationObjects {
			if o.Type == minidump.AnnotationString {
				s.add(prefix+" "+o.Name, "%s", strings.ToValidUTF8(string(o.Value), "\uFFFD"))
			} else {
				s.add(prefix+" "+o.Name, "%x (%s)", o.Value, o.Type)
			}
		}
	}
	return err
}
