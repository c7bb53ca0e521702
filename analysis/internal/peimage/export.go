package peimage

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// maxExports is how many functions 16-bit ordinals can distinguish; linkers
// refuse to write more.
const maxExports = 1 << 16

// maxName is how many bytes of a name are read. Compilers shorten decorated names
// to fewer; a hostile table can have its names lie within one another, so that
// each reads as long as all of them.
const maxName = 8 << 10

// Exports is the export table of an image, by address. It is immutable and
// safe for concurrent use.
type Exports struct {
	img   *Image
	base  uint32 // ordinal of the first function
	items []export
}

type export struct {
	rva     uint32
	nameRVA uint32 // 0 without a name
	index   uint32 // in the address table
}

// Export is one exported function.
type Export struct {
	Name string // "Ordinal12" if it is exported by ordinal only, as WinDbg names it
	RVA  uint32 // start of the function
}

// Exports reads the export table. Forwarders, which stand for a function of
// another image, are left out. An image without exports has an empty table. With
// an error, the functions read before it are returned too.
func (img *Image) Exports() (*Exports, error) {
	e := &Exports{img: img}
	if img.exports.rva == 0 || img.exports.size == 0 {
		return e, nil
	}
	c := bounded.Load("export directory", int64(img.exports.rva), 40, img.readRVA)
	c.Skip(16)
	e.base = c.U32()
	functions, names := c.U32(), c.U32()
	addressTable, nameTable, ordinalTable := c.U32(), c.U32(), c.U32()
	if c.Err() != nil {
		return e, c.Err()
	}
	functions, names = min(functions, maxExports), min(names, maxExports)
	err := e.readAddresses(addressTable, int(functions))
	if nameErr := e.readNames(nameTable, ordinalTable, int(names)); err == nil {
		err = nameErr
	}
	// Of several names of one address the first of the name table stays, which
	// linkers sort: NtClose, not ZwClose. A name goes before an ordinal.
	slices.SortStableFunc(e.items, func(a, b export) int {
		return cmp.Or(cmp.Compare(a.rva, b.rva), compareNamed(a, b), cmp.Compare(a.index, b.index))
	})
	e.items = slices.CompactFunc(e.items, func(a, b export) bool { return a.rva == b.rva })
	return e, err
}

func compareNamed(a, b export) int {
	switch {
	case a.nameRVA != 0 && b.nameRVA == 0:
		return -1
	case a.nameRVA == 0 && b.nameRVA != 0:
		return 1
	}
	return 0
}

// readAddresses reads the address table, in which a value inside the export
// directory is not code but the name of a forwarder.
func (e *Exports) readAddresses(table uint32, n int) error {
	dir := e.img.exports
	c := bounded.Load("export address table", int64(table), n*4, e.img.readRVA)
	for i := range n {
		rva := c.U32()
		if c.Err() != nil {
			return c.Err()
		}
		if rva != 0 && rva-dir.rva >= dir.size {
			e.items = append(e.items, export{rva: rva, index: uint32(i)})
		}
	}
	return nil
}

// readNames adds the names, in the order of the name table.
func (e *Exports) readNames(nameTable, ordinalTable uint32, n int) error {
	if len(e.items) == 0 {
		return nil
	}
	place := make([]int32, e.items[len(e.items)-1].index+1) // position in items, plus one, of each function
	for i, item := range e.items {
		place[item.index] = int32(i + 1)
	}
	names := bounded.Load("export name table", int64(nameTable), n*4, e.img.readRVA)
	ordinals := bounded.Load("export ordinal table", int64(ordinalTable), n*2, e.img.readRVA)
	first := make(map[uint32]bool) // functions' addresses that have a name
	for range n {
		nameRVA, i := names.U32(), ordinals.U16()
		if names.Err() != nil {
			return names.Err()
		}
		if ordinals.Err() != nil {
			return ordinals.Err()
		}
		if int(i) >= len(place) || place[i] == 0 || nameRVA == 0 {
			continue
		}
		at := place[i]
		item := &e.items[at-1]
		if !first[item.rva] {
			first[item.rva] = true
			item.nameRVA = nameRVA
		}
	}
	return nil
}

// Len returns the number of distinct addresses that are exported.
func (e *Exports) Len() int { return len(e.items) }

// Start returns where the function begins that Lookup names.
func (e *Exports) Start(rva uint32) (uint32, bool) {
	item, ok := e.at(rva)
	return item.rva, ok
}

// Lookup returns the exported function that starts nearest below rva. There is
// none before the first export, and none across the border of a section. A
// true answer is the best an export table can give and may still be wrong: a
// function that is not exported takes the name of its neighbour.
func (e *Exports) Lookup(rva uint32) (Export, bool, error) {
	item, ok := e.at(rva)
	if !ok {
		return Export{}, false, nil
	}
	name, err := e.name(item)
	if err != nil {
		return Export{}, false, err
	}
	return Export{Name: name, RVA: item.rva}, true, nil
}

func (e *Exports) at(rva uint32) (export, bool) {
	i := sort.Search(len(e.items), func(i int) bool { return e.items[i].rva > rva }) - 1
	if i < 0 {
		return export{}, false
	}
	s, ok := e.img.section(rva)
	item := e.items[i]
	return item, ok && s.Contains(rva) && item.rva >= s.VirtualAddress
}

func (e *Exports) name(item export) (string, error) {
	if item.nameRVA == 0 {
		return fmt.Sprintf("Ordinal%d", uint64(e.base)+uint64(item.index)), nil
	}
	return readName("export name", int64(item.nameRVA), e.img.readRVA)
}
