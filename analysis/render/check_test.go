package render_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/check"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// hostileName is a name that would break out of every format.
const hostileName = "]]><x a=\"1\">&\x00\x1b[31m\u202e\nname%0A::error::, it's \xff"

// hostileReport is checkReport with a hostile name.
func hostileReport(t *testing.T) *render.CheckReport {
	t.Helper()
	return checkReport(t, hostileName)
}

// checkReport has an outcome of every status. name is that of an object.
func checkReport(t *testing.T, name string) *render.CheckReport {
	t.Helper()
	limit := func(kind check.LimitKind, text string) *check.Limit {
		l, err := check.ParseLimit(kind, text)
		if err != nil {
			t.Fatal(err)
		}
		return &l
	}
	kind := analysis.HandleKind{Type: "Key", Name: name, GrantedAccess: 0x20019}
	dumps := []*check.Dump{{File: "a&b.dmp", Err: errors.New("not \x1b a minidump")}}
	return render.NewCheckReport(dumps, &check.Report{
		Results: []check.Result{
			{Limit: limit(check.LimitCount, "Key:<\x1b>%=5"), Files: []string{"a&b.dmp"}, Status: check.Breach,
				Measures: []check.Measure{{Subject: "Key:<\x1b>%", Count: 7, Allowed: 5,
					Cause: check.Cause{HandleKind: kind, Count: 6}}}},
			{Limit: limit(check.LimitCount, "total=9"), Files: []string{"a&b.dmp"}, Status: check.Passed,
				Measures: []check.Measure{{Subject: "total", Count: 7, Allowed: 9}}},
			{Files: []string{"a&b.dmp"}, Status: check.Breach, Measures: []check.Measure{
				{Subject: "Key", Count: 7, Base: 1, Growth: 6, Allowed: 2, Cause: check.Cause{HandleKind: kind, Count: 6}},
				{Subject: "Key", Group: true, Count: 6, Growth: 6, Allowed: 1, Cause: check.Cause{HandleKind: kind, Count: 6}}}},
			{Limit: limit(check.LimitRate, "1/d"), Files: []string{"a&b.dmp", "c.dmp"}, Status: check.Breach, Elapsed: 90 * time.Minute,
				Measures: []check.Measure{{Subject: "Key", Count: 7, Base: 1, Growth: 6, PerHour: 4, Cause: check.Cause{HandleKind: kind, Count: 6, Base: 1}}}},
			{Limit: limit(check.LimitGrowth, "Key=+1"), Files: []string{"a&b.dmp", "c.dmp"}, Status: check.Unknown, Reason: "not \x1b & < one"},
		},
	}, "", nil)
}

