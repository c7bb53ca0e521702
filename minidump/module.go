package minidump

import (
	"bytes"
	"fmt"
	"strings"
)

// A Module is an executable or DLL loaded in the process (MINIDUMP_MODULE,
// 108 bytes).
type Module struct {
	BaseOfImage   VA
	SizeOfImage   uint32 // bytes
	CheckSum      uint32 // from the PE header, as the next
	TimeDateStamp uint32 // seconds since 1970 UTC; a hash in reproducible builds
	ModuleName    string // full path
	VersionInfo   FixedFileInfo
	CvRecord      CodeView
	MiscRecord    Location // IMAGE_DEBUG_MISC, obsolete
}

// End returns the address behind the module's last byte.
func (m *Module) End() VA { return m.BaseOfImage + VA(m.SizeOfImage) }

// BaseName returns the file name of the module without its folders, for
// example "ntdll.dll".
func (m *Module) BaseName() string {
	return m.ModuleName[strings.LastIndexAny(m.ModuleName, `\/`)+1:]
}

// Name returns the module's name as WinDbg prints it before an exclamation
// mark: the file name without its extension, other characters than letters,
// digits and underscores replaced by underscores ("libwinpthread-1.dll" is
// libwinpthread_1).
func (m *Module) Name() string {
	name := m.BaseName()
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r >= 0x80:
			return r
		}
		return '_'
	}, name)
}

// ImageKey is the key of the image in a symbol store: the timestamp in eight
// upper-case and the size in lower-case hexadecimal digits.
func (m *Module) ImageKey() string { return fmt.Sprintf("%08X%x", m.TimeDateStamp, m.SizeOfImage) }

// FixedFileInfo is the binary part of a version resource (VS_FIXEDFILEINFO,
// 52 bytes). The zero value means that the module has none.
type FixedFileInfo struct {
	Signature        uint32 // 0xfeef04bd, or 0 without a version resource
	StrucVersion     uint32
	FileVersionMS    uint32
	FileVersionLS    uint32
	ProductVersionMS uint32
	ProductVersionLS uint32
	FileFlagsMask    uint32
	FileFlags        uint32
	FileOS           uint32
	FileType         uint32
	FileSubtype      uint32
	FileDateMS       uint32
	FileDateLS       uint32
}

// FileVersion returns the version in the form "10.0.19041.1", or "" if the
// module has none.
func (v FixedFileInfo) FileVersion() string { return v.text(v.FileVersionMS, v.FileVersionLS) }

// ProductVersion is like FileVersion for the product that the file is part of.
func (v FixedFileInfo) ProductVersion() string { return v.text(v.ProductVersionMS, v.ProductVersionLS) }

func (v FixedFileInfo) text(ms, ls uint32) string {
	if v.Signature == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d.%d", ms>>16, ms&0xffff, ls>>16, ls&0xffff)
}

// A GUID as Windows stores it: the first three parts are little endian.
type GUID [16]byte

// String returns the 32 upper-case digits that symbol stores use.
func (g GUID) String() string {
	return fmt.Sprintf("%08X%04X%04X%X",
		uint32(g[0])|uint32(g[1])<<8|uint32(g[2])<<16|uint32(g[3])<<24,
		uint16(g[4])|uint16(g[5])<<8, uint16(g[6])|uint16(g[7])<<8, g[8:])
}

// UUID returns the usual form with dashes, in lower case, for example
// "72def942-8a51-dd43-97d7-8ddc328d3662".
func (g GUID) UUID() string {
	s := strings.ToLower(g.String())
	return strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-")
}

// A CodeViewKind tells the layouts of a [CodeView] record apart by its first
// four bytes.
type CodeViewKind uint32

// The kinds that name a symbol file.
const (
	CodeViewRSDS CodeViewKind = 0x53445352 // PDB 7.0
	CodeViewNB10 CodeViewKind = 0x3031424e // PDB 2.0
	CodeViewELF  CodeViewKind = 0x4270454c // Breakpad: an ELF build id
)

// String returns the four characters of the kind.
func (k CodeViewKind) String() string {
	return fmt.Sprintf("%q", []byte{byte(k), byte(k >> 8), byte(k >> 16), byte(k >> 24)})
}

// CodeView is the record by which a module names its symbol file
// (CV_INFO_PDB70, CV_INFO_PDB20, or Breakpad's MDCVInfoELF). The zero value
// means that the module has none.
type CodeView struct {
	Kind      CodeViewKind
	GUID      GUID   // RSDS
	Signature uint32 // NB10: seconds since 1970 UTC
	Age       uint32 // RSDS and NB10
	PDBFile   string // path as the linker recorded it
	BuildID   []byte // ELF
}

