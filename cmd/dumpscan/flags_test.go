package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestTypeFlags(t *testing.T) {
	var types typeFlags
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	types.register(f, "handles of these `types`")
	if err := f.Parse([]string{"--type", "Key, ALPC Port", "--type=event,key"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(typeFlags{"Key", "ALPC Port", "event"}, types); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if slice, ok := f.Lookup("type").Value.(pflag.SliceValue); !ok || len(slice.GetSlice()) != 3 {
		t.Error("it cannot be repeated for another command")
	}
	for _, bad := range []string{"", "Key,", ",Key"} {
		if err := f.Parse([]string{"--type", bad}); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestLimitFlag(t *testing.T) {
	for _, tt := range []struct {
		args           []string
		standard       uint64
		forText, whole uint64
	}{
		{nil, 0, 0, 0}, {nil, 20, 20, 0},
		{[]string{"--limit", "5"}, 20, 5, 5}, {[]string{"--limit", "0"}, 20, 0, 0}, {[]string{"--limit=20"}, 20, 20, 20},
	} {
		var l limitFlag
		f := pflag.NewFlagSet("", pflag.ContinueOnError)
		l.register(f, "groups", tt.standard)
		if err := f.Parse(tt.args); err != nil {
			t.Fatal(err)
		}
		if l.forText() != tt.forText || l.forData() != tt.whole {
			t.Errorf("%v: %d rows of text, %d of data", tt.args, l.forText(), l.forData())
		}
		if text := l.String(); (text == "") != (tt.args == nil) {
			t.Errorf("%v is repeated as %q", tt.args, text)
		}
		for _, bad := range []string{"-1", "x", "", "5000000000"} {
			if f.Parse([]string{"--limit=" + bad}) == nil {
				t.Errorf("%q is accepted", bad)
			}
		}
	}
}

func TestArgumentError(t *testing.T) {
	cmd := &cobra.Command{Use: "handles DUMP [HANDLE [FLAGS]]", Run: func(*cobra.Command, []string) {}}
	for want, args := range map[string][]string{
		"DUMP is missing; usage: handles DUMP [HANDLE [FLAGS]]":                nil,
		`"x y" is one argument too many; usage: handles DUMP [HANDLE [FLAGS]]`: {"a", "0", "f", "x y"},
	} {
		if err := argumentError(cmd, args); err.Error() != want {
			t.Errorf("%q: %v, want %s", args, err, want)
		}
	}
}

// TestCompleteDump offers the members of an archive.
func TestCompleteDump(t *testing.T) {
	name := filepath.Join(t.TempDir(), "d.zip")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(file)
	for _, member := range []string{"folder/", "folder/a.dmp", "b.dmp"} {
		if _, err := z.Create(member); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	names, directive := completeDump(nil, nil, name+":f")
	if diff := cmp.Diff([]string{name + ":folder/a.dmp", name + ":b.dmp"}, names); diff != "" || directive != cobra.ShellCompDirectiveNoFileComp {
		t.Errorf("directive %v (-want +got):\n%s", directive, diff)
	}
	if names, directive := completeDump(nil, nil, "d.dm"); names != nil || directive != cobra.ShellCompDirectiveDefault {
		t.Errorf("%v, %v", names, directive)
	}
	if _, directive := completeDump(nil, nil, "nowhere.zip:"); directive != cobra.ShellCompDirectiveError {
		t.Errorf("%v", directive)
	}
}

// A member that is misspelled is found.
func TestArchiveSuggestion(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "d.zip")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(file)
	for _, member := range []string{"w3wp-old.dmp", "readme"} {
		if _, err := z.Create(member); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	file.Close()
	a := &app{}
	_, err = a.open(t.Context(), name+":w3wp-odl.dmp")
	want := name + ":w3wp-odl.dmp: the archive holds no w3wp-odl.dmp; it holds w3wp-old.dmp, readme; did you mean w3wp-old.dmp?"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestRoff(t *testing.T) {
	for text, want := range map[string]string{
		`C:\a`: `C:\ea`, "--json": `\-\-json`, ".dump /mh\n'x": "\\&.dump /mh\n\\&'x", "a.b": "a.b",
	} {
		if got := roff(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
