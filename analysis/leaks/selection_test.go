package leaks_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/leaks"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// twoLeaks is a process that leaks keys and, more of them, files.
func twoLeaks(name string, pid uint32, scale int) []shot {
	p := newProcess(name, pid, uint64(pid))
	return p.series(3, time.Hour, func(int) { p.open("leak", classesKey, 100*scale); p.open("leak", tempFile, 120*scale) })
}

func TestSelection(t *testing.T) {
	shots := twoLeaks("w3wp.exe", 1, 1)
	upload, err := analysis.ParseNamePattern("upload")
	if err != nil {
		t.Fatal(err)
	}
	key := `w3wp.exe: Key \REGISTRY\MACHINE\SOFTWARE\Classes`
	file := `w3wp.exe: File \Device\HarddiskVolume<n>\inetpub\temp\upload-<n>.dat`
	for _, c := range []struct {
		types []string
		name  *analysis.NamePattern
		want  []string
		note  string
	}{
		{nil, nil, []string{file, key}, ""},
		{[]string{"KEY"}, nil, []string{key}, "only Key handles were judged, as was asked"},
		{[]string{"Key", "file"}, nil, []string{file, key}, "only Key and File handles were judged, as was asked"},
		{[]string{"Token", "none"}, nil, []string{}, "only Token and None handles were judged, as was asked"},
		{nil, upload, []string{file}, "only handles with such a name were judged, as was asked"},
		{[]string{"Key"}, upload, []string{}, "only Key handles with such a name were judged, as was asked"},
	} {
		r := judge(t, shots, leaks.Options{Types: c.types, Name: c.name, Owners: leaks.HuntNever})
		if diff := cmp.Diff(c.want, accused(r)); diff != "" || r.Verdict.Leak != (len(c.want) > 0) {
			t.Errorf("%v: %s (-want +got)\n%s", c.types, r.Verdict.Sentence, diff)
		}
		if got := strings.Join(r.Notes, "\n"); !strings.Contains(got, c.note) || c.note == "" && strings.Contains(got, "judged") {
			t.Errorf("%v: notes %q", c.types, got)
		}
	}
}

func TestWrongOptions(t *testing.T) {
	s := snapshots(t, twoLeaks("w3wp.exe", 1, 1))
	_, err := leaks.Find(t.Context(), s, leaks.Options{Types: []string{"Key", "Fiel"}})
	var unknown *analysis.UnknownTypeError
	if !errors.As(err, &unknown) || unknown.Similar != "File" {
		t.Errorf("error %v", err)
	}
	// Wrong even where no trace needs it.
	if _, err := leaks.Find(t.Context(), s, leaks.Options{System: []string{"re:("}}); err == nil {
		t.Error("a pattern that cannot be read is accepted")
	}
}

// The largest leak comes first, whatever the name of its process.
func TestOrderBySize(t *testing.T) {
	r := findLeaks(t, append(twoLeaks("a.exe", 1, 1), twoLeaks("b.exe", 2, 3)...))
	var got []string
	for _, f := range r.Findings {
		if f.Severity == leaks.SeverityLeak {
			got = append(got, f.Process.Name()+" "+f.Group.Type)
		}
	}
	if diff := cmp.Diff([]string{"b.exe File", "b.exe Key", "a.exe File", "a.exe Key"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !strings.HasPrefix(r.Verdict.Sentence, "b.exe (2) leaks handles: File ") {
		t.Error(r.Verdict.Sentence)
	}
}

// Names of dumps that would be taken for options, or cannot be read again.
func TestNextCommand(t *testing.T) {
	for file, want := range map[string]string{
		"it's.dmp": `dumpscan symbols 'it'\''s.dmp'`, "-x.dmp": "dumpscan symbols ./-x.dmp",
		"-": "dumpscan symbols FILE", "-:a.dmp": "dumpscan symbols FILE",
	} {
		r := judge(t, []shot{traced(file, 300, 0, 0)}, leaks.Options{})
		if got := find(t, r, "outstanding-opens").Next.String(); !strings.HasSuffix(got, ": "+want) {
			t.Errorf("%s: %s", file, got)
		}
	}
}

func TestNotes(t *testing.T) {
	accepted, err := leaks.ParseSuppressions(strings.NewReader("\nToken # no longer\n"), "accepted.txt")
	if err != nil {
		t.Fatal(err)
	}
	d := dumptest.Dump{HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 4, Type: "Key"}}}}
	d.HandleData.Style, d.Version = dumptest.Crashpad, 0xa793
	d.Streams = []dumptest.RawStream{{Type: 0x43500001, Data: make([]byte, 64)}}
	r := judge(t, []shot{{"a.dmp", d.Bytes()}}, leaks.Options{Suppress: accepted})
	want := []string{
		"process: not in the dumps: its main module, process id and start time",
		"process: written by Crashpad, which never writes names of objects",
		"accepted.txt, line 2: fits no finding: Token",
	}
	if diff := cmp.Diff(want, r.Notes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	r = findLeaks(t, twoLeaks("w3wp.exe", 1, 1))
	if len(r.Notes) != 1 || !strings.HasPrefix(r.Notes[0], "w3wp.exe (1): no handle trace, so nobody can be named; ") {
		t.Errorf("notes %q", r.Notes)
	}
}
