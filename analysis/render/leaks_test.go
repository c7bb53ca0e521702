package render_test

import (
	"encoding/json"
	"errors"
	"log"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// leakReport has a finding with everything that one can have, one about no
// group, and one that was accepted. name is the object's.
func leakReport(name string, limit int) *render.LeakReport {
	process := analysis.ProcessIdentity{Process: `C:\srv\w3wp.exe`, ProcessID: 7640, HasProcessID: true}
	start := time.Date(2024, 5, 1, 8, 0, 0, 0, time.UTC)
	series := &analysis.Series{ProcessIdentity: process, Hours: []float64{0, 2}}
	for i, file := range []string{"1.dmp", "2.dmp"} {
		at := start.Add(time.Duration(2*i) * time.Hour)
		series.Snapshots = append(series.Snapshots, &analysis.Snapshot{
			File: file, Time: at, ProcessIdentity: process, Info: &analysis.DumpInfo{Time: at, PointerSize: 8},
		})
	}
	key := leaks.Group{
		HandleKind: analysis.HandleKind{Type: "Key", Name: name, GrantedAccess: 0x20019}, Merged: true,
		Growth: leaks.Growth{Counts: []uint64{3, 703}, Shape: leaks.ShapeRise,
			Rate: &leaks.Rate{PerHour: 350.004, Low: 320, High: 380, Basis: leaks.RateCounting}},
		Turnover: &leaks.Turnover{Opened: 700, Born: 700, Early: 700, Kept: 700, EarlyAt: 1, Survivors: []uint64{0x7e0, 0x7e4}},
		Opener: &leaks.Opener{
			File: "2.dmp", Culprit: htrace.Culprit{Kind: htrace.CulpritModule, Module: "Own", Frame: 0},
			Location: symbol.Location{Address: 0x20001000, Module: "Own", Offset: 0x1000, Function: "Near", Displacement: 0x40, Trust: symbol.TrustExport},
			Frames:   []symbol.Location{{Address: 0x20001000, Module: "Own", Offset: 0x1000, Function: "Near", Displacement: 0x40, Trust: symbol.TrustExport}},
			Opens:    650, Traced: 660, Of: 703, AllOpens: 655,
		},
		Holders: []owners.Owner{{Type: "Key", Module: "Own", ModuleOffset: 0x3070, Address: 0x20003070, Target: owners.TargetVtable, FieldOffset: 8, Handles: 600, Of: 703, Confidence: 0.9999}},
	}
	finding := leaks.Finding{
		Rule: "growth", Severity: leaks.SeverityLeak, Process: process, Group: &key,
		Sentence: "Key " + name + ": grew from 3 to 703 handles in 2 h", Evidence: []string{"counts in 2 dumps: 3, 703"},
		Next: analysis.Step{Text: "see why", Args: []string{"dumpscan", "htrace", "it's 2.dmp"}}, Known: &leaks.KnownLeak{Title: "t", Source: "https://x", Advice: "a"},
	}
	quota := leaks.Finding{
		Rule: "pool-quota", Severity: leaks.SeverityInfo, Process: process, Sentence: "the process is charged", Next: analysis.Step{Text: "look"},
	}
	token := finding
	token.Group = &leaks.Group{HandleKind: analysis.HandleKind{Type: "Token"}, Kinds: 4, Growth: leaks.Growth{Counts: []uint64{1, 90}}}
	token.Known, token.Sentence = nil, "Token: grew"
	r := render.NewLeakReport(&leaks.Report{
		Verdict:    leaks.Verdict{Leak: true, Severity: leaks.SeverityLeak, Sentence: "w3wp.exe (7640) leaks handles: Key " + name + "."},
		Processes:  []*leaks.Process{{Series: series, Total: leaks.Group{Growth: leaks.Growth{Counts: []uint64{40, 740}}}}},
		Findings:   []leaks.Finding{finding, quota},
		Suppressed: []leaks.SuppressedFinding{{Finding: token, By: leaks.Suppression{File: "accepted", Line: 3, Text: "Token", Reason: "ticket 7"}}},
		Notes:      []string{"no trace"},
	}, limit)
	r.Errors = &analysis.Problems{}
	r.Errors.Add("2.dmp", errors.New("cut off"))
	return r
}

func ExampleLeakReport() {
	if err := render.Write(os.Stdout, leakReport(`\K\<n>`, 1), render.Text, render.Style{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// w3wp.exe (7640) leaks handles: Key \K\<n>.
	//
	// LEAK     w3wp.exe (7640): Key \K\<n>: grew from 3 to 703 handles in 2 h
	//   - counts in 2 dumps: 3, 703
	//   next: see why: dumpscan htrace 'it'\''s 2.dmp'
	//   rule: growth
	//
	// … and 1 more finding
	//
	// suppressed (line 3): w3wp.exe (7640): Token: grew (ticket 7)
	//
	// note: no trace
}

func ExampleLeakReport_json() {
	if err := render.Write(os.Stdout, leakReport(`\K\<n>`, 0), render.JSON, render.Style{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// {
	//   "schema": "dumpscan.leaks/2",
	//   "verdict": {"leak":true,"severity":"leak","sentence":"w3wp.exe (7640) leaks handles: Key \\K\\<n>."},
	//   "processes": [
	//     {"process":"w3wp.exe","processId":7640,"path":"C:\\srv\\w3wp.exe","unknown":["start time"],"dumps":[{"file":"1.dmp","time":"2024-05-01T08:00:00Z","pointerSize":8},{"file":"2.dmp","time":"2024-05-01T10:00:00Z","pointerSize":8}],"seconds":7200,"counts":[40,740]}
	//   ],
	//   "findings": [
	//     {"rule":"growth","severity":"leak","process":"w3wp.exe","processId":7640,"sentence":"Key \\K\\<n>: grew from 3 to 703 handles in 2 h","type":"Key","name":"\\K\\<n>","merged":true,"grantedAccess":"0x20019","access":["ReadControl","QueryValue","EnumSubKey","Notify"],"count":703,"growth":700,"ratePerHour":350,"rate":{"low":320,"high":380,"confidence":0.95,"basis":"counting"},"shape":"rise","counts":[3,703],"turnover":{"opened":700,"closed":0,"born":700,"gone":0,"early":700,"kept":700},"survivors":["0x7e0","0x7e4"],"culprit":"Own","opener":{"location":"Own+0x1000","file":"2.dmp","opens":650,"traced":660,"of":703,"allOpens":655,"young":0,"frames":[{"address":"0x20001000","module":"Own","offset":"0x1000","function":"Near","displacement":"0x40","trust":"export"}]},"owners":[{"type":"Key","kind":"","module":"Own","moduleOffset":"0x3070","address":"0x20003070","target":"vtable","fieldOffset":8,"wordOffset":0,"start":false,"width":0,"handles":600,"of":703,"objects":0,"instances":0,"empty":0,"expectedByChance":0,"confidence":0.9999,"referrers":[],"examples":[]}],"known":{"title":"t","source":"https://x","advice":"a"},"evidence":["counts in 2 dumps: 3, 703"],"next":"see why","command":["dumpscan","htrace","it's 2.dmp"]},
	//     {"rule":"pool-quota","severity":"info","process":"w3wp.exe","processId":7640,"sentence":"the process is charged","type":"","name":"","access":[],"count":0,"counts":[],"survivors":[],"culprit":"","owners":[],"evidence":[],"next":"look","command":[]}
	//   ],
	//   "suppressed": [
	//     {"rule":"growth","severity":"leak","process":"w3wp.exe","processId":7640,"sentence":"Token: grew","type":"Token","name":"","access":[],"count":90,"growth":89,"counts":[1,90],"survivors":[],"culprit":"","owners":[],"evidence":["counts in 2 dumps: 3, 703"],"next":"see why","command":["dumpscan","htrace","it's 2.dmp"],"suppressedBy":{"file":"accepted","line":3,"text":"Token","reason":"ticket 7"}}
	//   ],
	//   "notes": [
	//     "no trace"
	//   ],
	//   "errors": [
	//     "2.dmp: cut off"
	//   ]
	// }
}

func ExampleLeakReport_csv() {
	if err := render.Write(os.Stdout, leakReport(`\K\<n>`, 0), render.CSV, render.Style{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// severity,rule,process,processId,type,name,grantedAccess,access,state,count,growth,ratePerHour,shape,culprit,sentence
	// leak,growth,w3wp.exe,7640,Key,\K\<n>,0x20019,ReadControl QueryValue EnumSubKey Notify,,703,700,350,rise,Own,Key \K\<n>: grew from 3 to 703 handles in 2 h
	// info,pool-quota,w3wp.exe,7640,,,,,,0,,,,,the process is charged
}

func ExampleLeakReport_markdown() {
	if err := render.Write(os.Stdout, leakReport(`\K`, 1), render.Markdown, render.Style{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// # Handle leak
	//
	// **w3wp.exe (7640) leaks handles: Key \\K.**
	//
	// ## 1. leak: w3wp.exe (7640)
	//
	// Key \\K: grew from 3 to 703 handles in 2 h
	//
	// - counts in 2 dumps: 3, 703
	//
	// **Next:** see why
	//
	//     dumpscan htrace 'it'\''s 2.dmp'
	//
	// Rule: growth
	//
	// … and 1 more finding
	//
	// ## Suppressed
	//
	// - suppressed (line 3): w3wp.exe (7640): Token: grew (ticket 7)
	//
	// ## Dumps
	//
	// | process | dump | written | handles |
	// |---|---|---|---:|
	// | w3wp.exe (7640) | 1.dmp | 2024-05-01T08:00:00Z | 40 |
	// | w3wp.exe (7640) | 2.dmp | 2024-05-01T10:00:00Z | 740 |
	//
	// ## Notes
	//
	// - no trace
	// - 2.dmp: cut off
}

// A hostile name harms no form, and comes back from JSON as it was.
func TestLeaksAreSafe(t *testing.T) {
	r := leakReport(hostileName, 0)
	for _, f := range []render.Format{render.Text, render.JSON, render.CSV, render.Markdown} {
		if text := written(t, r, f); strings.ContainsAny(text, "\x00\x1b\u202e") {
			t.Errorf("%s has what a terminal must not see:\n%q", f, text)
		}
	}
	if text := written(t, r, render.Markdown); strings.Contains(text, "<x") {
		t.Errorf("Markdown has HTML:\n%s", text)
	}
	var got struct{ Findings []struct{ Name string } }
	if err := json.Unmarshal([]byte(written(t, r, render.JSON)), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(words.JSONText(hostileName), got.Findings[0].Name); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	r = leakReport("=1+1", 0)
	if text := written(t, r, render.CSV); !strings.Contains(text, ",'=1+1,") {
		t.Errorf("CSV has a formula:\n%s", text)
	}
}
