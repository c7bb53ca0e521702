package render

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// write writes a report in a format.
func write(t *testing.T, r Report, f Format, style Style) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r, f, style); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// streamOf returns handles, and then an error.
func streamOf(r *HandlesReport, err error, handles ...minidump.Handle) *HandleStream {
	return NewHandleStream(func(visit func(*minidump.Handle) bool) error {
		for i := range handles {
			if !visit(&handles[i]) {
				break
			}
		}
		return err
	}, nil)
}

// TestSummaryOnTerminal has bars, which the plain text must not have.
func TestSummaryOnTerminal(t *testing.T) {
	types := []TypeCount{{"", 9}, {"Key", 101}}
	r := &HandlesReport{Total: 110, Types: types, Text: HandlesText{Total: 110, Selected: types}}
	const plain = "110 Handles\nType                    \tCount\nNone                    \t9\nKey                     \t101\n"
	if diff := cmp.Diff(plain, write(t, r, Text, Style{})); diff != "" {
		t.Errorf("plain (-want +got):\n%s", diff)
	}
	want := strings.ReplaceAll(strings.ReplaceAll(plain, "\t9", "\t9    ▉"), "\t101", "\t101  █████████▏")
	if diff := cmp.Diff(want, write(t, r, Text, Style{Terminal: true, Width: 48})); diff != "" {
		t.Errorf("terminal (-want +got):\n%s", diff)
	}
	if got := write(t, r, Text, Style{Terminal: true, Width: 40}); got != plain {
		t.Errorf("on a narrow terminal: %q", got)
	}
	r.Dominant, r.Next = "Key: 101 of 110 handles, 91.8 %", "dumpscan handles a.dmp 0 ff Key"
	hint := "\nKey: 101 of 110 handles, 91.8 %. Next:\ndumpscan handles a.dmp 0 ff Key\n"
	if diff := cmp.Diff(plain+hint, write(t, r, Text, Style{Terminal: true, Width: 39})); diff != "" {
		t.Errorf("hint (-want +got):\n%s", diff)
	}
	hint = "\nKey: 101 of 110\nhandles, 91.8 %.\nNext:\ndumpscan handles a.dmp 0 ff Key\n" // the command is whole
	if diff := cmp.Diff(plain+hint, write(t, r, Text, Style{Terminal: true, Width: 20})); diff != "" {
		t.Errorf("hint (-want +got):\n%s", diff)
	}
}

// TestObjectLines has the object specific lines of WinDbg for a dump, as they
// have been published.
func TestObjectLines(t *testing.T) {
	info := func(kind minidump.ObjectInfoType, data ...byte) minidump.ObjectInformation {
		return minidump.ObjectInformation{InfoType: kind, Data: data}
	}
	for _, tt := range []struct {
		what  string
		infos []minidump.ObjectInformation
		want  string
	}{
		{"a mutex that is owned", []minidump.ObjectInformation{
			info(minidump.MiniMutantInformation2, 0xe1, 0x2d, 0, 0, 0, 0, 0, 0, 0xa0, 0x23, 0, 0, 0, 0, 0, 0),
			info(minidump.MiniMutantInformation1, 0, 0, 0, 0, 0, 0, 0xcc, 0xcc),
		}, "    Mutex is Owned\n    Mutant Owner 2de1.23a0\n"},
		{"a mutex that is free", []minidump.ObjectInformation{
			info(minidump.MiniMutantInformation2, make([]byte, 16)...),
			info(minidump.MiniMutantInformation1, 1, 0, 0, 0, 0, 0, 0, 0),
		}, "    Mutex is Free\n    Mutant Owner 0.0\n"},
		{"a semaphore", []minidump.ObjectInformation{info(minidump.MiniSemaphoreInformation1, 0, 0, 0, 0, 1, 0, 0, 0)},
			"    Semaphore Count 0\n    Semaphore Limit 1\n"},
		{"a section", []minidump.ObjectInformation{info(minidump.MiniSectionInformation1,
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0)},
			"    Section base address 0\n    Section attributes 0x4000000\n    Section max size 0x4000\n"},
		{"a thread of a 32-bit process", []minidump.ObjectInformation{info(minidump.MiniThreadInformation1,
			3, 1, 0, 0, 0, 0, 0, 0, 0xa0, 0x86, 0, 0, 0x4c, 0x85, 0, 0, 1, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0)},
			"    Thread Id   86a0.854c\n    Priority    10\n    Base Priority 0\n"},
	} {
		want := "  Object specific information\n" + tt.want
		if diff := cmp.Diff(want, string(appendObject(nil, tt.infos))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.what, diff)
		}
	}
	unknown := string(appendObject(nil, []minidump.ObjectInformation{info(99, 1, 2, 3)}))
	if unknown != "  No object specific information available\n" {
		t.Errorf("an unknown kind: %q", unknown)
	}
}

