package render_test

import (
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// hostileNames would each break out of one of the formats.
var hostileNames = []string{
	hostileName,
	"a\nb\r\nc\rd\u2028e\u2029f\u0085g",
	"\n::error::owned", "::error title=x::owned", "##[error]owned", "x%0A::stop-commands::y",
	"a | b |\n|---|---|\n| c | d |",
	"<script>alert(1)</script>", "<!-- x", "<img src=x onerror=y>", "&lt;script&gt;", "</system-out>",
	"]]>", "<![CDATA[x]]>", "]]></failure></testcase>",
	"\x00\x01\x07\b\x1b[2J\x1b]0;title\a\u009b31m\x7f",
	"\u202egpj.exe\u2066x\u2069\u200f\u200b\ufeff",
	"=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1", "\ufe661", "\t=1", "\r=1", `"=1,2"`, "a,b;c\td",
	"# heading", "- list", "+ list", "1. list", "12) list", "    code", "===", "---", "***", "`code`", "[x](javascript:y)", "![x](y)", "> quote", "~~~", `\`,
	"\xff\xfe", "\xed\xa0\x80", "\ufffe\uffff", "\ufffd", "\U0010ffff\ue000",
	strings.Repeat("n", 40_000), "$(id)", "`id`", "';id;'",
}

// complaining gives a report an error with the name in it.
func complaining[T render.Complainer](r T, name string) T {
	problems := &analysis.Problems{}
	problems.Add(name+".dmp", errors.New("cannot read "+name))
	r.Complain(problems)
	return r
}

// traceReport is a trace whose objects, functions, modules and files have the
// name.
func traceReport(t *testing.T, name string) *render.TraceReport {
	t.Helper()
	facts := factsOf(t, htrace.ByFunction)
	facts.Diff.Outstanding = slices.Clone(facts.Diff.Outstanding)
	for i := range facts.Diff.Outstanding {
		object := *facts.Diff.Outstanding[i].Object // which others share
		object.Name = name
		facts.Diff.Outstanding[i].Object = &object
	}
	for addr, l := range facts.Names {
		if l.Function != "" {
			l.Function, l.File = name, name
		}
		for i := range l.Inlined {
			l.Inlined[i].Function, l.Inlined[i].File = name, name
		}
		facts.Names[addr] = l
	}
	return complaining(render.NewTraceReport(facts), name)
}

// injected are reports with a name of a dump wherever one can be.
func injected(t *testing.T, name string) map[string]render.Report {
	t.Helper()
	handle := minidump.Handle{Handle: 4, TypeName: name, ObjectName: name}
	handles := &render.HandlesReport{
		Dump: render.DumpHeader{File: name, Process: name}, Total: 1, Types: []render.TypeCount{{Type: name, Count: 1}},
		Text: render.HandlesText{Flags: analysis.ShowAll, Total: 1},
		Handles: render.NewHandleStream(func(visit func(*minidump.Handle) bool) error {
			visit(&handle)
			return nil
		}, nil),
		Notes: []string{"note about " + name},
	}
	leak := leakReport(name, 0)
	for i := range leak.Findings {
		f := &leak.Findings[i]
		f.Process, f.Culprit, f.Next, f.Command = name, name, "look at "+name, []string{"dumpscan", "handles", name}
		f.Evidence, f.Severity = append(f.Evidence, name, "in "+name), leaks.SeverityLeak
	}
	for i := range leak.Processes {
		leak.Processes[i].Process, leak.Processes[i].Dumps[0].File = name, name
	}
	leak.Notes = append(leak.Notes, name, "note about "+name)
	return map[string]render.Report{
		"handles": complaining(handles, name),
		"modules": complaining(render.NewModuleReport(render.DumpHeader{File: name}, []minidump.Module{{ModuleName: name}},
			[]minidump.UnloadedModule{{ModuleName: name}}, 0), name),
		"check": complaining(checkReport(t, name), name),
		"leaks": complaining(leak, name),
		"trace": traceReport(t, name),
	}
}

// A name of a dump changes the text of no format but where it stands: not how many
// lines, cells, elements or commands there are. Nothing that a terminal must not
// see is written, and all of it is UTF-8.
func TestInjection(t *testing.T) {
	plain := map[string]string{}
	structures := map[render.Format]func(*testing.T, string) string{
		render.Text: countLines, render.Markdown: markdownStructure, render.CSV: csvStructure,
		render.JUnit: xmlStructure, render.GitHub: githubStructure, render.Folded: foldedStructure,
	}
	for i, name := range append([]string{"name"}, hostileNames...) {
		for what, r := range injected(t, name) {
			for format, structure := range structures {
				var out strings.Builder
				key := what + " as " + string(format)
				if err := render.Write(&out, r, format, render.Style{}); err != nil {
					if i > 0 && plain[key] != "" || !strings.Contains(err.Error(), "has no such form") {
						t.Errorf("%s: %.60q: %v", key, name, err)
					}
					continue
				}
				text := out.String()
				if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && words.UnsafeRune(r) }) {
					t.Errorf("%s: %.60q reaches the terminal", key, name)
				}
				// What prints a report on a runner of GitHub must not give it commands. A
				// summary of handles begins lines with types, as WinDbg's does.
				if format != render.GitHub && what != "handles" && commands.MatchString(text) {
					t.Errorf("%s: %.60q gives a command: %.100q", key, name, commands.FindString(text))
				}
				got := structure(t, text)
				if i == 0 {
					plain[key] = got
				} else if diff := cmp.Diff(plain[key], got); diff != "" {
					t.Errorf("%s: %.60q changes the structure (-want +got):\n%.2000s", key, name, diff)
				}
			}
		}
	}
	for _, key := range []string{"leaks as markdown", "check as junit", "check as github", "trace as csv", "trace as folded", "handles as text"} {
		if plain[key] == "" {
			t.Errorf("%s was not tested", key)
		}
	}
}

var commands = regexp.MustCompile(`(?m)^\s*(::|##\[).*`)

func countLines(_ *testing.T, text string) string {
	return strings.Repeat("line\n", strings.Count(text, "\n"))
}

// markdownStructure is what begins lines, and how many cells the rows of a table
// have; no tag and no entity but those of the escapes may be there.
func markdownStructure(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(text) {
		code := strings.HasPrefix(line, "    ")
		rest := regexp.MustCompile(`\\.|&(?:lt|gt|amp|#32);`).ReplaceAllString(line, "")
		if !code && strings.ContainsAny(rest, "<>&`[]") {
			t.Errorf("Markdown has a tag: %.200q", line)
		}
		begin := regexp.MustCompile(`^(?:#+ [0-9.]*|- (?:[-+*=#>:]|\d+[.)] | )?|\d+[.)] |[-+*=>:~]+| {4}|\*\*|\|)?`).FindString(line)
		b.WriteString(begin)
		if begin == "|" {
			b.WriteString(strings.Repeat("|", len(regexp.MustCompile(`(?:^|[^\\])\|`).FindAllString(strings.ReplaceAll(line, `\\`, ""), -1))))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// csvStructure is the number of cells of each row. No cell may be a formula, nor
// begin with what a spreadsheet leaves out before one.
func csvStructure(t *testing.T, text string) string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Errorf("CSV: %v", err)
	}
	var b strings.Builder
	for _, row := range rows {
		for _, cell := range row {
			if regexp.MustCompile("^\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]").MatchString(cell) && !regexp.MustCompile(`^[-+]?[0-9.]+$`).MatchString(cell) {
				t.Errorf("CSV has a formula: %.100q", cell)
			}
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// xmlStructure is the names of the elements and attributes.
func xmlStructure(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Errorf("JUnit: %v", err)
			return b.String()
		}
		switch token := token.(type) {
		case xml.StartElement:
			b.WriteString("<" + token.Name.Local)
			for _, a := range token.Attr {
				b.WriteString(" " + a.Name.Local)
			}
			b.WriteString(">\n")
		case xml.CharData:
		default:
			if _, end := token.(xml.EndElement); !end {
				if _, head := token.(xml.ProcInst); !head {
					t.Errorf("JUnit has %T", token)
				}
			}
		}
	}
}

// githubStructure is the commands with their properties. What is between them has
// to be escaped as the runner demands.
func githubStructure(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(text) {
		m := regexp.MustCompile(`^::(error) (title)=([^:,]*)::(.*)\n$`).FindStringSubmatch(line)
		if m == nil {
			t.Errorf("no command: %.200q", line)
			continue
		}
		for _, part := range m[3:] {
			if strings.ContainsAny(regexp.MustCompile(`%(?:25|0A|0D|3A|2C)`).ReplaceAllString(part, ""), "%\r\n") {
				t.Errorf("not escaped: %.200q", part)
			}
		}
		b.WriteString(m[1] + " " + m[2] + " " + strings.Repeat("%0A", strings.Count(m[4], "%0A")) + "\n")
	}
	return b.String()
}

// foldedStructure is the number of frames and of opens of each line.
func foldedStructure(_ *testing.T, text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		frames, count := line[:strings.LastIndexByte(line, ' ')], line[strings.LastIndexByte(line, ' '):]
		lines = append(lines, strings.Repeat(";", strings.Count(frames, ";"))+count)
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// The labels, functions and files of a profile have the escaped name, and
// nothing else.
func TestProfileInjection(t *testing.T) {
	for _, name := range hostileNames {
		p, err := profile.Parse(strings.NewReader(formatted(t, traceReport(t, name), render.Pprof)))
		if err != nil {
			t.Errorf("%.60q: %v", name, err)
			continue
		}
		found := map[string]int{}
		see := func(what, text string) {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, words.UnsafeRune) {
				t.Errorf("%.60q: the %s %.100q", name, what, text)
			}
			if strings.HasSuffix(text, words.Escape(name)) {
				found[what]++
			}
		}
		for _, s := range p.Sample {
			for key, values := range s.Label {
				if !slices.Contains([]string{"type", "name", "thread", "handle"}, key) || len(values) != 1 {
					t.Errorf("%.60q: label %.100q has %d values", name, key, len(values))
				}
				see("label "+key, values[0])
			}
		}
		for _, f := range p.Function {
			see("function", f.Name)
			see("file", f.Filename)
		}
		for _, m := range p.Mapping {
			see("mapping", m.File)
		}
		if found["label name"] == 0 || found["function"] == 0 || found["file"] == 0 {
			t.Errorf("%.60q is found %v", name, found)
		}
	}
}