// written writes a report.
func written(t *testing.T, r render.Report, f render.Format) string {
	t.Helper()
	var out strings.Builder
	if err := render.Write(&out, r, f, render.Style{}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestCheckJUnitIsXML(t *testing.T) {
	out := written(t, hostileReport(t), render.JUnit)
	type problem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	type testcase struct {
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		Failure *problem `xml:"failure"`
		Error   *problem `xml:"error"`
	}
	type suite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	type suites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Suites   []suite  `xml:"testsuite"`
	}
	var got suites
	if err := xml.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	const name = `Key ]]><x a="1">&<U+0000><U+001B>[31m<U+202E><U+000A>name%0A::error::, it's <0xFF> (access 0x20019)`
	max := "Key:<<U+001B>>%: 7, 5 allowed; 6 of them are " + name
	base := "Key: 7, 1 in the baseline, 2 allowed; most by " + name + ": 0 to 6"
	rate := "Key: 1 to 7, +6 in 1 h 30 min, 4 an hour, 1 a day allowed; most by " + name + ": 1 to 6"
	want := suites{
		XMLName: xml.Name{Local: "testsuites"}, Tests: 5, Failures: 3, Errors: 1,
		Suites: []suite{
			{Name: "a&b.dmp", Tests: 3, Failures: 2, Cases: []testcase{
				{Class: "a&b.dmp", Name: "max Key:<<U+001B>>%=5", Failure: &problem{max, "breach", max}},
				{Class: "a&b.dmp", Name: "max total=9"},
				{Class: "a&b.dmp", Name: "baseline", Failure: &problem{base, "breach", base + "\n" + name + ": 6, 0 in the baseline, 1 allowed"}},
			}},
			{Name: "a&b.dmp to c.dmp", Tests: 2, Failures: 1, Errors: 1, Cases: []testcase{
				{Class: "a&b.dmp to c.dmp", Name: "max-rate 1/d", Failure: &problem{rate, "breach", rate}},
				{Class: "a&b.dmp to c.dmp", Name: "max-growth Key=+1", Error: &problem{
					"cannot tell: not <U+001B> & < one", "unknown", "cannot tell: not <U+001B> & < one"}},
			}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCheckGitHubEscapes(t *testing.T) {
	out := written(t, hostileReport(t), render.GitHub)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	want := []string{ // the beginnings
		`::error title=dumpscan%3A max Key%3A<<U+001B>>%25=5::a&b.dmp: Key:<<U+001B>>%25: 7, 5 allowed; 6 of them are Key ]]>`,
		`::error title=dumpscan%3A baseline::a&b.dmp: Key: 7, 1 in the baseline`,
		`::error title=dumpscan%3A max-rate 1/d::a&b.dmp to c.dmp: Key: 1 to 7`,
		`::error title=dumpscan%3A max-growth Key=+1::a&b.dmp to c.dmp: cannot tell: not <U+001B> & < one`,
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), out)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) || strings.Contains(line, "%0A::") || strings.ContainsAny(line, "\x1b\r") {
			t.Errorf("line %d is %q, want %q", i, line, want[i])
		}
	}
	// The two sentences about the baseline are two lines of one annotation, and
	// what looks like an escape in a name is none.
	if !strings.Contains(lines[1], "0 to 6%0AKey ]]>") || !strings.Contains(lines[1], "name%250A::error::") {
		t.Errorf("line 1 is %q", lines[1])
	}
}

func TestCheckTextAndJSONAreSafe(t *testing.T) {
	r := hostileReport(t)
	out := written(t, r, render.JSON)
	for name, text := range map[string]string{"text": written(t, r, render.Text), "JSON": out} {
		if strings.ContainsAny(text, "\x00\x1b\u202e") {
			t.Errorf("%s has what a terminal must not see:\n%q", name, text)
		}
	}
	var got struct {
		Schema  string
		Passed  bool
		Results []struct {
			Status   string
			Seconds  int
			Measures []struct {
				Count uint64
				Base  *uint64
				Cause *struct{ Name string }
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	if got.Schema != "dumpscan.check/2" || got.Passed || len(got.Results) != 5 {
		t.Errorf("%+v", got)
	}
	first := got.Results[0].Measures[0]
	if first.Base != nil || first.Cause == nil || first.Cause.Name != words.JSONText(hostileName) {
		t.Errorf("first measure %+v", first)
	}
	if got.Results[1].Measures[0].Cause != nil || got.Results[4].Measures == nil || got.Results[3].Seconds != 5400 {
		t.Errorf("%+v", got.Results)
	}
}

func TestBaselineRoundTrip(t *testing.T) {
	want := &check.Baseline{
		Process: "a.exe",
		Types:   []analysis.TypeCount{{Count: 3}, {Type: "Key", Count: 1}},
		Groups: []check.BaselineGroup{
			{Count: 3, GrantedAccess: 0x804},
			{Type: "Key", Name: "\x1b\u202e\"\\<n>", GrantedAccess: 0xffffffff, Count: 1},
		},
	}
	for _, b := range []*check.Baseline{want, {}} {
		got, err := check.ReadBaseline(strings.NewReader(written(t, render.NewBaselineFile(b), render.JSON)))
		if diff := cmp.Diff(b, got); diff != "" || err != nil {
			t.Errorf("(-want +got):\n%s%v", diff, err)
		}
	}
}
