package dumptest

// FunctionTables is a MINIDUMP_FUNCTION_TABLE_STREAM.
type FunctionTables struct {
	Tables         []FunctionTable
	HeaderSize     uint32 // 0 means 24
	DescriptorSize uint32 // 0 means 32
	NativeSize     uint32 // 0 means as long as the Native of the first table
	EntrySize      uint32 // 0 means 12, as on AMD64
	AlignPad       uint32 // bytes between the header and the first descriptor
}

// FunctionTable is a MINIDUMP_FUNCTION_TABLE_DESCRIPTOR of 32 bytes and what
// follows it.
type FunctionTable struct {
	Minimum, Maximum, Base uint64
	Native                 []byte // the descriptor of the system
	Entries                []byte // RUNTIME_FUNCTIONs, one behind the other
	AlignPad               uint32 // bytes behind the entries
}

func (l *FunctionTables) place(p *plan) (int64, int64) {
	header, descriptor, entry := or(l.HeaderSize, 24), or(l.DescriptorSize, 32), or(l.EntrySize, 12)
	native := l.NativeSize
	if native == 0 && len(l.Tables) > 0 {
		native = uint32(len(l.Tables[0].Native))
	}
	var b bytesOf
	b.u32(header)
	b.u32(descriptor)
	b.u32(native)
	b.u32(entry)
	b.u32(uint32(len(l.Tables)))
	b.u32(l.AlignPad)
	b.fill(int(header)-len(b)+int(l.AlignPad), p.padding)
	for i, t := range l.Tables {
		p.mark(p.end+int64(len(b)), "%s[%d]", FunctionTableStream, i)
		var d bytesOf
		d.u64(t.Minimum)
		d.u64(t.Maximum)
		d.u64(t.Base)
		d.u32(uint32(len(t.Entries)) / entry)
		d.u32(t.AlignPad)
		b = append(b, fit(d, int(descriptor), p.padding)...)
		b = append(b, fit(t.Native, int(native), p.padding)...)
		p.mark(p.end+int64(len(b)), "%s[%d].Entries", FunctionTableStream, i)
		b = append(b, t.Entries...)
		b.fill(int(t.AlignPad), p.padding)
	}
	return p.whole(b)
}
