package symbol_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
)

func TestMissingFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sub := func(name string) string { return filepath.Join(dir, name) }
	tests := []struct {
		path string
		want []string
	}{
		{"", nil},
		{dir, nil},
		{sub("b") + ";" + dir + ";" + sub("a") + ";" + sub("b"), []string{sub("b"), sub("a")}},
		{"srv*" + sub("cache") + "*https://symbols.example", nil},
		{"cache*" + sub("cache") + ";" + sub("behind"), []string{sub("behind")}},
		{sub("a") + ";https://symbols.example", []string{sub("a")}},
		{"srv*" + sub("near") + "*" + sub("far"), []string{sub("far")}},
		{"sqlsrv*" + sub("x"), nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, symbol.MissingFolders(tt.path)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.path, diff)
		}
	}
}
