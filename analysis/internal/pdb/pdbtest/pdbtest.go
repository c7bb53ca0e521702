// Package pdbtest makes PDBs for tests from struct literals: [PDB.Bytes]. It is a second transcription of the format,
// so it does not import package pdb. What is left zero is filled in right; wrong bytes are for the test to put in.
package pdbtest

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// PDB is a program database.
type PDB struct {
	GUID    [16]byte // as on disk
	Age     uint32   // of the DBI stream
	InfoAge uint32   // of the information stream; Age if zero
	Machine uint16   // IMAGE_FILE_MACHINE_*

	Sections  []Section
	Modules   []Module
	Publics   []Public
	Stale     []Public // records without an entry in the address map, as incremental linking leaves behind
	Functions []FuncID // ids 0x1000 and up of the IPI stream
	Types     []Class  // types 0x1000 and up of the TPI stream

	// An image that was rearranged after linking: pairs of RVAs. The sections above are then those before that, unless
	// only the headers of the image as it is are there.
	OMAPToSource, OMAPFromSource [][2]uint32
	CurrentSections              bool

	Frames    []Frame // of the stream of FRAMEDATA; no stream if nil
	OldFrames []byte  // the stream of FPO_DATA, likewise

	NoNames         bool // leave the stream of source file names out of the list of named streams
	NoContributions bool // write none, not even a version
	ContributionsV2 bool // in the form with one field more

	BlockSize int  // 4096 if zero
	Scatter   bool // put the blocks of streams in the file backwards
}

// Section is a section of the image. Raw is its size in the file; Size if zero.
type Section struct{ RVA, Size, Raw uint32 }

// Module is an object file's part. It contributes the extents of its functions, and those in Extra.
type Module struct {
	Name  string
	Procs []Proc
	Extra []Extent

	Trampolines []Trampoline
	Imports     []Import
	Exports     [][2]uint32 // ids of the module, and what they are in the file
	Inlinees    []Inlinee   // besides those of PDB.Functions
}

// Trampoline is a jump that the linker made. It contributes nothing; its module's Extra has the table of all.
type Trampoline struct {
	Kind uint16 // 0 for incremental linking, 1 for a branch island
	Extent
	TargetSeg uint16
	TargetOff uint32
}

// Import is what a module imports of one other.
type Import struct {
	Module string
	IDs    []uint32
}

// Inlinee says where an inlined function is declared.
type Inlinee struct {
	ID   uint32
	File string
	Line uint32
}

// Extent is a piece of a section; sections count from 1.
type Extent struct {
	Seg       uint16
	Off, Size uint32
}

// Proc is a function.
type Proc struct {
	Name string
	Kind uint16 // kind of its record; S_GPROC32 if zero, NoRecord for none
	Extent
	Lines   []Line // nil means no table of lines
	Columns bool   // Lines have a table of columns behind them
	Sites   []Site
}

// NoRecord is the kind of a function that has lines alone.
const NoRecord = 0xffff

// Line says that from Off bytes into its function on the code is of a line.
type Line struct {
	Off  uint32
	File string
	Line uint32
}

// Site is an inlined call.
type Site struct {
	Inlinee     uint32
	Annotations []byte // binary annotations
	Sites       []Site // calls inlined in turn
	Kind        uint16 // S_INLINESITE if zero
}

// Public is a public symbol.
type Public struct {
	Name string
	Seg  uint16
	Off  uint32
}

// FuncID names an inlined function and says where it is declared; Class, if not zero, is the type it is a member of.
type FuncID struct {
	Name  string
	Class uint32
	File  string
	Line  uint32
}

// Frame is a FRAMEDATA; the sizes are bytes.
type Frame struct {
	RVA, Size, Locals, Params uint32
	Program                   string
	Prolog, SavedRegs         uint16
	Flags                     uint32
}

func (f Frame) record(names *strings) []byte {
	return slices.Concat(u32(f.RVA, f.Size, f.Locals, f.Params, 0, names.add(f.Program)), u16(f.Prolog, f.SavedRegs), u32(f.Flags))
}

