package analysis

import "github.com/dumpscan/dumpscan/analysis/words"

// A Step is what to do next. Whoever writes it knows how commands are written
// where it is read.
type Step struct {
	Text string   // a sentence without a full stop; "" if the command says it all
	Args []string // a command that answers, "dumpscan" first; nil if there is none
}

// String returns the step for a POSIX shell: "look closer: dumpscan handles ...".
func (s Step) String() string {
	switch {
	case len(s.Args) == 0:
		return s.Text
	case s.Text == "":
		return words.Command(s.Args...)
	}
	return s.Text + ": " + words.Command(s.Args...)
}
