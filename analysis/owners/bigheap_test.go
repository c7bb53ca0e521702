package owners

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

const (
	bigSegment = 32 << 20 // bytes, of the heap
	bigClasses = 1 << 11  // with a vtable each
	bigLeak    = 60_000   // handles in objects of one class
)

// bigHeap is a process with a large heap of small objects, about 68 bytes each
// with their header, some 22 million in 1.5 GB: objects of many classes, text,
// numbers, zeros, free blocks and pointers among them. Objects of one class
// hold most of the handles, here and there in the heap; others are in two
// classes, two arrays, in records, or nowhere.
type bigHeap struct {
	*ownerScene
	size   int // bytes
	mix    bigMix
	leaked []uint64
	others map[string][]uint64 // by type
}

// bigMix is what there is beside the leak.
type bigMix int

const (
	oneLeak  bigMix = iota // an array
	mixed                  // other classes, records, and events that nobody has
	muchLeft               // and that in a heap full of numbers
)

func (m bigMix) String() string { return [...]string{"OneLeak", "Mixed", "MuchLeft"}[m] }

func newBigHeap(ptr, size int, mix bigMix) *bigHeap {
	h := &bigHeap{ownerScene: newScene(1, ptr), size: size, mix: mix}
	if ptr == 8 {
		h.heapAt = 0x1f010000000
	}
	h.system()
	h.leaked = h.open("Key", bigLeak, func(i int) uint64 { return uint64(4 * (0x401 + 2*i)) })
	var types []string // of the handles between them
	for typ, n := range map[string]int{"Thread": 600, "Event": 3000, "Semaphore": 900, "File": 1200} {
		if mix > oneLeak || typ == "File" {
			types = append(types, slices.Repeat([]string{typ}, n)...)
		}
	}
	if mix == muchLeft {
		types = append(types, slices.Repeat([]string{"Token"}, 300)...) // nobody has these
	}
	slices.Sort(types)
	h.rand.Shuffle(len(types), func(i, j int) { types[i], types[j] = types[j], types[i] })
	h.others = map[string][]uint64{}
	for i, typ := range types {
		h.others[typ] = append(h.others[typ], h.open(typ, 1, func(int) uint64 { return uint64(4 * (0x400 + 20*i)) })...)
	}
	h.image = append(h.image, make([]byte, bigClasses*0x40)...)
	for at := sceneImage; at < len(h.image); at += 0x40 {
		for i := range 3 {
			h.put(h.image, at+i*ptr, h.base+sceneCode+uint64(at%0xfe0+16*i)%0xff0)
		}
	}
	return h
}

func (h *bigHeap) class(i int) uint64 { return h.base + sceneImage + uint64(0x40*i) }

