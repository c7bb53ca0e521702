package minidump_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand"
	"runtime"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// countingReader counts the bytes that are read.
type countingReader struct {
	*bytes.Reader
	n int64
}

func (r *countingReader) ReadAt(p []byte, off int64) (int, error) {
	r.n += int64(len(p))
	return r.Reader.ReadAt(p, off)
}

// overlappingStrings is a dump of n handles whose names begin at every fourth
// byte of a block in which any four bytes are both the length of a string and
// two of its characters. word gives the i-th of them.
func overlappingStrings(n int, word func(i int) uint32) []byte {
	order := rand.New(rand.NewSource(1)).Perm(n)
	block := make([]byte, 4*n+0x10000)
	for i := 0; i < len(block); i += 4 {
		binary.LittleEndian.PutUint32(block[i:], word(i/4))
	}
	d := dumptest.Dump{
		HandleData: &dumptest.HandleData{
			Each: dumptest.GenerateHandles(n, func(i int) dumptest.Handle {
				return dumptest.Handle{Value: uint64(i+1) * 4, GrantedAccess: 1}
			}),
		},
		Streams: []dumptest.RawStream{{Type: 0xfff0, Data: block}},
	}
	layout, err := d.Layout()
	if err != nil {
		panic(err)
	}
	data := d.Bytes()
	names := layout["HandleData"] + 16 + 12
	for i, at := range order {
		binary.LittleEndian.PutUint32(data[names+40*int64(i):], uint32(layout["Stream(0xfff0)"])+4*uint32(at))
	}
	return data
}

