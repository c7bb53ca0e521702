package minidump

import "io"

// windows reads small pieces of a file through a few buffers, each a window
// on some stretch of it. A window that is left at its end moves on and grows,
// so that strings that lie one behind the other cost few reads; one that is
// entered anew starts small, so that scattered strings cost little more than
// their bytes. Memory is bounded by the number of windows.
type windows struct {
	r    io.ReaderAt
	size int64
	all  [4]window
	last *window // the one used last
	tick uint64
}

func newWindows(r io.ReaderAt, size int64) *windows {
	w := &windows{r: r, size: size}
	w.last = &w.all[0]
	return w
}

type window struct {
	off  int64
	buf  []byte // its length is what is loaded
	used uint64 // tick of the last use
}

const windowMin = 512

// at returns n bytes at off, which lie inside the file. They are valid until
// the next call. n is at most maxString+4.
func (w *windows) at(off int64, n int) ([]byte, error) {
	if p := w.last.peek(off); len(p) >= n {
		return p[:n], nil
	}
	for i := range w.all {
		if p := w.all[i].peek(off); len(p) >= n {
			w.use(&w.all[i])
			return p[:n], nil
		}
	}
	return w.load(off, n)
}

// peek returns what the window has loaded from off on.
func (win *window) peek(off int64) []byte {
	if d := uint64(off - win.off); d < uint64(len(win.buf)) {
		return win.buf[d:]
	}
	return nil
}

func (w *windows) use(win *window) {
	w.tick++
	win.used = w.tick
	w.last = win
}

func (w *windows) load(off int64, n int) ([]byte, error) {
	win, size := w.pick(off)
	w.use(win)
	size = int(min(int64(max(size, n)), w.size-off))
	if cap(win.buf) < size {
		win.buf = make([]byte, size)
	}
	win.off = off
	got, err := readFullAt(w.r, win.buf[:size], off)
	if got < n && n < size { // what was to be read ahead may be what is bad
		got, err = readFullAt(w.r, win.buf[:n], off)
	}
	win.buf = win.buf[:got]
	if got < n {
		return nil, err
	}
	return win.buf[:n], nil
}

// pick chooses the window to load for off, and its new size: the window that
// off continues, else the one that was not used for the longest time.
func (w *windows) pick(off int64) (*window, int) {
	oldest := &w.all[0]
	for i := range w.all {
		win := &w.all[i]
		n := int64(len(win.buf))
		if n > 0 && off >= win.off && off < win.off+2*n {
			return win, int(min(2*n, windowMax))
		}
		if win.used < oldest.used {
			oldest = win
		}
	}
	return oldest, windowMin
}
