package minidump

// MemoryList returns the MemoryListStream in the order of the file. [File.Memory]
// finds the bytes, in whichever list they are. With an error, the ranges that
// can be read are returned, too.
func (f *File) MemoryList() ([]MemoryDescriptor, error) {
	t, err := f.listTable(MemoryListStream, 16, "memory ranges")
	if err != nil {
		return nil, err
	}
	var ranges []MemoryDescriptor
	err = f.each(t, func(c *cursor) { ranges = append(ranges, c.memoryDescriptor()) })
	return ranges, err
}

// A MemoryDescriptor64 is a range of memory of the process. Its bytes stand
// behind those of the range before it (MINIDUMP_MEMORY_DESCRIPTOR64).
type MemoryDescriptor64 struct {
	StartOfMemoryRange VA
	DataSize           uint64 // bytes
}

// A Memory64List is the memory of a process as dumps with all of it have it
// (MINIDUMP_MEMORY64_LIST).
type Memory64List struct {
	NumberOfMemoryRanges uint64 // as declared; the file may hold fewer
	BaseRVA              uint64 // file offset of the bytes of the first range
	Ranges               []MemoryDescriptor64
}

// Memory64List reads the Memory64ListStream. [File.Memory] finds the bytes. With
// an error, the ranges that can be read up to where it is are returned, too:
// where the bytes behind it stand is not known.
func (f *File) Memory64List() (*Memory64List, error) {
	c, d, err := f.loadStream(Memory64ListStream, 16)
	if err != nil {
		return nil, err
	}
	l := &Memory64List{NumberOfMemoryRanges: c.u64(), BaseRVA: c.u64()}
	if c.err != nil {
		return nil, c.err
	}
	t := newTable(d, 16, 16, l.NumberOfMemoryRanges, "memory ranges")
	_, err = t.count(f.size)
	f.blocks(t, func(block []byte, size int, lost error) bool {
		if lost != nil {
			err = JoinErrors(lost, err)
			return false
		}
		for ; len(block) > 0; block = block[size:] {
			c := cursor{buf: block[:size]}
			l.Ranges = append(l.Ranges, MemoryDescriptor64{c.va(), c.u64()})
		}
		return true
	})
	return l, err
}