// Class is a type with a name.
type Class struct {
	Name string
	Kind uint16 // kind of its record; LF_STRUCTURE if zero
	Size []byte // numeric leaf, of all but enums; the value 8 if nil

	Members []byte // numeric leaf, of LF_CLASS2 and its like; the value 0 if nil
}

// Numbers of the streams that every PDB made here has; the modules come after them.
const (
	StreamInfo = 1 + iota
	StreamTPI
	StreamDBI
	StreamIPI
	StreamNames
	StreamRecords
	StreamPublics
	StreamSections
	StreamIPIHash
	StreamTPIHash
	StreamToSource
	StreamFromSource
	StreamFrames
	StreamOldFrames
	FirstModule
)

var le = binary.LittleEndian

// Bytes returns the file.
func (p PDB) Bytes() []byte {
	names := newStrings()
	streams := make([][]byte, FirstModule)
	for _, m := range p.Modules {
		streams = append(streams, p.module(m, names))
	}
	for _, f := range p.Frames {
		streams[StreamFrames] = append(streams[StreamFrames], f.record(names)...)
	}
	streams[StreamOldFrames] = p.OldFrames
	streams[StreamInfo] = p.info()
	streams[StreamTPI], streams[StreamTPIHash] = p.typeStream(StreamTPIHash, p.classRecords())
	streams[StreamIPI], streams[StreamIPIHash] = p.typeStream(StreamIPIHash, p.functionRecords())
	streams[StreamNames] = names.stream()
	streams[StreamRecords], streams[StreamPublics] = p.publics()
	for _, s := range p.Sections {
		b := append([]byte(".test\x00\x00\x00"), u32(s.Size, s.RVA, cmp.Or(s.Raw, s.Size), 0x400, 0, 0, 0, 0x60000020)...)
		streams[StreamSections] = append(streams[StreamSections], b...)
	}
	streams[StreamToSource], streams[StreamFromSource] = pairs(p.OMAPToSource), pairs(p.OMAPFromSource)
	streams[StreamDBI] = p.dbi(streams)
	return container(streams, cmp.Or(p.BlockSize, 4096), p.Scatter)
}

// container puts streams into an MSF file: superblock, the two free block maps, the streams' blocks, the directory,
// and the list of the directory's blocks.
func container(streams [][]byte, blockSize int, scatter bool) []byte {
	blocksOf := func(n int) int { return (n + blockSize - 1) / blockSize }
	file := make([]byte, 3*blockSize)
	add := func(data []byte) (list []byte) {
		first, n := len(file)/blockSize, blocksOf(len(data))
		file = append(file, make([]byte, n*blockSize)...)
		for i := range n {
			at := first + i
			if scatter {
				at = first + n - 1 - i
			}
			copy(file[at*blockSize:(at+1)*blockSize], data[i*blockSize:])
			list = append(list, u32(uint32(at))...)
		}
		return list
	}
	directory := u32(uint32(len(streams)))
	for _, s := range streams {
		directory = append(directory, u32(uint32(len(s)))...)
	}
	for _, s := range streams {
		directory = append(directory, add(s)...)
	}
	scatter = false
	blockMap := add(add(directory))
	copy(file, "Microsoft C/C++ MSF 7.00\r\n\x1aDS\x00\x00\x00")
	copy(file[32:], u32(uint32(blockSize), 1, uint32(len(file)/blockSize), uint32(len(directory)), 0))
	copy(file[52:], blockMap)
	return file
}

func u32(values ...uint32) []byte {
	var b []byte
	for _, v := range values {
		b = le.AppendUint32(b, v)
	}
	return b
}

func u16(values ...uint16) []byte {
	var b []byte
	for _, v := range values {
		b = le.AppendUint16(b, v)
	}
	return b
}

func pairs(list [][2]uint32) []byte {
	var b []byte
	for _, p := range list {
		b = append(b, u32(p[0], p[1])...)
	}
	return b
}

