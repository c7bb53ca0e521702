package symbol_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// TestSessionConcurrently asks one Session everything from eight goroutines at
// a time, some of which begin with the last question; -race looks on.
func TestSessionConcurrently(t *testing.T) {
	t.Parallel()
	data := testApp().Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	open := func() *symbol.Session {
		s, err := symbol.NewResolver(f, symbol.Options{SymbolPath: symStore})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	addrs := []minidump.VA{0x40429e, 0x401000, 0x404000, 0x41f000, 0x10}
	questions := []func(s *symbol.Session) string{
		func(s *symbol.Session) string {
			names, err := s.Resolve(t.Context(), addrs)
			text := fmt.Sprintln(err)
			for _, a := range addrs {
				text += fmt.Sprintln(names.At(a), names.At(a).Source())
			}
			return text
		},
		func(s *symbol.Session) string {
			all, err := s.Inspect(t.Context())
			text := fmt.Sprintln(err)
			for _, m := range all {
				text += fmt.Sprintln(m.Module.Name(), m.Trust, m.Where)
			}
			return text
		},
		func(s *symbol.Session) string {
			text := ""
			for _, a := range addrs {
				rule, ok, err := s.FrameRule(t.Context(), a)
				text += fmt.Sprintf("%v %+v %+v %v %v\n", rule.Trust, rule.CFI, rule.Frame, ok, err)
			}
			return text
		},
		func(s *symbol.Session) string {
			files, err := s.Manifest(t.Context())
			return fmt.Sprintf("%+v %v", files, err)
		},
	}
	ask := func(s *symbol.Session, first int) []string {
		answers := make([]string, len(questions))
		for i := range questions {
			n := (first + i) % len(questions)
			answers[n] = questions[n](s)
		}
		return answers
	}
	want := ask(open(), 0)
	s := open()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if diff := cmp.Diff(want, ask(s, i)); diff != "" {
				t.Errorf("goroutine %d (-want +got):\n%s", i, diff)
			}
		})
	}
	wg.Wait()
}
