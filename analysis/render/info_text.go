package render

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// text writes what is known of a dump and its process for people.
func (r *InfoReport) text(b *bufio.Writer, style Style) error {
	line := func(label, format string, args ...any) {
		const labels = 15
		text := style.Wrap(words.Escape(fmt.Sprintf(format, args...)), labels)
		fmt.Fprintf(b, "%s %s\n", style.Bold(fmt.Sprintf("%-*s", labels-1, label+":")), text)
	}
	line("file", "%s, %s", r.Dump.File, words.Bytes(r.Size))
	if r.Writer.Name == "" {
		line("writer", "unknown; header version %s", words.Hex(r.Version))
	} else {
		line("writer", "%s (%s)", r.Writer.Name, r.Writer.Evidence)
	}
	line("flags", "%s %s", words.Hex(r.Flags.Value), strings.Join(r.Flags.Names, "|"))
	if s := r.System; s != nil {
		line("os", "%s%s", r.Dump.OS, r.osDetail())
		line("processors", "%d, %s", s.Processors, s.Architecture)
	}
	if r.Dump.Path != "" {
		line("process", "%s", r.Dump.Path)
	}
	if id := r.Dump.ProcessID; id != nil {
		line("process id", "%d (%s)", *id, words.Hex(*id))
	}
	if r.Dump.Created != "" {
		line("started", "%s", r.Dump.Created)
	}
	if r.Dump.Time != "" {
		line("dumped", "%s", r.Dump.Time)
	}
	line("uptime", "%s", r.uptime())
	if c := r.CPU; c != nil {
		line("cpu time", "user %s, kernel %s", cpuTime(c.User), cpuTime(c.Kernel))
	}
	if m := r.Memory; m != nil {
		line("memory", "private %s, working set %s", words.Bytes(m.Private), words.Bytes(m.WorkingSet))
		line("pool quota", "paged %s, nonpaged %s", words.Bytes(m.PagedPool), words.Bytes(m.NonPagedPool))
	}
	if m := r.Machine; m != nil {
		line("machine", "%s of memory, %s available; committed %s of %s; pool: paged %s, nonpaged %s", words.Bytes(m.Physical), words.Bytes(m.Available),
			words.Bytes(m.Committed), words.Bytes(m.CommitLimit), words.Bytes(m.PagedPool), words.Bytes(m.NonPagedPool))
	}
	if e := r.Exception; e != nil {
		line("exception", "%s", e.label)
	}
	for _, c := range r.Comments {
		line("comment", "%s", c)
	}
	line("handles", "%s", r.Answers.Handles)
	line("handle traces", "%s", r.Answers.HandleTraces)
	line("full memory", "%s", r.Answers.FullMemory)
	for _, n := range r.Notes {
		line("note", "%s", n)
	}
	fmt.Fprintf(b, "\n")
	t := Table{Header: []string{"Stream", "Size", "Offset"}, Right: []bool{false, true, true}, Drop: []string{"Offset"}, Style: style}
	for _, s := range r.Streams {
		t.Row(s.label(), fmt.Sprint(s.Size), words.Hex(s.Offset))
	}
	return t.Write(b)
}

// label gives the number and the name of a stream. The numbers of the format
// are known in decimal, those of other writers in hexadecimal.
func (s InfoStream) label() string {
	label := fmt.Sprintf("%d %s", s.Type, s.Name)
	switch {
	case strings.HasPrefix(s.Name, "StreamType("):
		label = s.Name
	case s.Type > 0xffff:
		label = fmt.Sprintf("%#x %s", s.Type, s.Name)
	}
	if s.Recovered {
		label += " (recovered)"
	}
	return label
}

// String is the answer for people.
func (a InfoAnswer) String() string {
	parts := []string{choose(a.Can, "yes", "no"), a.Detail, a.Advice}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

// osDetail is what is known of the system beside its name and version. A product
// that has a name needs no other description of it.
func (r *InfoReport) osDetail() string {
	s := r.System
	parts := []string{s.Name, s.Build}
	if s.Name == "" || r.product == productWords[minidump.ProductDomainController] {
		parts = []string{s.Name, r.product, s.ServicePack, s.Build}
	}
	if s.Name != "" && strings.Contains(s.Name, " SP") {
		parts = slices.DeleteFunc(parts, func(p string) bool { return p == s.ServicePack })
	}
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func cpuTime(seconds uint32) string { return words.Duration(time.Duration(seconds) * time.Second) }