// Key returns the identity under which a symbol store keeps the PDB: GUID and
// age, or signature and age; for ELF the build id in hexadecimal. It is ""
// without a record.
func (v CodeView) Key() string {
	switch v.Kind {
	case CodeViewRSDS:
		return fmt.Sprintf("%s%X", v.GUID, v.Age)
	case CodeViewNB10:
		return fmt.Sprintf("%08X%x", v.Signature, v.Age)
	case CodeViewELF:
		return fmt.Sprintf("%x", v.BuildID)
	}
	return ""
}

const moduleSize = 108

// Modules returns the ModuleList in the order of the file, which begins with
// the program itself. A name or a CodeView record that cannot be read is left
// empty, a module of which nothing can be read is left out; the error is the
// first that was met.
func (f *File) Modules() ([]Module, error) {
	t, err := f.listTable(ModuleListStream, moduleSize, "modules")
	if err != nil {
		return nil, err
	}
	var modules []Module
	names := nameReader{f: f, stream: ModuleListStream}
	var first error
	note := func(err error) {
		if first == nil {
			first = err
		}
	}
	err = f.each(t, func(c *cursor) {
		m, err := names.module(c)
		note(err)
		modules = append(modules, m)
	})
	note(err)
	return modules, first
}

// module decodes an entry of the list and what it points at. The error is the
// first that was met.
func (r *nameReader) module(c *cursor) (Module, error) {
	m := Module{BaseOfImage: c.va(), SizeOfImage: c.u32(), CheckSum: c.u32(), TimeDateStamp: c.u32()}
	name := c.u32()
	m.VersionInfo = c.fixedFileInfo()
	cv := c.location()
	m.MiscRecord = c.location()
	var nameErr, cvErr error
	m.ModuleName, nameErr = r.read(uint64(name))
	m.CvRecord, cvErr = r.codeView(cv)
	if nameErr != nil {
		return m, nameErr
	}
	return m, cvErr
}

func (c *cursor) fixedFileInfo() FixedFileInfo {
	return FixedFileInfo{
		Signature: c.u32(), StrucVersion: c.u32(),
		FileVersionMS: c.u32(), FileVersionLS: c.u32(),
		ProductVersionMS: c.u32(), ProductVersionLS: c.u32(),
		FileFlagsMask: c.u32(), FileFlags: c.u32(),
		FileOS: c.u32(), FileType: c.u32(), FileSubtype: c.u32(),
		FileDateMS: c.u32(), FileDateLS: c.u32(),
	}
}

func (r *nameReader) codeView(l Location) (CodeView, error) {
	var v CodeView
	if l.DataSize < 4 || l.RVA == 0 {
		return v, nil
	}
	// The longest part is a path, which Windows bounds like every name.
	c := r.f.load(ModuleListStream, int64(l.RVA), int(min(l.DataSize, maxString)))
	if err := r.spend(c.off, len(c.buf)); err != nil {
		return v, err
	}
	v.Kind = CodeViewKind(c.u32())
	switch v.Kind {
	case CodeViewRSDS:
		copy(v.GUID[:], c.take(len(v.GUID)))
		v.Age = c.u32()
		v.PDBFile = cString(c.rest())
	case CodeViewNB10:
		c.skip(4)
		v.Signature, v.Age = c.u32(), c.u32()
		v.PDBFile = cString(c.rest())
	case CodeViewELF:
		v.BuildID = c.rest()
	}
	return v, c.err
}

func cString(p []byte) string {
	if i := bytes.IndexByte(p, 0); i >= 0 {
		p = p[:i]
	}
	return strings.ToValidUTF8(string(p), "\uFFFD")
}

// An UnloadedModule is a DLL that was loaded once (MINIDUMP_UNLOADED_MODULE,
// 24 bytes).
type UnloadedModule struct {
	BaseOfImage   VA
	SizeOfImage   uint32 // bytes
	CheckSum      uint32 // from the PE header, as the next
	TimeDateStamp uint32 // seconds since 1970 UTC; a hash in reproducible builds
	ModuleName    string // file name without folders
}

// UnloadedModules returns the UnloadedModuleList, which a dump has if it was
// written with MiniDumpWithUnloadedModules. A name that cannot be read is left
// empty, a module of which nothing can be read is left out; the error is the
// first that was met.
func (f *File) UnloadedModules() ([]UnloadedModule, error) {
	t, err := f.exTable(UnloadedModuleListStream, 24, false, "unloaded modules")
	if err != nil {
		return nil, err
	}
	var modules []UnloadedModule
	names := nameReader{f: f, stream: UnloadedModuleListStream}
	var first error
	err = f.each(t, func(c *cursor) {
		m := UnloadedModule{BaseOfImage: c.va(), SizeOfImage: c.u32(), CheckSum: c.u32(), TimeDateStamp: c.u32()}
		name, err := names.read(uint64(c.u32()))
		if first == nil {
			first = err
		}
		m.ModuleName = name
		modules = append(modules, m)
	})
	if first == nil {
		first = err
	}
	return modules, first
}
