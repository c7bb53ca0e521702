package dumptest

// CrashpadInfo is a MinidumpCrashpadInfo.
type CrashpadInfo struct {
	ReportID, ClientID [16]byte
	Annotations        []Annotation
	Modules            []CrashpadModule
	AddressMask        uint64
	Old                bool // of 52 bytes, without AddressMask, instead of 64
}

// Annotation is a MinidumpSimpleStringDictionaryEntry.
type Annotation struct{ Key, Value string }

// CrashpadModule is a MinidumpModuleCrashpadInfo of 28 bytes and its place in
// the list.
type CrashpadModule struct {
	Index       uint32
	List        []string
	Annotations []Annotation
	Objects     []AnnotationObject
}

// AnnotationObject is a MinidumpAnnotation of 12 bytes.
type AnnotationObject struct {
	Name  string
	Type  uint16 // 1 is a string
	Value []byte
}

func (i *CrashpadInfo) place(p *plan) (int64, int64) {
	size, rva := p.dictionary(i.Annotations)
	var modules bytesOf
	modules.u32(uint32(len(i.Modules)))
	for _, m := range i.Modules {
		at := m.place(p)
		modules.u32(m.Index)
		modules.u32(28)
		modules.u32(at)
	}
	p.mark(p.end, "CrashpadInfo.Modules")
	list := p.rva("the modules of Crashpad", modules)
	var b bytesOf
	b.u32(1)
	b = append(b, i.ReportID[:]...)
	b = append(b, i.ClientID[:]...)
	b.u32(size)
	b.u32(rva)
	b.u32(uint32(len(modules)))
	b.u32(list)
	if !i.Old {
		b.u32(0)
		b.u64(i.AddressMask)
	}
	return p.whole(b)
}

// place puts what the module points at and then itself, and returns its RVA.
func (m *CrashpadModule) place(p *plan) uint32 {
	var list, objects bytesOf
	list.u32(uint32(len(m.List)))
	for _, s := range m.List {
		list.u32(p.byteArray([]byte(s)))
	}
	objects.u32(uint32(len(m.Objects)))
	for _, o := range m.Objects {
		objects.u32(p.byteArray([]byte(o.Name)))
		objects.u16(o.Type)
		objects.u16(0)
		objects.u32(p.byteArray(o.Value))
	}
	var b bytesOf
	b.u32(1)
	b.location(p, len(m.List) > 0, list)
	size, rva := p.dictionary(m.Annotations)
	b.u32(size)
	b.u32(rva)
	b.location(p, len(m.Objects) > 0, objects)
	return p.rva("a module of Crashpad", b)
}

// location places data that is present and appends where it is.
func (b *bytesOf) location(p *plan, present bool, data bytesOf) {
	if !present {
		b.u32(0)
		b.u32(0)
		return
	}
	b.u32(uint32(len(data)))
	b.u32(p.rva("a list", data))
}

// dictionary places a MinidumpSimpleStringDictionary; an empty one is none.
func (p *plan) dictionary(list []Annotation) (size, rva uint32) {
	if len(list) == 0 {
		return 0, 0
	}
	var b bytesOf
	b.u32(uint32(len(list)))
	for _, a := range list {
		b.u32(p.byteArray([]byte(a.Key)))
		b.u32(p.byteArray([]byte(a.Value)))
	}
	return uint32(len(b)), p.rva("a dictionary", b)
}

// byteArray places a MinidumpByteArray, or a MinidumpUTF8String, which is the
// same with a terminator.
func (p *plan) byteArray(data []byte) uint32 {
	var b bytesOf
	b.u32(uint32(len(data)))
	b = append(b, data...)
	b.u8(0)
	return p.rva("a string", b)
}
