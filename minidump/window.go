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
	tick uint64
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
	for i := range w.all {
		win := &w.all[i]
		if d := off - win.off; d >= 0 && d+int64(n) <= int64(len(win.buf)) {
			w.tick++
			win.used = w.tick
			return win.buf[d:][:n], nil
		}
	}
	return w.load(off, n)
}

func (w *windows) load(off int64, n int) ([]byte, error) {
	w.tick++
	win, size := w.pick(off)
	size = int(min(int64(max(size, n)), w.size-off))
	if cap(win.buf) < size {
		win.buf = make([]byte, size)
	}
	win.buf = win.buf[:size]
	win.off, win.used = off, w.tick
	if _, err := readFullAt(w.r, win.buf, off); err != nil {
		win.buf = win.buf[:0]
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
