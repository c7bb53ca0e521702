package render

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/check"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// The elements of JUnit's XML that the CI systems agree on. There is no
// standard; Jenkins, GitLab, Azure and GitHub's actions read this much:
// https://github.com/testmoapp/junitxml.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	ClassName string        `xml:"classname,attr"`
	Name      string        `xml:"name,attr"`
	Failure   *junitProblem `xml:"failure"`
	Error     *junitProblem `xml:"error"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// junit writes the outcome as JUnit's XML: a suite for each dump, or pair of
// dumps, with a case for each check. A breach is a failure, a dump that cannot
// answer an error.
func (r *CheckReport) junit(b *bufio.Writer) error {
	all := junitSuites{Name: "dumpscan check"}
	suites := map[string]int{}
	for i := range r.Results {
		result := &r.Results[i]
		name := words.Escape(result.files())
		at, ok := suites[name]
		if !ok {
			at = len(all.Suites)
			suites[name] = at
			all.Suites = append(all.Suites, junitSuite{Name: name})
		}
		s, c := &all.Suites[at], junitCase{ClassName: name, Name: words.Escape(result.Check)}
		s.Tests, all.Tests = s.Tests+1, all.Tests+1
		switch result.Status {
		case check.Breach:
			s.Failures, all.Failures = s.Failures+1, all.Failures+1
			c.Failure = newJUnitProblem(result)
		case check.Unknown:
			s.Errors, all.Errors = s.Errors+1, all.Errors+1
			c.Error = newJUnitProblem(result)
		}
		s.Cases = append(s.Cases, c)
	}
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(b)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	return b.WriteByte('\n')
}

func newJUnitProblem(r *CheckResult) *junitProblem {
	lines := r.problems()
	return &junitProblem{Message: lines[0], Type: string(r.Status), Text: strings.Join(lines, "\n")}
}

// problems are the sentences about a check that did not pass, at least one.
func (r *CheckResult) problems() []string {
	if r.Status == check.Unknown {
		return []string{"cannot tell: " + words.Escape(r.Reason)}
	}
	var lines []string
	for i := range r.Measures {
		lines = append(lines, words.Escape(r.Measures[i].Sentence))
	}
	return lines
}

// github writes a workflow command for each check that did not pass, which
// GitHub shows as an annotation:
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
func (r *CheckReport) github(b *bufio.Writer) error {
	for i := range r.Results {
		result := &r.Results[i]
		if result.Status == check.Passed {
			continue
		}
		title := "dumpscan: " + words.Escape(result.Check)
		text := words.Escape(result.files()) + ": " + strings.Join(result.problems(), "\n")
		fmt.Fprintf(b, "::error title=%s::%s\n", githubProperty.Replace(title), githubData.Replace(text))
	}
	return nil
}

// The escapes of GitHub's toolkit, escapeData and escapeProperty:
// https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts.
var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
