package undecorate

import (
	"strings"
	"testing"
	"time"
)

// TestDeepNames reads names that nest types by the thousand: they stay as they are,
// at once.
func TestDeepNames(t *testing.T) {
	for _, letter := range []string{"C", "G", "P", "R", "O", "K", "V", "r", "PC", "rVK"} {
		for _, prefix := range []string{"_ZTV", "_ZN", "__ZTI"} {
			name := prefix + strings.Repeat(letter, 31_000/len(letter)) + "i"
			begin := time.Now()
			if got := Name(name); got != name {
				t.Errorf("%.20s...: %.40s", name, got)
			}
			if d := time.Since(begin); d > time.Second {
				t.Errorf("%.20s... took %s", name, d)
			}
			if short := name[:3000]; Name(short) != short {
				t.Errorf("%.20s... of 3,000 letters: %.40s", short, Name(short))
			}
		}
	}
	const pointers = "_ZTVPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPi"
	if got := Name(pointers); got == pointers {
		t.Error("32 pointers are not read")
	}
}