// record frames a symbol or type record: length, kind, body, padded to four bytes.
func record(kind uint16, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	for (2+len(body))%4 != 2 {
		body = append(body, 0)
	}
	return append(u16(uint16(2+len(body)), kind), body...)
}

func text(s string) []byte { return append([]byte(s), 0) }

func (p PDB) info() []byte {
	b := u32(20000404, 0, cmp.Or(p.InfoAge, p.Age))
	b = append(b, p.GUID[:]...)
	name := text("/names")
	if p.NoNames {
		name = text("/other")
	}
	b = append(append(b, u32(uint32(len(name)))...), name...)
	// Entries, capacity, bit vectors of used and deleted buckets, then key and value of each entry: one that points
	// behind the names, and the right one.
	b = append(b, u32(2, 4, 2, 5, 0, 1, 2)...)
	return append(b, u32(uint32(len(name)), 1, 0, StreamNames)...)
}

// publics returns the symbol records and the stream with their address map.
func (p PDB) publics() (records, stream []byte) {
	sorted := slices.SortedStableFunc(slices.Values(p.Publics), func(a, b Public) int {
		return cmp.Or(cmp.Compare(a.Seg, b.Seg), cmp.Compare(a.Off, b.Off))
	})
	var addresses []byte
	for _, s := range sorted {
		addresses = append(addresses, u32(uint32(len(records)))...)
		records = append(records, record(0x110e, u32(2, s.Off), u16(s.Seg), text(s.Name))...)
	}
	for _, s := range p.Stale {
		records = append(records, record(0x110e, u32(2, s.Off), u16(s.Seg), text(s.Name))...)
	}
	stream = u32(0, uint32(len(addresses)), 0, 0, 0, 0, 0)
	return records, append(stream, addresses...)
}

// typeStream returns a TPI or IPI stream, and the stream with its sparse index.
func (p PDB) typeStream(hash uint16, records [][]byte) (stream, index []byte) {
	const first = 0x1000
	body := bytes.Join(records, nil)
	off, last := 0, -1<<13
	for i, r := range records {
		if off-last >= 1<<13 {
			index = append(index, u32(uint32(first+i), uint32(off))...)
			last = off
		}
		off += len(r)
	}
	stream = u32(20040203, 56, first, uint32(first+len(records)), uint32(len(body)))
	stream = append(stream, u16(hash, 0xffff)...)
	stream = append(stream, u32(4, 0x3ffff, 0, 0, 0, uint32(len(index)), 0, 0)...)
	return append(stream, body...), index
}

func (p PDB) classRecords() (out [][]byte) {
	for _, c := range p.Types {
		kind, size := cmp.Or(c.Kind, 0x1505), c.Size
		if size == nil {
			size = u16(8)
		}
		fields := [][]byte{u16(0, 0), u32(0, 0, 0), size} // count, properties; member list, base, virtual table
		members := c.Members
		if members == nil {
			members = u16(0)
		}
		switch kind {
		case 0x1608, 0x1609, 0x160b: // LF_CLASS2, LF_STRUCTURE2, LF_INTERFACE2: properties first, count last
			fields = [][]byte{u32(0x280, 0, 0, 0), members, size}
		case 0x160a: // LF_UNION2
			fields = [][]byte{u32(0x280, 0), members, size}
		case 0x1506: // LF_UNION
			fields = [][]byte{u16(0, 0), u32(0), size}
		case 0x1507: // LF_ENUM
			fields = [][]byte{u16(0, 0), u32(0, 0)} // underlying type, member list
		}
		out = append(out, record(kind, append(fields, text(c.Name))...))
	}
	return out
}

func (p PDB) functionRecords() (out [][]byte) {
	for _, f := range p.Functions {
		kind := uint16(0x1601)
		if f.Class != 0 {
			kind = 0x1602
		}
		out = append(out, record(kind, u32(f.Class, 0), text(f.Name)))
	}
	return out
}
