package owners

import (
	"io"

	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/minidump"
)

// variables returns where the modules have their variables: the writable
// sections of all that are not the system's, and what else of them the list of
// memory regions calls writable.
func variables(f *minidump.File, mem *minidump.Memory, list []minidump.Module, system func(*minidump.Module) bool) []vaSpan {
	const memWrite = 0x80000000 // IMAGE_SCN_MEM_WRITE
	var own, writable []vaSpan
	// No sound dump has more section headers than bytes for them; a broken one
	// can make the same ones belong to many modules.
	const sectionSize = 40
	sections := f.Size() / sectionSize
	for i := range list {
		m := &list[i]
		if system != nil && system(m) {
			continue
		}
		own = append(own, vaSpan{uint64(m.BaseOfImage), uint64(m.End())})
		img, err := peimage.NewMapped(memoryAt{mem, m.BaseOfImage}, int64(m.SizeOfImage))
		if err != nil {
			continue // the image is not in the dump, or not all of it
		}
		if sections -= int64(len(img.Sections)); sections < 0 {
			break
		}
		for _, s := range img.Sections {
			if s.Characteristics&memWrite == 0 {
				continue
			}
			start := uint64(m.BaseOfImage) + uint64(s.VirtualAddress)
			writable = append(writable, vaSpan{start, min(start+uint64(s.VirtualSize), uint64(m.End()))})
		}
	}
	infos, err := f.MemoryInfos()
	if err == nil {
		for r, err := range infos.All() {
			if err != nil {
				break // a damaged list was complained of before
			}
			if r.State == minidump.MemCommit && r.Type == minidump.MemImage && r.Protect.Writable() {
				writable = append(writable, vaSpan{uint64(r.BaseAddress), uint64(r.BaseAddress) + r.RegionSize})
			}
		}
	}
	own = mergeSpans(own)
	return intersectSpans(mergeSpans(writable), own)
}

// intersectSpans returns what of a lies in b. Both are merged.
func intersectSpans(a, b []vaSpan) []vaSpan {
	return subtractSpans(a, subtractSpans(a, b))
}

// memoryAt presents captured memory from an address on.
type memoryAt struct {
	mem  *minidump.Memory
	base minidump.VA
}

func (r memoryAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.mem.ReadAt(p, r.base+minidump.VA(off))
	if err != nil && n == 0 {
		return 0, io.EOF
	}
	return n, err
}
