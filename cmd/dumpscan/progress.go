package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/dumpscan/dumpscan/analysis/render"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// progress is a bar on stderr for work that takes a while. It appears only on
// a terminal, and only once the work has taken half a second, and leaves nothing
// behind.
type progress struct {
	w     io.Writer // nil: no bar
	width int       // columns of the terminal
	what  string
	next  time.Time // when the bar is drawn again
	drawn int       // columns of the line that stands there
}

// The bar appears late, and moves no faster than somebody can see.
const (
	progressDelay = 500 * time.Millisecond
	progressPause = 100 * time.Millisecond
)

func (a *app) progress(what string) *progress {
	p := &progress{what: words.Escape(what), next: time.Now().Add(progressDelay)}
	if f, ok := a.stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.w, p.width = f, 80
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			p.width = width
		}
	}
	return p
}

// update shows that done of total bytes are done; total is -1 if it is not
// known.
func (p *progress) update(done, total int64) {
	now := time.Now()
	if p.w == nil || now.Before(p.next) {
		return
	}
	p.next = now.Add(progressPause)
	line := progressLine(p.what, done, total, p.width-1)
	n := utf8.RuneCountInString(line)
	fmt.Fprintf(p.w, "\r%s%s", line, strings.Repeat(" ", max(p.drawn-n, 0)))
	p.drawn = max(n, p.drawn)
}

// finish removes the bar.
func (p *progress) finish() {
	if p.drawn > 0 {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.drawn))
		p.drawn = 0
	}
}

// progressLine is a line of at most so many columns: what is done, a bar if there
// is room for one, and numbers.
func progressLine(what string, done, total int64, width int) string {
	numbers := words.Bytes(done)
	share := 0.0
	if total > 0 {
		share = min(float64(done)/float64(total), 1)
		numbers = fmt.Sprintf("%3.0f %% of %s", share*100, words.Bytes(total))
	}
	const least, most = 10, 40 // columns of a bar
	bar := min(width-utf8.RuneCountInString(what)-utf8.RuneCountInString(numbers)-4, most)
	if total <= 0 || bar < least {
		line := []rune(what + "  " + numbers)
		return string(line[:min(len(line), max(width, 0))])
	}
	drawn := render.Bar(share, bar)
	return what + "  " + drawn + strings.Repeat("░", bar-utf8.RuneCountInString(drawn)) + "  " + numbers
}