// segment makes a part of the heap.
func (h *bigHeap) segment(number int) []byte {
	from := number * bigSegment
	b := make([]byte, 0, min(bigSegment, h.size-from))
	rand := newScene(uint64(100+number), h.ptr).rand
	place := h.size / bigLeak // of the objects that leak
	threads, events, semaphores := h.others["Thread"], h.others["Event"], h.others["Semaphore"]
	word := func(v uint64) {
		if h.ptr == 4 {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		} else {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
	}
	pointer := func() uint64 { return h.heapAt + uint64(rand.IntN(h.size))&^15 }
	number32 := func() uint64 { // mostly small
		if h.mix < muchLeft && rand.IntN(8) > 0 {
			return 0
		}
		return uint64(rand.Uint32() >> (8 + rand.IntN(24)))
	}
	header := func(words int) {
		b = binary.LittleEndian.AppendUint32(b, rand.Uint32())
		b = binary.LittleEndian.AppendUint32(b, rand.Uint32())
		b = append(b, make([]byte, 2*h.ptr-8)...)
	}
	next := from + place
	taken := 0
	for len(b) < cap(b)-16<<10 {
		if at := from + len(b); at >= next && next/place-1 < bigLeak {
			i := next/place - 1
			next += place
			header(5)
			word(h.class(7))
			word(pointer())
			word(number32())
			word(h.leaked[i])
			word(0)
			word(0)
			continue
		}
		taken++
		if taken%1000 == 0 && h.mix > oneLeak {
			i := from/bigSegment*500 + taken/1000
			header(4)
			switch i % 3 {
			case 0:
				word(h.class(8))
				word(threads[i/3%len(threads)])
			case 1:
				word(h.class(9))
				word(0)
				word(events[i/3%(len(events)/2)])
			case 2:
				b = append(b, "job \x01\x00\x00\x00"...)
				word(semaphores[i/3%len(semaphores)])
				word(number32())
			}
			word(0)
			word(0)
			continue
		}
		words := 2 + 2*rand.IntN(6)
		header(words)
		switch kind := rand.IntN(16); {
		case kind < 6: // an object
			class := rand.IntN(bigClasses)
			class = 10 + class*class/bigClasses*(bigClasses-10)/bigClasses
			word(h.class(class))
			for range words - 1 {
				switch rand.IntN(5) {
				case 0, 1:
					word(pointer())
				case 2:
					word(number32())
				case 3:
					word(number32() | number32()<<32)
				default:
					word(0)
				}
			}
		case kind < 9: // text
			for range words * h.ptr / 2 {
				b = append(b, byte('a'+rand.IntN(26)), 0)
			}
		case kind < 10:
			for range words * h.ptr / 4 {
				b = binary.LittleEndian.AppendUint32(b, 0x20202020+rand.Uint32()&0x5f5f5f5f)
			}
		case kind < 12 && h.mix == muchLeft: // numbers
			for range words * h.ptr / 4 {
				b = binary.LittleEndian.AppendUint32(b, uint32(number32()))
			}
		case kind < 13: // anything
			for range words * h.ptr / 8 {
				b = binary.LittleEndian.AppendUint64(b, rand.Uint64())
			}
		case kind < 15: // a node of a list or of a tree
			word(pointer())
			word(pointer())
			for range words - 2 {
				word(0)
			}
		default: // a free block
			word(pointer())
			word(pointer())
			b = append(b, make([]byte, (words+rand.IntN(8)-2)*h.ptr)...)
		}
	}
	if number == 0 {
		for _, v := range h.others["File"] { // in an array
			word(v)
		}
	}
	return append(b, make([]byte, cap(b)-len(b))...)
}

// dump makes the segments.
func (h *bigHeap) dump() dumptest.Dump {
	d := h.ownerScene.dump()
	module := &d.Modules[0]
	module.Size = uint32(len(h.image))
	var heap []dumptest.MemoryRange
	for at := 0; at < h.size; at += bigSegment {
		heap = append(heap, dumptest.MemoryRange{Start: h.heapAt + uint64(at)})
	}
	var wg sync.WaitGroup
	for i := range heap {
		wg.Go(func() { heap[i].Data = h.segment(i) })
	}
	wg.Wait()
	image := dumptest.MemoryRange{Start: h.base, Data: h.image}
	if h.ptr == 8 {
		d.Memory64 = append(heap, image)
	} else {
		d.Memory64 = append([]dumptest.MemoryRange{image}, heap...)
	}
	d.MemoryInfos.Regions[0].RegionSize = uint64(h.size)
	d.MemoryInfos.Regions[1].RegionSize = uint64(len(h.image))
	return d
}

// open writes the dump to a file, in the directory that OWNERS_BENCH_DIR names
// or in one that is removed.
func openBigHeap(b *testing.B, ptr, size int, mix bigMix) *minidump.File {
	b.Helper()
	dir := os.Getenv("OWNERS_BENCH_DIR")
	if dir == "" {
		dir = b.TempDir()
	}
	path := filepath.Join(dir, fmt.Sprintf("heap%d-%d-%d.dmp", 8*ptr, size>>20, mix))
	if _, err := os.Stat(path); err != nil {
		w, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		_, err = newBigHeap(ptr, size, mix).dump().WriteTo(w)
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	f, err := minidump.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	return f
}

// BenchmarkBigHeap shows the speed on a heap that no cache holds. Those that
// take long to write take part unless -short is given.
func BenchmarkBigHeap(b *testing.B) {
	for _, bench := range []struct {
		ptr, size int
		mix       bigMix
	}{
		{8, 64 << 20, oneLeak}, {8, 64 << 20, mixed}, {8, 64 << 20, muchLeft},
		{4, 64 << 20, oneLeak}, {4, 64 << 20, mixed}, {4, 64 << 20, muchLeft},
		{8, 512 << 20, oneLeak}, {8, 512 << 20, mixed}, {8, 512 << 20, muchLeft},
		{4, 512 << 20, oneLeak}, {4, 512 << 20, mixed}, {4, 512 << 20, muchLeft},
		{8, 1536 << 20, oneLeak}, {8, 1536 << 20, mixed},
	} {
		b.Run(fmt.Sprintf("%dbits/%dMB/%s", 8*bench.ptr, bench.size>>20, bench.mix), func(b *testing.B) {
			if testing.Short() && bench.size > 64<<20 {
				b.Skip("takes long to write")
			}
			f := openBigHeap(b, bench.ptr, bench.size, bench.mix)
			b.SetBytes(f.Size())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Find(b.Context(), f, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
