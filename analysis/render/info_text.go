package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// InfoText writes what is known of a dump and its process for people.
func InfoText(w io.Writer, file string, d *analysis.DumpInfo, style Style) error {
	b := bufio.NewWriter(w)
	line := func(label, format string, args ...any) {
		fmt.Fprintf(b, "%s %s\n", style.Bold(fmt.Sprintf("%-14s", label+":")), words.Escape(fmt.Sprintf(format, args...)))
	}
	line("file", "%s, %s", file, humanize.IBytes(uint64(d.Size)))
	if d.Writer.Name == "" {
		line("writer", "unknown; header version %#x", d.Version)
	} else {
		line("writer", "%s (%s)", d.Writer.Name, d.Writer.Evidence)
	}
	line("flags", "%#x %s", uint64(d.Flags), d.Flags)
	if s := d.System; s != nil {
		line("os", "%s%s", osName(s), osDetail(s, d.Misc))
		line("processors", "%d, %s", s.NumberOfProcessors, s.ProcessorArchitecture)
	}
	if d.Process != "" {
		line("process", "%s", d.Process)
	}
	if m := d.Misc; m != nil && m.Flags1&minidump.MiscProcessID != 0 {
		line("process id", "%d (%#x)", m.ProcessID, m.ProcessID)
	}
	if !d.Created.IsZero() {
		line("started", "%s", timestamp(d.Created))
	}
	if !d.Time.IsZero() {
		line("dumped", "%s", timestamp(d.Time))
	}
	line("uptime", "%s", uptime(d))
	if m := d.Misc; m != nil && m.Flags1&minidump.MiscProcessTimes != 0 {
		line("cpu time", "user %s, kernel %s", seconds(m.ProcessUserTime), seconds(m.ProcessKernelTime))
	}
	if v := d.Memory; v != nil {
		line("memory", "private %s, working set %s", humanize.IBytes(v.PrivateUsage), humanize.IBytes(v.WorkingSetSize))
		line("pool quota", "paged %s, nonpaged %s", humanize.IBytes(v.QuotaPagedPoolUsage), humanize.IBytes(v.QuotaNonPagedPoolUsage))
	}
	for _, c := range d.Comments {
		line("comment", "%s", c)
	}
	answer(line, "handles", d.Handles)
	answer(line, "handle traces", d.Traces)
	answer(line, "full memory", d.FullMem)

	fmt.Fprintf(b, "\n")
	t := Table{Header: []string{"Stream", "Size", "Offset"}, Right: []bool{false, true, true}, Style: style}
	for _, s := range d.Streams {
		t.Row(streamName(s.StreamType), fmt.Sprint(s.DataSize), hexNumber(s.RVA))
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return t.Write(w)
}

// streamName gives the number and the name of a stream. The numbers of the
// format are known in decimal, those of other writers in hexadecimal.
func streamName(t minidump.StreamType) string {
	switch name := t.String(); {
	case strings.HasPrefix(name, "StreamType("):
		return name
	case t > 0xffff:
		return fmt.Sprintf("%#x %s", uint32(t), name)
	default:
		return fmt.Sprintf("%d %s", t, name)
	}
}

func answer(line func(label, format string, args ...any), label string, a analysis.Answer) {
	text := choose(a.Can, "yes", "no")
	if a.Detail != "" {
		text += "; " + a.Detail
	}
	if a.Advice != "" {
		text += "; " + a.Advice
	}
	line(label, "%s", text)
}

func osDetail(s *minidump.SystemInfo, m *minidump.MiscInfo) string {
	var parts []string
	if kind := map[uint8]string{1: "workstation", 2: "domain controller", 3: "server"}[uint8(s.ProductType)]; kind != "" && s.PlatformID == minidump.PlatformWindowsNT {
		parts = append(parts, kind)
	}
	if s.CSDVersion != "" {
		parts = append(parts, s.CSDVersion)
	}
	if m != nil && m.BuildString != "" {
		parts = append(parts, m.BuildString)
	}
	if s.PlatformID != minidump.PlatformWindowsNT {
		parts = append(parts, "not a Windows dump")
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func uptime(d *analysis.DumpInfo) string {
	switch {
	case d.Created.IsZero():
		return "unknown: the dump does not tell when the process was started"
	case d.Time.IsZero():
		return "unknown: the dump does not tell when it was written"
	case d.Time.Before(d.Created):
		return "unknown: the process was started after the dump was written, so one of the clocks is wrong"
	}
	return words.Duration(d.Uptime)
}

func seconds(n uint32) string { return words.Duration(time.Duration(n) * time.Second) }
