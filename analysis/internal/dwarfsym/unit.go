package dwarfsym

import (
	"cmp"
	"debug/dwarf"
	"errors"
	"io"
	"slices"
	"sort"
	"strings"
)

// A unit is a compilation unit that was asked for.
type unit struct {
	err   error
	funcs []funcRange // by low
	all   []*function
	lines *lineTable
}

// A funcRange is a piece of code of a function.
type funcRange struct {
	low, high uint64
	fn        *function
}

// A function is a subprogram with code.
type function struct {
	off   dwarf.Offset
	start uint64      // of its first range, which has its entry
	calls []callRange // inlined calls, by depth and address
}

// A callRange is a piece of code of an inlined call.
type callRange struct {
	depth      int // 0 for a call by the function itself
	low, high  uint64
	off        dwarf.Offset
	file, line int64 // of the call
}

// A lineTable is the line program of a unit.
type lineTable struct {
	err   error
	dir   string      // folder that relative names start from
	rows  []lineRange // by low
	files []*dwarf.LineFile
}

type lineRange struct {
	low, high uint64
	file      string
	line      int
}

// unit reads the functions of the unit whose entry is at off.
func (f *File) unit(off dwarf.Offset) *unit {
	if u := f.units[off]; u != nil {
		return u
	}
	u := &unit{}
	f.units[off] = u
	u.err = f.readUnit(u, off)
	return u
}

// A level is an entry whose children are being read.
type level struct {
	fn    *function
	depth int // of the calls below
}

func (f *File) readUnit(u *unit, off dwarf.Offset) (err error) {
	defer guard(&err)
	r := f.data.Reader()
	r.Seek(off)
	cu, err := f.next(r)
	if err != nil || cu == nil {
		return err
	}
	if u.lines, err = f.lineTable(cu); err != nil {
		return err
	}
	if !cu.Children {
		return nil
	}
	levels := []level{{}}
	for len(levels) > 0 {
		e, err := f.next(r)
		if err != nil {
			return err
		}
		if e == nil {
			break
		}
		if e.Tag == 0 {
			levels = levels[:len(levels)-1]
			continue
		}
		below, err := f.entry(u, e, levels[len(levels)-1])
		if err != nil {
			return err
		}
		if e.Children {
			levels = append(levels, below)
		}
	}
	slices.SortStableFunc(u.funcs, func(a, b funcRange) int { return cmp.Compare(a.low, b.low) })
	for _, fn := range u.all {
		slices.SortStableFunc(fn.calls, func(a, b callRange) int {
			return cmp.Or(cmp.Compare(a.depth, b.depth), cmp.Compare(a.low, b.low))
		})
	}
	return nil
}

// entry takes in a function or an inlined call, and returns the level below.
func (f *File) entry(u *unit, e *dwarf.Entry, at level) (level, error) {
	switch e.Tag {
	case dwarf.TagSubprogram:
		ranges, err := f.entryRanges(e)
		if err != nil || len(ranges) == 0 {
			return level{}, err
		}
		fn := &function{off: e.Offset, start: ranges[0][0]}
		for _, r := range ranges {
			u.funcs = append(u.funcs, funcRange{r[0], r[1], fn})
		}
		u.all = append(u.all, fn)
		return level{fn: fn}, nil
	case dwarf.TagInlinedSubroutine:
		if at.fn == nil {
			return at, nil
		}
		ranges, err := f.entryRanges(e)
		if err != nil {
			return level{}, err
		}
		c := callRange{depth: at.depth, off: e.Offset}
		c.file, _ = e.Val(dwarf.AttrCallFile).(int64)
		c.line, _ = e.Val(dwarf.AttrCallLine).(int64)
		for _, r := range ranges {
			c.low, c.high = r[0], r[1]
			at.fn.calls = append(at.fn.calls, c)
		}
		at.depth++
	}
	return at, nil
}

// lineTable reads the lines of a unit. Units may share a table.
func (f *File) lineTable(cu *dwarf.Entry) (*lineTable, error) {
	off, ok := cu.Val(dwarf.AttrStmtList).(int64)
	if !ok {
		return &lineTable{}, nil
	}
	if t := f.lines[off]; t != nil {
		return t, t.err
	}
	t := &lineTable{}
	t.dir, _ = cu.Val(dwarf.AttrCompDir).(string)
	f.lines[off] = t
	r, err := f.data.LineReader(cu)
	if err == nil && r != nil {
		err = t.read(r)
		t.files = r.Files()
	}
	t.err = err
	return t, err
}

func (t *lineTable) read(r *dwarf.LineReader) error {
	var row, next dwarf.LineEntry
	open := false // row holds the start of a range
	for {
		err := r.Next(&next)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if open && next.Address > row.Address && row.File != nil {
			t.rows = append(t.rows, lineRange{row.Address, next.Address, row.File.Name, row.Line})
		}
		row, open = next, !next.EndSequence
	}
	slices.SortStableFunc(t.rows, func(a, b lineRange) int { return cmp.Compare(a.low, b.low) })
	return nil
}

// at returns file and line of an address, or "" and 0.
func (t *lineTable) at(addr uint64) (string, int) {
	i := sort.Search(len(t.rows), func(i int) bool { return t.rows[i].low > addr }) - 1
	if i < 0 || addr >= t.rows[i].high {
		return "", 0
	}
	return t.path(t.rows[i].file), t.rows[i].line
}

// file returns the name of a numbered file, or "".
func (t *lineTable) file(n int64) string {
	if n < 0 || n >= int64(len(t.files)) || t.files[n] == nil {
		return ""
	}
	return t.path(t.files[n].Name)
}

// path puts the folder of the compilation before a relative name. Names are of
// the system that compiled, whatever system this is.
func (t *lineTable) path(name string) string {
	absolute := strings.HasPrefix(name, "/") || strings.HasPrefix(name, `\`) || len(name) > 1 && name[1] == ':'
	if absolute || t.dir == "" {
		return name
	}
	if strings.Contains(t.dir, `\`) && !strings.Contains(t.dir, "/") {
		return t.dir + `\` + name
	}
	return t.dir + "/" + name
}
