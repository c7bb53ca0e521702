package render

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// text writes the verdict, the findings with their evidence, and what to do
// next.
func (r *LeakReport) text(b *bufio.Writer, style Style) error {
	fmt.Fprintln(b, severityStyle(style, r.Verdict.Severity, words.Escape(r.Verdict.Sentence)))
	for i := range r.Findings {
		f := &r.Findings[i]
		fmt.Fprintf(b, "\n%s  %s: %s\n", severityStyle(style, f.Severity, fmt.Sprintf("%-7s", strings.ToUpper(string(f.Severity)))),
			words.Escape(processLabel(f.Process, f.ProcessID)), words.Escape(f.Sentence))
		for _, e := range f.Evidence {
			fmt.Fprintf(b, "  - %s\n", words.Escape(e))
		}
		fmt.Fprintf(b, "  %s %s\n", style.Bold("next:"), words.Escape(f.nextLine()))
		fmt.Fprintf(b, "  %s\n", style.Dim("rule: "+f.Rule))
	}
	if r.Omitted > 0 {
		fmt.Fprintf(b, "\n%s\n", words.More(r.Omitted, "finding"))
	}
	for i := range r.Suppressed {
		if i == 0 {
			fmt.Fprintln(b)
		}
		fmt.Fprintln(b, style.Dim(words.Escape(r.Suppressed[i].suppressedLine())))
	}
	for i, note := range r.Notes {
		if i == 0 {
			fmt.Fprintln(b)
		}
		fmt.Fprintf(b, "note: %s\n", words.Escape(note))
	}
	return nil
}

// processLabel names a process in a sentence: "w3wp.exe (7640)".
func processLabel(name string, id *uint32) string {
	if id == nil {
		return name
	}
	return fmt.Sprintf("%s (%d)", name, *id)
}

// nextLine is the next step with its command, to paste.
func (f *LeakFinding) nextLine() string { return analysis.Step{Text: f.Next, Args: f.Command}.String() }

func (f *LeakFinding) suppressedLine() string {
	line := fmt.Sprintf("suppressed (line %d): %s: %s", f.SuppressedBy.Line, processLabel(f.Process, f.ProcessID), f.Sentence)
	if f.SuppressedBy.Reason != "" {
		line += " (" + f.SuppressedBy.Reason + ")"
	}
	return line
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

// csv writes a row for each finding.
func (r *LeakReport) csv(b *bufio.Writer) error {
	w := csv.NewWriter(b)
	w.Write([]string{"severity", "rule", "process", "processId", "type", "name", "grantedAccess", "access", "state",
		"count", "growth", "ratePerHour", "shape", "culprit", "sentence"})
	for i := range r.Findings {
		f := &r.Findings[i]
		w.Write([]string{string(f.Severity), f.Rule, words.CSVCell(f.Process), optional(f.ProcessID, formatUint[uint32]),
			words.CSVCell(f.Type), words.CSVCell(f.Name), optional(f.GrantedAccess, words.Hex[Hex]), strings.Join(f.Access, " "), f.State,
			strconv.FormatUint(f.Count, 10), optional(f.Growth, func(n int64) string { return strconv.FormatInt(n, 10) }),
			optional(f.RatePerHour, func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }),
			string(f.Shape), words.CSVCell(f.Culprit), words.CSVCell(f.Sentence)})
	}
	w.Flush()
	return w.Error()
}

// optional is a cell of CSV that is empty without a value.
func optional[T any](value *T, text func(T) string) string {
	if value == nil {
		return ""
	}
	return text(*value)
}

func formatUint[T ~uint32 | ~uint64](n T) string { return strconv.FormatUint(uint64(n), 10) }
