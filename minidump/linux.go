package minidump

import "fmt"

// An AuxvType says what an entry of the auxiliary vector holds (AT_* of elf.h).
type AuxvType uint64

var auxvNames = map[AuxvType]string{
	0: "AT_NULL", 1: "AT_IGNORE", 2: "AT_EXECFD", 3: "AT_PHDR", 4: "AT_PHENT", 5: "AT_PHNUM", 6: "AT_PAGESZ", 7: "AT_BASE",
	8: "AT_FLAGS", 9: "AT_ENTRY", 10: "AT_NOTELF", 11: "AT_UID", 12: "AT_EUID", 13: "AT_GID", 14: "AT_EGID", 15: "AT_PLATFORM",
	16: "AT_HWCAP", 17: "AT_CLKTCK", 23: "AT_SECURE", 24: "AT_BASE_PLATFORM", 25: "AT_RANDOM", 26: "AT_HWCAP2", 31: "AT_EXECFN",
	32: "AT_SYSINFO", 33: "AT_SYSINFO_EHDR", 51: "AT_MINSIGSTKSZ",
}

// String returns the name in elf.h, such as "AT_ENTRY".
func (t AuxvType) String() string {
	if s, ok := auxvNames[t]; ok {
		return s
	}
	return fmt.Sprintf("AuxvType(%d)", uint64(t))
}

// An AuxvEntry is what the kernel of Linux has handed to a program when it
// started it (Elf32_auxv_t and Elf64_auxv_t).
type AuxvEntry struct {
	Type  AuxvType
	Value uint64
}

// LinuxAuxv returns the entries of the LinuxAuxvStream up to the one that ends
// them, AT_NULL. With an error the entries that can be read are returned, too.
func (f *File) LinuxAuxv() ([]AuxvEntry, error) {
	d, err := f.find(LinuxAuxvStream)
	if err != nil {
		return nil, err
	}
	if err := f.needPointer(d); err != nil {
		return nil, err
	}
	stride := int64(2 * f.ptr)
	t := newTable(d, 0, stride, uint64(d.DataSize)/uint64(stride), "entries of the auxiliary vector")
	var entries []AuxvEntry
	ended := false
	err = f.each(t, func(c *cursor) {
		e := AuxvEntry{AuxvType(c.ptr(f.ptr)), c.ptr(f.ptr)}
		if ended = ended || e.Type == 0; !ended {
			entries = append(entries, e)
		}
	})
	return entries, err
}

// needPointer is the error of a stream that cannot be read where SystemInfo does
// not say how long a pointer is.
func (f *File) needPointer(d DirectoryEntry) error {
	if f.ptr == 0 {
		return formatErrorf(d.StreamType, int64(d.RVA), "the dump does not say how long a pointer is")
	}
	return nil
}

// LinuxDSODebug is the list of shared objects that the dynamic linker of Linux
// keeps for debuggers (MDRawDebug32 and MDRawDebug64, that is r_debug of link.h).
type LinuxDSODebug struct {
	Version  uint32
	DSOCount uint32 // as declared
	Brk      VA     // a function of the linker that is called when the list changes
	LDBase   VA     // of the linker itself
	Dynamic  VA     // the dynamic section of the program
	Links    []LinuxLink

	// DynamicSection is that section, as it stands in memory: pairs of a tag and
	// a value, each of the size of a pointer.
	DynamicSection []byte
}

// A LinuxLink is a shared object (MDRawLinkMap32 and MDRawLinkMap64).
type LinuxLink struct {
	Addr VA     // what the addresses in the file of the object differ by from those in memory
	Name string // "" for the program itself
	LD   VA     // its dynamic section
}

// LinuxDSODebug decodes the LinuxDSODebugStream. A name that cannot be read is
// left empty; the error is the first that was met.
func (f *File) LinuxDSODebug() (*LinuxDSODebug, error) {
	const t = LinuxDSODebugStream
	d, err := f.find(t)
	if err != nil {
		return nil, err
	}
	if err := f.needPointer(d); err != nil {
		return nil, err
	}
	c := f.load(t, int64(d.RVA), int(min(int64(d.DataSize), f.size)))
	debug := &LinuxDSODebug{Version: c.u32()}
	links := c.u32()
	debug.DSOCount = c.u32()
	// Breakpad declares its structures as packed, but there are dumps of it in
	// which the compiler aligned their pointers. Behind either come pairs of
	// pointers, so that the size shows which it is.
	const aligned64 = 4*4 + 3*8
	gap := 0
	if f.ptr == 8 && int64(d.DataSize)%16 == aligned64%16 {
		gap = 4
	}
	c.skip(gap)
	debug.Brk, debug.LDBase, debug.Dynamic = VA(c.ptr(f.ptr)), VA(c.ptr(f.ptr)), VA(c.ptr(f.ptr))
	if c.err != nil {
		return nil, c.err
	}
	debug.DynamicSection = c.rest()
	err = f.readLinks(debug, links, gap)
	if short := f.Check(d); err == nil {
		err = short
	}
	return debug, err
}

// readLinks reads the shared objects at an RVA. gap is what a compiler put
// between a name and the pointer behind it.
func (f *File) readLinks(debug *LinuxDSODebug, rva uint32, gap int) error {
	t := table{
		stream: LinuxDSODebugStream, off: int64(rva), stride: int64(2*f.ptr + 4 + gap), declared: uint64(debug.DSOCount),
		end: f.size, what: "shared objects",
	}
	names := nameReader{f: f, stream: t.stream}
	var first error
	err := f.each(t, func(c *cursor) {
		link := LinuxLink{Addr: VA(c.ptr(f.ptr))}
		name := c.u32()
		c.skip(gap)
		link.LD = VA(c.ptr(f.ptr))
		var err error
		if link.Name, err = names.read(uint64(name)); first == nil {
			first = err
		}
		debug.Links = append(debug.Links, link)
	})
	if first == nil {
		first = err
	}
	return first
}