// TestOverlappingNamesCost has many names of 64 KB in a small file. Once they
// are refused, they must not be read any more, and neither may names that are
// all the same cost their length again and again.
func TestOverlappingNamesCost(t *testing.T) {
	const handles = 20_000
	source := rand.New(rand.NewSource(2))
	for name, word := range map[string]func(i int) uint32{
		"same":     func(int) uint32 { return 0xfff8 },
		"distinct": func(int) uint32 { return 0xff00 + uint32(source.Intn(0xfe)) },
	} {
		t.Run(name, func(t *testing.T) {
			data := overlappingStrings(handles, word)
			counted := &countingReader{Reader: bytes.NewReader(data)}
			f, err := minidump.NewFile(counted, int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			hd, err := f.HandleData()
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			n, refused := 0, 0
			for _, err := range hd.All() {
				n++
				if err != nil && strings.Contains(err.Error(), "overlapping") {
					refused++
				}
			}
			runtime.ReadMemStats(&after)
			if n != handles || refused < handles/2 {
				t.Errorf("%d of %d names refused", refused, n)
			}
			if most := int64(40 * len(data)); counted.n > most {
				t.Errorf("%d bytes read of a file of %d, want less than %d", counted.n, len(data), most)
			}
			if most := uint64(256 * len(data)); after.TotalAlloc-before.TotalAlloc > most {
				t.Errorf("%d bytes allocated, want less than %d", after.TotalAlloc-before.TotalAlloc, most)
			}
		})
	}
}

// TestSharedNames has many handles with few names, each stored once, in no
// order: good data, however long the names are.
func TestSharedNames(t *testing.T) {
	t.Parallel()
	const handles, names = 60_000, 2000
	var block []byte
	var at []uint32
	var text []string
	for i := range names {
		name := fmt.Sprintf(`\BaseNamedObjects\%d\%s`, i, strings.Repeat("x", 500))
		at = append(at, uint32(len(block)))
		text = append(text, name)
		block = binary.LittleEndian.AppendUint32(block, uint32(2*len(name)))
		for _, c := range name {
			block = append(block, byte(c), 0)
		}
	}
	d := dumptest.Dump{
		HandleData: &dumptest.HandleData{Each: dumptest.GenerateHandles(handles, func(i int) dumptest.Handle {
			return dumptest.Handle{Value: uint64(i+1) * 4, GrantedAccess: 1}
		})},
		Streams: []dumptest.RawStream{{Type: 0xfff0, Data: block}},
	}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	data := d.Bytes()
	order := rand.New(rand.NewSource(1)).Perm(handles)
	first := layout["HandleData"] + 16 + 12
	for i := range handles {
		binary.LittleEndian.PutUint32(data[first+40*int64(i):], uint32(layout["Stream(0xfff0)"])+at[order[i]%names])
	}
	counted := &countingReader{Reader: bytes.NewReader(data)}
	f, err := minidump.NewFile(counted, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	hd, err := f.HandleData()
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for h, err := range hd.All() {
		if err != nil {
			t.Fatalf("handle %d: %v", i, err)
		}
		if h.ObjectName != text[order[i]%names] {
			t.Fatalf("handle %d: %s", i, h.ObjectName)
		}
		i++
	}
	if most := int64(20 * len(data)); counted.n > most {
		t.Errorf("%d bytes read of a file of %d, want less than %d", counted.n, len(data), most)
	}
}

// TestSharedChainsAreRefused has handles that share one long chain of object
// information, which no writer makes.
func TestSharedChainsAreRefused(t *testing.T) {
	const handles, links = 4000, 64
	chain := make([]byte, 12*links)
	d := dumptest.Dump{
		HandleData: &dumptest.HandleData{
			Each: dumptest.GenerateHandles(handles, func(i int) dumptest.Handle {
				return dumptest.Handle{Value: uint64(i+1) * 4, GrantedAccess: 1}
			}),
		},
		Streams: []dumptest.RawStream{{Type: 0xfff0, Data: chain}},
	}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	data := d.Bytes()
	first := uint32(layout["Stream(0xfff0)"])
	for i := range links - 1 {
		binary.LittleEndian.PutUint32(data[first+12*uint32(i):], first+12*uint32(i+1))
	}
	for i := range handles {
		binary.LittleEndian.PutUint32(data[layout["HandleData"]+16+32+40*int64(i):], first)
	}
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	hd, err := f.HandleData()
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for h := range hd.All() {
		total += len(h.ObjectInfo)
	}
	if most := 20 * handles; total == 0 || total > most {
		t.Errorf("%d links of %d handles, want some and at most %d", total, handles, most)
	}
}

// TestSharedCodeView has modules that all name the same long record.
func TestSharedCodeView(t *testing.T) {
	record := append([]byte("RSDS"), bytes.Repeat([]byte("x"), 60_000)...)
	d := dumptest.Dump{Modules: []dumptest.Module{{CodeView: dumptest.RawCodeView(record)}}}
	for range 200 {
		d.Modules = append(d.Modules, dumptest.Module{CodeView: dumptest.RawCodeView("RSDS")})
	}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		name := fmt.Sprintf("ModuleList[%d]", i+1)
		d.Patches = append(d.Patches, dumptest.PutU32(name, 76, uint32(len(record))), dumptest.PutU32(name, 80, uint32(layout["ModuleList[0].CvRecord"])))
	}
	f := build(t, d)
	modules, err := f.Modules()
	total := 0
	for _, m := range modules {
		total += len(m.CvRecord.PDBFile)
	}
	if len(modules) != 201 || err == nil || !strings.Contains(err.Error(), "overlapping data") || int64(total) > 8*f.Size() || total == 0 {
		t.Errorf("%d modules with %d bytes of paths from %d bytes, %v", len(modules), total, f.Size(), err)
	}
}

// TestMiscInfoHugeSize has a size that is negative as an int of 32 bits.
func TestMiscInfoHugeSize(t *testing.T) {
	d := dumptest.Dump{MiscInfo: &dumptest.MiscInfo{ProcessID: 4711, SizeOfInfo: 1364}}
	d.Patches = []dumptest.Patch{dumptest.PutU32("MiscInfo", 0, 0xffffffff)}
	data := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.MiscInfo()
	if err != nil || m.ProcessID != 4711 {
		t.Errorf("%+v, %v", m, err)
	}
}
