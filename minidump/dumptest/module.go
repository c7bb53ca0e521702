package dumptest

import "fmt"

// Module is a MINIDUMP_MODULE of 108 bytes.
type Module struct {
	Base          uint64
	Size          uint32
	CheckSum      uint32
	TimeDateStamp uint32
	Name          string   // full path
	Version       *Version // nil means no version resource: all zero
	CodeView      CodeView // nil means no record
	MiscRecord    []byte   // IMAGE_DEBUG_MISC; empty means none
}

// Version is the VS_FIXEDFILEINFO of a module.
type Version struct {
	File    [4]uint16 // 6.0.3790.3959
	Product [4]uint16 // all zero means File
	Flags   uint32    // VS_FF_*
	OS      uint32    // 0 means VOS_NT_WINDOWS32
	Type    uint32    // 0 means VFT_DLL
}

// CodeView is the debug record of a module, which identifies its symbols.
type CodeView interface{ codeView() []byte }

// RSDS is the CodeView record of a PDB of version 7.
type RSDS struct {
	GUID [16]byte // in file order: the first three fields are little-endian
	Age  uint32   // 0 means 1
	Path string
}

func (r RSDS) codeView() []byte {
	var b bytesOf
	b = append(b, "RSDS"...)
	b = append(b, r.GUID[:]...)
	b.u32(or(r.Age, 1))
	b = append(b, r.Path...)
	return append(b, 0)
}

// NB10 is the CodeView record of a PDB of version 2.
type NB10 struct {
	Signature uint32 // seconds since 1970
	Age       uint32 // 0 means 1
	Path      string
}

func (n NB10) codeView() []byte {
	var b bytesOf
	b = append(b, "NB10"...)
	b.u32(0) // Offset
	b.u32(n.Signature)
	b.u32(or(n.Age, 1))
	b = append(b, n.Path...)
	return append(b, 0)
}

// BuildID is the record of an ELF image ("BpEL"), as breakpad and crashpad
// write it.
type BuildID []byte

func (id BuildID) codeView() []byte { return append([]byte("LEpB"), id...) }

// RawCodeView is a record given by its bytes, signature first.
type RawCodeView []byte

func (r RawCodeView) codeView() []byte { return r }

func placeModules(p *plan, modules []Module, padded bool) (int64, int64) {
	entries := make([]bytesOf, len(modules))
	for i, m := range modules {
		name := p.string(m.Name, "ModuleList[%d].Name", i)
		var cv []byte
		if m.CodeView != nil {
			cv = m.CodeView.codeView()
		}
		cvSize, cvRVA := p.context(fmt.Sprintf("ModuleList[%d].CvRecord", i), cv)
		miscSize, miscRVA := p.context(fmt.Sprintf("ModuleList[%d].MiscRecord", i), m.MiscRecord)
		b := &entries[i]
		b.u64(m.Base)
		b.u32(m.Size)
		b.u32(m.CheckSum)
		b.u32(m.TimeDateStamp)
		b.u32(name)
		m.Version.append(b)
		b.u32(cvSize)
		b.u32(cvRVA)
		b.u32(miscSize)
		b.u32(miscRVA)
		b.u64(0) // Reserved0
		b.u64(0) // Reserved1
	}
	return p.plainList(ModuleListStream, padded, entries)
}

// append writes the 13 words of a VS_FIXEDFILEINFO.
func (v *Version) append(b *bytesOf) {
	if v == nil {
		b.fill(13*4, 0)
		return
	}
	product := or(v.Product, v.File)
	b.u32(0xfeef04bd)
	b.u32(0x00010000)
	b.u32(uint32(v.File[0])<<16 | uint32(v.File[1]))
	b.u32(uint32(v.File[2])<<16 | uint32(v.File[3]))
	b.u32(uint32(product[0])<<16 | uint32(product[1]))
	b.u32(uint32(product[2])<<16 | uint32(product[3]))
	b.u32(0x3f) // FileFlagsMask
	b.u32(v.Flags)
	b.u32(or(v.OS, 0x40004))
	b.u32(or(v.Type, 2))
	b.u32(0) // FileSubtype
	b.u32(0) // FileDateMS
	b.u32(0) // FileDateLS
}

// UnloadedModuleList is a MINIDUMP_UNLOADED_MODULE_LIST.
type UnloadedModuleList struct {
	Modules   []UnloadedModule
	EntrySize uint32 // 0 means 24
}

// UnloadedModule is a MINIDUMP_UNLOADED_MODULE of 24 bytes.
type UnloadedModule struct {
	Base          uint64
	Size          uint32
	CheckSum      uint32
	TimeDateStamp uint32
	Name          string // base name only
}

func (l *UnloadedModuleList) place(p *plan) (int64, int64) {
	entries := make([]bytesOf, len(l.Modules))
	for i, m := range l.Modules {
		name := p.string(m.Name, "UnloadedModuleList[%d].Name", i)
		b := &entries[i]
		b.u64(m.Base)
		b.u32(m.Size)
		b.u32(m.CheckSum)
		b.u32(m.TimeDateStamp)
		b.u32(name)
	}
	return p.exList(UnloadedModuleListStream, 4, 12, or(l.EntrySize, 24), entries)
}
