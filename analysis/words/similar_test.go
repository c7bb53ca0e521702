package words_test

import (
	"testing"

	"github.com/dumpscan/dumpscan/analysis/words"
)

func TestSimilar(t *testing.T) {
	types := []string{"Event", "Key", "KeyedEvent", "Token", "Thread", "IoCompletion", "ALPC Port"}
	for _, tt := range []struct{ word, want string }{
		{"Kye", "Key"}, {"key", "Key"}, {"Keys", "Key"}, {"ke", "Key"}, {"Evnet", "Event"}, {"even", "Event"},
		{"IOCompletoin", "IoCompletion"}, {"ALPCPort", "ALPC Port"}, {"Tkn", "Token"}, {"Toke", "Token"},
		{"", ""}, {"K", ""}, {"xyz", ""}, {"Threads", "Thread"}, {"Thread", "Thread"}, {"hTread", "Thread"},
		{"Gadget", ""},
	} {
		if got := words.Similar(tt.word, types); got != tt.want {
			t.Errorf("Similar(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
}
