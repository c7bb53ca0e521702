package symbol

import (
	"errors"
	"io/fs"
	"os"

	"github.com/dumpscan/dumpscan/analysis/internal/store"
)

// MissingFolders returns the folders that a symbol path names and that do not
// exist, in the order of the path. Caches are not among them: they are made
// when something is put into them. A path that cannot be understood names none.
func MissingFolders(path string) []string {
	elements, _ := store.ParsePath(path, defaultCache())
	seen := map[string]bool{}
	for _, e := range elements {
		seen[e.Cache] = true
	}
	var missing []string
	for _, e := range elements {
		if e.Dir == "" || seen[e.Dir] {
			continue
		}
		seen[e.Dir] = true
		if _, err := os.Stat(e.Dir); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, e.Dir)
		}
	}
	return missing
}
