package clrmeta_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/clrmeta"
)

// Whatever the bytes are: an error comes without metadata, a name is text and
// never with an error, and reading it twice gives the same.
func FuzzMetadata(f *testing.F) {
	a := orders()
	f.Add(a.Bytes())
	a.Wide = true
	f.Add(a.Bytes())
	f.Add([]byte("BSJB"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := clrmeta.New(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			if m != nil {
				t.Errorf("metadata beside the error %v", err)
			}
			return
		}
		if int64(m.Types())*14 > int64(len(data)) {
			t.Errorf("%d classes in %d bytes", m.Types(), len(data))
		}
		for rid := range uint32(min(m.Types()+2, 100)) {
			for _, read := range [...]func(uint32) (string, error){m.TypeName, m.Extends} {
				name, err := read(rid)
				if err != nil && name != "" || !utf8.ValidString(name) || strings.ContainsAny(name, "\x00\n\x1b") {
					t.Errorf("class %d is %q, %v", rid, name, err)
				}
				again, _ := read(rid)
				if diff := cmp.Diff(name, again); diff != "" {
					t.Error(diff)
				}
			}
		}
		name, err := m.Assembly()
		at, err2 := m.AssemblyName()
		if err == nil && err2 == nil && !bytes.HasPrefix(data[at:], []byte(name+"\x00")) {
			t.Errorf("the name %q does not stand at %d", name, at)
		}
	})
}
