package render

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

func TestNumbersForPeople(t *testing.T) {
	for share, want := range map[float64]string{
		1: "100.0 %", 0.9892: "98.9 %", 0.99999: "over 99.9 %", 0.00001: "under 0.1 %", 0: "0.0 %",
	} {
		if got := percent(share); got != want {
			t.Errorf("percent(%v) = %q, want %q", share, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0 s", 45 * time.Second: "45 s", 13 * time.Minute: "13 min",
		51*time.Hour + 4*time.Minute + time.Second: "2 d 3 h 4 min 1 s",
	} {
		if got := words.Duration(d); got != want {
			t.Errorf("words.Duration(%v) = %q, want %q", d, got, want)
		}
	}
	for word, want := range map[string]string{
		"w3wp.dmp": "w3wp.dmp", "ALPC Port": "'ALPC Port'", "it's": `'it'\''s'`, "": "''", "a;rm": "'a;rm'", "$(x)": "'$(x)'",
	} {
		if got := words.ShellQuote(word); got != want {
			t.Errorf("words.ShellQuote(%q) = %s, want %s", word, got, want)
		}
	}
}

func TestBar(t *testing.T) {
	for _, tt := range []struct {
		share float64
		want  string
	}{{1, "████"}, {0.5, "██"}, {0.28, "█▏"}, {0, ""}, {2, "████"}, {-1, ""}} {
		if got := Bar(tt.share, 4); got != tt.want {
			t.Errorf("Bar(%v) = %q, want %q", tt.share, got, tt.want)
		}
	}
}

// TestSummaryOnTerminal has bars, which the plain text must not have.
func TestSummaryOnTerminal(t *testing.T) {
	s := &analysis.HandleSummary{Total: 110, Types: []analysis.TypeCount{{Type: "", Count: 9}, {Type: "Key", Count: 101}}}
	write := func(style Style) string {
		var b bytes.Buffer
		text := NewHandleText(&b, HandleTextOptions{Style: style})
		text.Summary(s, s.Types)
		if err := text.Flush(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	const plain = "110 Handles\nType                    \tCount\nNone                    \t9\nKey                     \t101\n"
	if diff := cmp.Diff(plain, write(Style{})); diff != "" {
		t.Errorf("plain (-want +got):\n%s", diff)
	}
	want := strings.ReplaceAll(strings.ReplaceAll(plain, "\t9", "\t9    ▉"), "\t101", "\t101  █████████▏")
	if diff := cmp.Diff(want, write(Style{Terminal: true, Width: 48})); diff != "" {
		t.Errorf("terminal (-want +got):\n%s", diff)
	}
	if got := write(Style{Terminal: true, Width: 40}); got != plain {
		t.Errorf("on a narrow terminal: %q", got)
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
			"    Section base address 0\n    Section attributes 0x4000000\n"},
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
		var b bytes.Buffer
		text := NewHandleText(&b, HandleTextOptions{Flags: ShowName, WinDbg: tt.windbg})
		text.Handle(&minidump.Handle{Handle: 4, TypeName: "File", ObjectName: tt.name})
		if err := text.Flush(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, b.String()); diff != "" {
			t.Errorf("%q, WinDbg %v (-want +got):\n%s", tt.name, tt.windbg, diff)
		}
	}
}
