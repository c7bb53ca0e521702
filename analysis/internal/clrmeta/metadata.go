package clrmeta

import (
	"errors"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// ErrNotMetadata means that the bytes do not begin as metadata does.
var ErrNotMetadata = errors.New("not CLI metadata")

// Metadata is the metadata of one module of an assembly. It is immutable and,
// if the reader is, safe for concurrent use.
type Metadata struct {
	r       io.ReaderAt
	strings heap
	blobs   heap
	rows    [tableCount]uint32
	at      [tableCount]int64 // of the first row, from the metadata's start
	cells   [tableCount][]cell
}

// A heap is a stream of values that have no size in common.
type heap struct {
	off  int64 // from the metadata's start
	size uint32
}

// A cell is a column as it is in this file.
type cell struct {
	off, size int // in the row, bytes
	tag       int // bits of a coded index
	to        []table
}

// New reads the headers of metadata, which begins at offset 0 of r; reads end at
// size bytes.
func New(r io.ReaderAt, size int64) (*Metadata, error) {
	m := &Metadata{r: io.NewSectionReader(r, 0, size)}
	c := bounded.Load("metadata root", 0, 16, m.r.ReadAt)
	if signature := c.U32(); c.Err() != nil || signature != 0x424a5342 {
		return nil, fmt.Errorf("%w: no BSJB at the start", ErrNotMetadata)
	}
	c.Skip(8)
	version := c.U32()
	if c.Err() != nil {
		return nil, c.Err()
	}
	if version > 255+1 {
		return nil, &bounded.Error{Part: "metadata root", Off: 12, Msg: fmt.Sprintf("a version of %d bytes", version)}
	}
	off := 16 + int64(version)
	c = bounded.Load("stream headers", off, 4, m.r.ReadAt)
	c.Skip(2)
	count := int(c.U16())
	if c.Err() != nil {
		return nil, c.Err()
	}
	tables, err := m.streams(off+4, count)
	if err != nil {
		return nil, err
	}
	if tables.off+int64(tables.size) > size {
		return nil, &bounded.Error{Part: "stream headers", Off: off, Msg: "the stream of tables reaches beyond the end"}
	}
	if err := m.tables(tables); err != nil {
		return nil, err
	}
	return m, nil
}

// streams takes the places of the streams from their headers, II.24.2.2, and
// returns that of the tables.
func (m *Metadata) streams(off int64, count int) (heap, error) {
	const most = 12 + 32 // offset, size, name with its zero, to a multiple of four
	c := bounded.Load("stream headers", off, count*most, m.r.ReadAt)
	var tables heap
	for range count {
		s := heap{int64(c.U32()), c.U32()}
		at := c.Off()
		name := ""
		for len(name) < 32 {
			four := string(c.Take(4))
			if name += four; four == "" || four[3] == 0 {
				break
			}
		}
		if c.Err() != nil {
			return tables, c.Err()
		}
		for name != "" && name[len(name)-1] == 0 {
			name = name[:len(name)-1]
		}
		switch name {
		case "#~", "#-":
			tables = s
		case "#Strings":
			m.strings = s
		case "#Blob":
			m.blobs = s
		case "":
			return tables, &bounded.Error{Part: "stream headers", Off: at, Msg: "a stream without a name"}
		}
	}
	if tables.size == 0 {
		return tables, fmt.Errorf("%w: no stream of tables", ErrNotMetadata)
	}
	return tables, nil
}

// tables reads the header of the tables, II.24.2.6, and finds where each lies.
func (m *Metadata) tables(s heap) error {
	c := bounded.Load("tables", s.off, min(int(s.size), 24+64*4), m.r.ReadAt)
	c.Skip(6)
	heaps := c.U8()
	c.Skip(1)
	valid := c.U64()
	c.Skip(8)
	for t := range 64 {
		if valid>>t&1 == 0 {
			continue
		}
		n := c.U32()
		if t < tableCount {
			m.rows[t] = n
		}
		if n > 1<<24-1 {
			return &bounded.Error{Part: "tables", Off: c.Off() - 4, Msg: fmt.Sprintf("%d rows in table 0x%02x", n, t)}
		}
	}
	const extraData = 0x40 // four bytes more, in tables that were written for edit and continue
	if heaps&extraData != 0 {
		c.Skip(4)
	}
	if c.Err() != nil {
		return c.Err()
	}
	off, end := c.Off(), s.off+int64(s.size)
	for t := range schema {
		m.at[t] = off
		size := 0
		for _, col := range schema[t] {
			cell := cell{size, m.sizeOf(col, heaps), col.tag, col.to}
			size += cell.size
			m.cells[t] = append(m.cells[t], cell)
		}
		if off += int64(m.rows[t]) * int64(size); off > end {
			return &bounded.Error{Part: "tables", Off: m.at[t], Msg: fmt.Sprintf("%d rows of table 0x%02x reach beyond the end", m.rows[t], t)}
		}
	}
	return nil
}

// sizeOf returns the bytes of a column: an index is wide if what it leads into
// has more than 16 bits, less the tag, can count.
func (m *Metadata) sizeOf(c column, heaps uint8) int {
	if c.bytes > 0 {
		return c.bytes
	}
	wide := heaps&c.heap != 0
	for _, t := range c.to {
		wide = wide || t != noTable && m.rows[t] >= 1<<(16-c.tag)
	}
	if wide {
		return 4
	}
	return 2
}

// row reads the cells of a row; the first has number 1.
func (m *Metadata) row(t table, rid uint32) ([]uint32, error) {
	cells := m.cells[t]
	if rid == 0 || rid > m.rows[t] {
		return nil, fmt.Errorf("table 0x%02x has no row %d", uint8(t), rid)
	}
	last := cells[len(cells)-1]
	size := last.off + last.size
	c := bounded.Load(fmt.Sprintf("table 0x%02x", uint8(t)), m.at[t]+int64(rid-1)*int64(size), size, m.r.ReadAt)
	row := make([]uint32, len(cells))
	for i, cell := range cells {
		if cell.size == 2 {
			row[i] = uint32(c.U16())
		} else {
			row[i] = c.U32()
		}
	}
	return row, c.Err()
}

// follow returns the table and the row that a coded index leads to.
func (c *cell) follow(v uint32) (table, uint32) {
	tag := int(v & (1<<c.tag - 1))
	if tag >= len(c.to) {
		return noTable, 0
	}
	return c.to[tag], v >> c.tag
}

// maxName is the longest name that is read, in bytes; the runtime's own limit,
// MAX_CLASSNAME_LENGTH, is 1024 (II.22 leaves it open).
const maxName = 1024

// text reads a name from the heap of strings.
func (m *Metadata) text(at uint32) (string, error) {
	if at >= m.strings.size {
		return "", &bounded.Error{Part: "#Strings", Off: int64(at), Msg: "outside the heap"}
	}
	var name []byte
	var piece [64]byte
	for len(name) < maxName {
		from := at + uint32(len(name))
		part := piece[:min(len(piece), int(m.strings.size-from))]
		n, err := m.r.ReadAt(part, m.strings.off+int64(from))
		for _, b := range part[:n] {
			if b == 0 {
				return m.sound(at, name)
			}
			name = append(name, b)
		}
		if n < len(part) {
			return "", &bounded.Error{Part: "#Strings", Off: int64(from) + int64(n), Msg: "cannot be read", Err: err}
		}
		if from+uint32(n) == m.strings.size {
			break
		}
	}
	return "", &bounded.Error{Part: "#Strings", Off: int64(at), Msg: "a name without an end"}
}

// sound makes sure that a name is text: what compilers make up may have any
// character in it but those that control.
func (m *Metadata) sound(at uint32, name []byte) (string, error) {
	bad := !utf8.Valid(name)
	for _, r := range string(name) {
		bad = bad || unicode.IsControl(r)
	}
	if bad {
		return "", &bounded.Error{Part: "#Strings", Off: int64(at), Msg: "no name"}
	}
	return string(name), nil
}
