package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// Text writes the report for people: the verdict, the findings with their
// evidence, and what to do next.
func (r *LeakReport) Text(w io.Writer, style Style) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, severityStyle(style, r.Report.Verdict.Severity, words.Escape(r.Report.Verdict.Sentence)))
	for i := range r.Report.Findings {
		f := &r.Report.Findings[i]
		fmt.Fprintf(b, "\n%s  %s: %s\n", severityStyle(style, f.Severity, fmt.Sprintf("%-7s", strings.ToUpper(string(f.Severity)))),
			words.Escape(f.Process.String()), words.Escape(f.Sentence))
		for _, e := range f.Evidence {
			fmt.Fprintf(b, "  - %s\n", words.Escape(e))
		}
		fmt.Fprintf(b, "  %s %s\n", style.Bold("next:"), words.Escape(f.Next.String()))
		fmt.Fprintf(b, "  %s\n", style.Dim("rule: "+f.Rule))
	}
	for i := range r.Report.Suppressed {
		if i == 0 {
			fmt.Fprintln(b)
		}
		fmt.Fprintln(b, style.Dim(suppressedLine(&r.Report.Suppressed[i])))
	}
	for i, note := range r.Notes {
		if i == 0 {
			fmt.Fprintln(b)
		}
		fmt.Fprintf(b, "note: %s\n", words.Escape(note))
	}
	return b.Flush()
}

func suppressedLine(s *leaks.SuppressedFinding) string {
	line := fmt.Sprintf("suppressed (line %d): %s: %s", s.By.Line, s.Process, s.Sentence)
	if s.By.Reason != "" {
		line += " (" + s.By.Reason + ")"
	}
	return words.Escape(line)
}

func severityStyle(style Style, s leaks.Severity, text string) string {
	switch s {
	case leaks.SeverityLeak:
		return style.Alarm(text)
	case leaks.SeveritySuspect:
		return style.Warn(text)
	}
	return style.Good(text)
}

// Markdown writes the report for a ticket.
func (r *LeakReport) Markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# %s\n\n**%s**\n", verdictTitle(r.Report.Verdict), markdown(r.Report.Verdict.Sentence))
	for i := range r.Report.Findings {
		f := &r.Report.Findings[i]
		fmt.Fprintf(b, "\n## %d. %s: %s\n\n%s\n\n", i+1, f.Severity, markdown(f.Process.String()), markdown(f.Sentence))
		for _, e := range f.Evidence {
			fmt.Fprintf(b, "- %s\n", markdown(e))
		}
		fmt.Fprintf(b, "\n**Next:** %s\n\nRule: %s\n", markdown(f.Next.String()), f.Rule)
	}
	if len(r.Report.Suppressed) > 0 {
		fmt.Fprint(b, "\n## Suppressed\n\n")
		for i := range r.Report.Suppressed {
			fmt.Fprintf(b, "- %s\n", markdown(suppressedLine(&r.Report.Suppressed[i])))
		}
	}
	fmt.Fprint(b, "\n## Dumps\n\n| process | dump | written | handles |\n|---|---|---|---:|\n")
	for _, p := range r.Report.Processes {
		for i, s := range p.Series.Snapshots {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", markdown(p.Series.String()), markdown(s.File), timestamp(s.Time), count(p.Total.Counts[i]))
		}
	}
	if notes := append(append([]string{}, r.Notes...), r.Errors...); len(notes) > 0 {
		fmt.Fprint(b, "\n## Notes\n\n")
		for _, n := range notes {
			fmt.Fprintf(b, "- %s\n", markdown(n))
		}
	}
	return b.Flush()
}

func verdictTitle(v leaks.Verdict) string {
	switch v.Severity {
	case leaks.SeverityLeak:
		return "Handle leak"
	case leaks.SeveritySuspect:
		return "Possible handle leak"
	}
	return "No handle leak found"
}

// markdownEscapes are the characters that mean something to Markdown or HTML.
var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "#", `\#`, "|", `\|`, "~", `\~`, "!", `\!`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;",
)

// markdown makes text from a dump safe for Markdown.
func markdown(s string) string { return markdownEscapes.Replace(words.Escape(s)) }
