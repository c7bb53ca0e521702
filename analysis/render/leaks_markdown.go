package render

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// markdown writes the report for a ticket.
func (r *LeakReport) markdown(b *bufio.Writer) error {
	fmt.Fprintf(b, "# %s\n\n**%s**\n", r.Verdict.title(), escapeMarkdown(r.Verdict.Sentence))
	for i := range r.Findings {
		f := &r.Findings[i]
		fmt.Fprintf(b, "\n## %d. %s: %s\n\n%s\n\n", i+1, f.Severity, escapeMarkdown(processLabel(f.Process, f.ProcessID)), escapeMarkdown(f.Sentence))
		for _, e := range f.Evidence {
			fmt.Fprintf(b, "- %s\n", escapeMarkdown(e))
		}
		fmt.Fprintf(b, "\n**Next:** %s\n\n", escapeMarkdown(f.Next))
		if len(f.Command) > 0 {
			fmt.Fprintf(b, "    %s\n\n", words.Escape(words.Command(f.Command...))) // an indented block is left as it is
		}
		fmt.Fprintf(b, "Rule: %s\n", f.Rule)
	}
	if r.Omitted > 0 {
		fmt.Fprintf(b, "\n%s\n", words.More(r.Omitted, "finding"))
	}
	if len(r.Suppressed) > 0 {
		fmt.Fprint(b, "\n## Suppressed\n\n")
		for i := range r.Suppressed {
			fmt.Fprintf(b, "- %s\n", escapeMarkdown(r.Suppressed[i].suppressedLine()))
		}
	}
	fmt.Fprint(b, "\n## Dumps\n\n| process | dump | written | handles |\n|---|---|---|---:|\n")
	for _, p := range r.Processes {
		for i, d := range p.Dumps {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", escapeMarkdown(processLabel(p.Process, p.ProcessID)), escapeMarkdown(d.File), d.Time, words.Count(p.Counts[i]))
		}
	}
	for i, n := range append(append([]string{}, r.Notes...), r.Errors.Lines()...) {
		if i == 0 {
			fmt.Fprint(b, "\n## Notes\n\n")
		}
		fmt.Fprintf(b, "- %s\n", escapeMarkdown(n))
	}
	return nil
}

func (v *LeakVerdict) title() string {
	switch v.Severity {
	case leaks.SeverityLeak:
		return "Handle leak"
	case leaks.SeveritySuspect:
		return "Possible handle leak"
	case leaks.SeverityUnknown:
		return "Cannot tell whether handles leak"
	}
	return "No handle leak found"
}

// markdownEscapes are the characters that mean something to Markdown or HTML.
var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "#", `\#`, "|", `\|`, "~", `\~`, "!", `\!`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;",
)

// escapeMarkdown makes text from a dump safe for Markdown. What it returns may
// stand at the beginning of a line, where a list, a heading or code could begin.
func escapeMarkdown(s string) string {
	s = markdownEscapes.Replace(words.Escape(s))
	rest := strings.TrimLeft(s, "0123456789")
	switch {
	case strings.HasPrefix(s, " "):
		return "&#32;" + s[1:]
	case s != "" && strings.ContainsRune("-+=:", rune(s[0])):
		return `\` + s
	case rest != s && rest != "" && (rest[0] == '.' || rest[0] == ')') && (len(rest) == 1 || rest[1] == ' '):
		return s[:len(s)-len(rest)] + `\` + rest
	}
	return s
}
