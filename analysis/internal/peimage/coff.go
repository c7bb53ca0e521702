package peimage

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// symbolSize is the size of a COFF symbol in bytes (IMAGE_SYMBOL).
const symbolSize = 18

// Symbols are the functions and variables of the COFF symbol table, which linkers
// other than Microsoft's leave in images that are not stripped. It is immutable
// and safe for concurrent use.
type Symbols struct {
	img   *Image
	items []coffSymbol
}

type coffSymbol struct {
	rva   uint32
	index uint32 // in the symbol table
}

// Symbol is one function or variable of the COFF symbol table. It has no size.
type Symbol struct {
	Name string // as stored; on x86 with the leading underscore of C
	RVA  uint32 // where it starts
}

// Symbols reads the COFF symbol table of an image file. Memory does not hold
// that table: a mapped image has none. With an error, the symbols read before it
// are returned too.
func (img *Image) Symbols() (*Symbols, error) {
	s := &Symbols{img: img}
	if img.mapped || img.symbols == 0 {
		return s, nil
	}
	const step = 1000 // symbols read at once
	aux := 0
	for i := uint32(0); i < img.symbolCount; {
		n := min(step, img.symbolCount-i)
		c := bounded.Load("symbol table", img.symbols+int64(i)*symbolSize, int(n)*symbolSize, img.r.ReadAt)
		for ; n > 0; n-- {
			p := c.Take(symbolSize)
			if c.Err() != nil {
				return s.sorted(), c.Err()
			}
			if aux > 0 {
				aux--
			} else {
				aux = int(p[17])
				s.add(p, i)
			}
			i++
		}
	}
	return s.sorted(), nil
}

// add takes a symbol if it is a function by its type, or lies among data and is
// not that of a section, which has an auxiliary record. Labels are left out: the
// linker defines many, such as ___crt_xt_end__, at the address of a function.
func (s *Symbols) add(p []byte, index uint32) {
	c := bounded.New("symbol", 0, p[8:])
	value, number, kind := c.U32(), int(c.U16()), c.U16()
	if number < 1 || number > len(s.img.Sections) {
		return
	}
	section := s.img.Sections[number-1]
	const data = 0x40 | 0x80                                                                             // IMAGE_SCN_CNT_INITIALIZED_DATA, IMAGE_SCN_CNT_UNINITIALIZED_DATA
	function, variable := kind>>4&3 == 2, section.Characteristics&data != 0 && p[17] == 0 && p[0] != '.' // as in ".idata$5"
	if !function && !variable {
		return
	}
	if rva := section.VirtualAddress + value; section.Contains(rva) {
		s.items = append(s.items, coffSymbol{rva: rva, index: index})
	}
}

// sorted orders the symbols by address; of several at one the first stays.
func (s *Symbols) sorted() *Symbols {
	slices.SortStableFunc(s.items, func(a, b coffSymbol) int { return cmp.Compare(a.rva, b.rva) })
	s.items = slices.CompactFunc(s.items, func(a, b coffSymbol) bool { return a.rva == b.rva })
	return s
}

// Len returns the number of functions and variables.
func (s *Symbols) Len() int { return len(s.items) }

// Lookup returns what starts nearest below rva in its section.
func (s *Symbols) Lookup(rva uint32) (Symbol, bool, error) {
	i := sort.Search(len(s.items), func(i int) bool { return s.items[i].rva > rva }) - 1
	if i < 0 {
		return Symbol{}, false, nil
	}
	item := s.items[i]
	section, ok := s.img.section(rva)
	if !ok || !section.Contains(rva) || item.rva < section.VirtualAddress {
		return Symbol{}, false, nil
	}
	c := bounded.Load("symbol name", s.img.symbols+int64(item.index)*symbolSize, 8, s.img.r.ReadAt)
	name := c.Take(8)
	if c.Err() != nil {
		return Symbol{}, false, c.Err()
	}
	text := string(bytes.TrimRight(name, "\x00"))
	if binary.LittleEndian.Uint32(name) == 0 {
		var err error
		if text, err = s.img.longName(int64(binary.LittleEndian.Uint32(name[4:]))); err != nil {
			return Symbol{}, false, err
		}
	}
	return Symbol{Name: text, RVA: item.rva}, true, nil
}

// longName reads a name from the string table, which follows the symbols.
func (img *Image) longName(off int64) (string, error) {
	table := img.symbols + int64(img.symbolCount)*symbolSize
	return readName("name in the string table", table+off, img.r.ReadAt)
}

// FullName returns the name of a section. One of more than 8 bytes is read
// from the string table of the file.
func (img *Image) FullName(s Section) (string, error) {
	digits, ok := strings.CutPrefix(s.Name, "/")
	if !ok || img.mapped || img.symbols == 0 {
		return s.Name, nil
	}
	off, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return s.Name, nil
	}
	return img.longName(int64(off))
}

// Data reads the bytes of a section: as many as are loaded, or in the file,
// whichever is less.
func (img *Image) Data(s Section) ([]byte, error) {
	n := s.SizeOfRawData
	if s.VirtualSize != 0 {
		n = min(n, s.VirtualSize)
	}
	off, read := int64(s.PointerToRawData), img.r.ReadAt
	if img.mapped {
		off, read = int64(s.VirtualAddress), img.readRVA
	}
	if int64(n) > img.size-off {
		return nil, &bounded.Error{Part: "section " + s.Name, Off: off, Msg: "the file ends before its " + strconv.Itoa(int(n)) + " bytes"}
	}
	c := bounded.Load("section "+s.Name, off, int(n), read)
	data := c.Take(int(n))
	return data, c.Err()
}

// readName reads the text at off up to its zero byte, of a longer one the first
// maxName bytes.
func readName(part string, off int64, read func([]byte, int64) (int, error)) (string, error) {
	var name []byte
	for len(name) < maxName {
		have := len(name)
		step := max(64, have) // so that it comes to maxName
		name = append(name, make([]byte, step)...)
		n, err := read(name[have:], off+int64(have))
		name = name[:have+max(n, 0)]
		if end := bytes.IndexByte(name[have:], 0); end >= 0 {
			return string(name[:have+end]), nil
		}
		if n < step {
			if err == nil {
				err = io.ErrUnexpectedEOF
			}
			return "", &bounded.Error{Part: part, Off: off, Msg: "has no end", Err: err}
		}
	}
	return string(name), nil
}