// TestFileNames: WinDbg prints none, dumpscan those that are there.
func TestFileNames(t *testing.T) {
	for _, tt := range []struct {
		name   string
		windbg bool
		want   string
	}{
		{`\??\C:\leak.log`, false, "Handle 0000000000000004\n  Name         \t\\??\\C:\\leak.log\n"},
		{`\??\C:\leak.log`, true, "Handle 0000000000000004\n"},
		{"", false, "Handle 0000000000000004\n"},
	} {
		r := &HandlesReport{Text: HandlesText{Flags: analysis.ShowName, WinDbg: tt.windbg, OneHandle: true, Typed: 4}}
		r.Handles = streamOf(r, nil, minidump.Handle{Handle: 4, TypeName: "File", ObjectName: tt.name})
		if diff := cmp.Diff(tt.want, write(t, r, Text, Style{})); diff != "" {
			t.Errorf("%q, WinDbg %v (-want +got):\n%s", tt.name, tt.windbg, diff)
		}
	}
}

// TestHandleLines has everything that is printed of a handle, 32 bits and 64, and
// the counts below a listing.
func TestHandleLines(t *testing.T) {
	types := []TypeCount{{"", 1}, {"Key", 1}}
	r := &HandlesReport{Dump: DumpHeader{PointerSize: 4}, Text: HandlesText{Flags: analysis.ShowAll, Total: 2, Selected: types}}
	r.Handles = streamOf(r, nil,
		minidump.Handle{Handle: 0x7e0, TypeName: "Key", ObjectName: "a\x1b", Attributes: 2, GrantedAccess: 0x20019, HandleCount: 2, PointerCount: 65537},
		minidump.Handle{Handle: 0x8})
	const text = "Handle 000007e0\n  Type         \tKey\n  Attributes   \t0x2\n  GrantedAccess\t0x20019:\n         ReadControl\n" +
		"         QueryValue,EnumSubKey,Notify\n  HandleCount  \t2\n  PointerCount \t65537\n  Name         \ta<U+001B>\n" +
		"  No object specific information available\n" +
		"Handle 00000008\n  Type         \t\n  Attributes   \t0\n  GrantedAccess\t0x0:\n         None\n         \n  HandleCount  \t0\n" +
		"  PointerCount \t0\n  Name         \t<none>\n  No object specific information available\n" +
		"2 Handles\nType                    \tCount\nNone                    \t1\nKey                     \t1\n"
	if diff := cmp.Diff(text, write(t, r, Text, Style{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const csv = "handle,type,name,attributes,grantedAccess,access,handleCount,pointerCount,state\n" +
		"0x7e0,Key,a<U+001B>,0x2,0x20019,ReadControl QueryValue EnumSubKey Notify,2,65537,\n0x8,,,0x0,0x0,,0,0,\n"
	if diff := cmp.Diff(csv, write(t, r, CSV, Style{})); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	r.Handles = nil
	if diff := cmp.Diff("type,count\n,1\nKey,1\n", write(t, r, CSV, Style{})); diff != "" {
		t.Errorf("CSV of the counts (-want +got):\n%s", diff)
	}
	r.Text.OneType, r.Text.Type = true, ""
	if diff := cmp.Diff("2 handles of type None\n", write(t, r, Text, Style{})); diff != "" {
		t.Errorf("of one type (-want +got):\n%s", diff)
	}
	// A dump that does not say is printed like one of 64 bits.
	r = &HandlesReport{Text: HandlesText{OneHandle: true, Typed: 1}}
	r.Handles = streamOf(r, nil, minidump.Handle{Handle: 0xffffffffffffffff})
	if got := write(t, r, Text, Style{}); got != "Handle 0000000000000001\n" {
		t.Errorf("%q", got)
	}
}

// TestTypedHandle: the number that was typed is repeated, with its tag bits.
func TestTypedHandle(t *testing.T) {
	r := &HandlesReport{Text: HandlesText{Flags: analysis.ShowType, OneHandle: true, Typed: 0x1e3}}
	r.Handles = streamOf(r, nil, minidump.Handle{Handle: 0x1e0, TypeName: "Mutant"})
	if diff := cmp.Diff("Handle 00000000000001e3\n  Type         \tMutant\n", write(t, r, Text, Style{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(write(t, r, JSON, Style{}), `{"handle":"0x1e0","type":"Mutant"`) {
		t.Error("JSON has another handle")
	}
}

// TestObjectJSON has the state of every kind of object.
func TestObjectJSON(t *testing.T) {
	info := func(kind minidump.ObjectInfoType, data ...byte) minidump.ObjectInformation {
		return minidump.ObjectInformation{InfoType: kind, Data: data}
	}
	for _, tt := range []struct {
		what  string
		infos []minidump.ObjectInformation
		want  string
	}{
		{"nothing", nil, `null`},
		{"an event", []minidump.ObjectInformation{info(minidump.MiniEventInformation1, 1, 0, 0, 0, 0, 0, 0, 0)}, `{"event":"auto","set":false}`},
		{"an event that is set", []minidump.ObjectInformation{info(minidump.MiniEventInformation1, 0, 0, 0, 0, 1, 0, 0, 0)}, `{"event":"manual","set":true}`},
		{"a mutant that is owned", []minidump.ObjectInformation{
			info(minidump.MiniMutantInformation2, 0xe1, 0x2d, 0, 0, 0, 0, 0, 0, 0xa0, 0x23, 0, 0, 0, 0, 0, 0),
			info(minidump.MiniMutantInformation1, 0, 0, 0, 0, 0, 1, 0xcc, 0xcc),
		}, `{"mutant":"owned","abandoned":true,"recursion":1,"ownerProcessId":11745,"ownerThreadId":9120}`},
		{"a mutant that is free", []minidump.ObjectInformation{info(minidump.MiniMutantInformation1, 1, 0, 0, 0, 0, 0, 0, 0)},
			`{"mutant":"free","abandoned":false,"recursion":0}`},
		{"a semaphore", []minidump.ObjectInformation{info(minidump.MiniSemaphoreInformation1, 0, 0, 0, 0, 1, 0, 0, 0)}, `{"count":0,"limit":1}`},
		{"a section", []minidump.ObjectInformation{info(minidump.MiniSectionInformation1,
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0)}, `{"base":"0x0","attributes":"0x4000000","maxSize":16384}`},
		{"a thread of a 32-bit process", []minidump.ObjectInformation{info(minidump.MiniThreadInformation1,
			3, 1, 0, 0, 0, 0, 0, 0, 0xa0, 0x86, 0, 0, 0x4c, 0x85, 0, 0, 1, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0)},
			`{"processId":34464,"threadId":34124,"exitStatus":"0x103","exited":true,"priority":10,"basePriority":0}`},
		{"a process", []minidump.ObjectInformation{info(minidump.MiniProcessInformation2,
			append(append([]byte{64, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0}, make([]byte, 20)...),
				8, 0, 0, 0, 0, 0, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0)...)},
			`{"processId":42,"parentProcessId":7,"exitStatus":"0x103","exited":false,"basePriority":8,"flags":"0x2"}`},
		{"an unknown kind", []minidump.ObjectInformation{info(99, 1, 0xab)}, `{"unknown":[{"infoType":99,"data":"01ab"}]}`},
	} {
		got, err := json.Marshal(newHandleObject(tt.infos))
		if diff := cmp.Diff(tt.want, string(got)); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", tt.what, err, diff)
		}
	}
}

// What could not be read is known only at the end of the handles; the errors,
// which come behind them, have it.
func TestStreamErrors(t *testing.T) {
	problems := &analysis.Problems{}
	problems.Add("a.dmp", errors.New("known before"))
	r := &HandlesReport{}
	r.Complain(problems)
	r.Handles = NewHandleStream(func(func(*minidump.Handle) bool) error { return errors.New("bad sector") },
		func(err error) { problems.Add("a.dmp", err) })
	for range 2 {
		var got struct{ Errors []string }
		if err := json.Unmarshal([]byte(write(t, r, JSON, Style{})), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"a.dmp: known before", "a.dmp: bad sector"}, got.Errors); diff != "" {
			t.Errorf("errors (-want +got):\n%s", diff)
		}
	}
}

// TestInterruptedStream: an answer that was interrupted is not mistaken for one.
func TestInterruptedStream(t *testing.T) {
	for _, f := range []Format{JSON, CSV, Text} {
		r := &HandlesReport{}
		r.Handles = streamOf(r, context.Canceled, minidump.Handle{Handle: 4})
		var b bytes.Buffer
		if err := Write(&b, r, f, Style{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", f, err)
		}
		if f == JSON && json.Valid(b.Bytes()) {
			t.Errorf("a whole object: %s", b.Bytes())
		}
	}
}

func TestHandleGroups(t *testing.T) {
	groups := []analysis.HandleGroup{
		{State: "manual set", Object: analysis.ObjectID{Kind: analysis.ByCount, Type: "Event", HandleCount: 5001}, Process: 42, Count: 5000, Share: .75},
		{Count: 1, Share: .25, Type: "Key", Name: "=1"},
	}
	by := analysis.GroupByType | analysis.GroupByName | analysis.GroupByAccess | analysis.GroupByState | analysis.GroupByObject | analysis.GroupByProcess
	r := &HandlesReport{Groups: NewHandleGroups(groups, by), Text: HandlesText{By: by}}
	const text = `Count   Share  type  name    access  state       object                         process
5,000  75.0 %  None  <none>  0x0            manual set  one with 5001 handles (a guess)  42
    1  25.0 %  Key   =1      0x0            <unknown>   <unknown>                      <unknown>
`
	if diff := cmp.Diff(strings.Fields(text), strings.Fields(write(t, r, Text, Style{}))); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	const csv = `type,name,grantedAccess,state,object,processId,guess,count,share
,,0x0,manual set,one with 5001 handles,42,true,5000,0.750000
Key,'=1,0x0,,,0,false,1,0.250000
`
	if diff := cmp.Diff(csv, write(t, r, CSV, Style{})); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	const group = `{"type":"","name":"","grantedAccess":"0x0","state":"manual set","object":"one with 5001 handles","guess":true,"processId":42,"count":5000,"share":0.75}`
	if got := write(t, r, JSON, Style{}); !strings.Contains(got, group) {
		t.Errorf("no %s in\n%s", group, got)
	}
	// No group is not the same as no groups.
	r.Groups = NewHandleGroups(nil, by)
	if got := write(t, r, JSON, Style{}); !strings.Contains(got, `"groups": []`) || strings.Contains(got, "handles\"") {
		t.Errorf("%s", got)
	}
}
