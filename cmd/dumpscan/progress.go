package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// progress is a bar on stderr for work that takes a while. It appears only on
// a terminal, and only once the work has taken half a second.
type progress struct {
	w     io.Writer // nil: no bar
	what  string
	start time.Time
	bar   *progressbar.ProgressBar
	total int64
}

func (a *app) progress(what string) *progress {
	p := &progress{what: words.Escape(what), start: time.Now()}
	if f, ok := a.stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.w = f
	}
	return p
}

// update shows that done of total bytes are through; total is -1 if it is not
// known.
func (p *progress) update(done, total int64) {
	if p.w == nil || time.Since(p.start) < 500*time.Millisecond {
		return
	}
	if p.bar == nil || p.total != total {
		p.total = total
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.w),
			progressbar.OptionSetDescription(p.what),
			progressbar.OptionShowBytes(true),
			progressbar.OptionFullWidth(),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
		)
	}
	p.bar.Set64(done) // an error concerns the terminal only
}

// finish removes the bar.
func (p *progress) finish() {
	if p.bar != nil {
		p.bar.Clear() // as above
	}
}
