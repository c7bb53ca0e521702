package symbol_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// exporter returns an image as it is loaded: code from 0x1000 on with a
// function at every 32 bytes, each exported by name.
func exporter(functions int) []byte {
	le := binary.LittleEndian
	code := (functions*32 + 0xfff) &^ 0xfff
	names := make([][]byte, functions)
	size := 40 + 10*functions
	for i := range names {
		names[i] = fmt.Appendf(nil, "Function%05d\x00", i)
		size += len(names[i])
	}
	edata := 0x1000 + code
	img := make([]byte, (edata+size+0xfff)&^0xfff)
	copy(img, "MZ")
	le.PutUint32(img[0x3c:], 0x40)
	copy(img[0x40:], "PE\x00\x00\x64\x86\x02\x00")
	le.PutUint16(img[0x54:], 112+8)
	opt := img[0x58:]
	le.PutUint16(opt, 0x20b)
	le.PutUint32(opt[56:], uint32(len(img)))
	le.PutUint32(opt[108:], 1)
	le.PutUint32(opt[112:], uint32(edata))
	le.PutUint32(opt[116:], uint32(size))
	for i, s := range []struct{ rva, size int }{{0x1000, code}, {edata, len(img) - edata}} {
		h := opt[120+40*i:]
		le.PutUint32(h[8:], uint32(s.size))
		le.PutUint32(h[12:], uint32(s.rva))
	}
	dir := img[edata:]
	at := 40 + 10*functions
	le.PutUint32(dir[20:], uint32(functions))
	le.PutUint32(dir[24:], uint32(functions))
	le.PutUint32(dir[28:], uint32(edata+40))
	le.PutUint32(dir[32:], uint32(edata+40+4*functions))
	le.PutUint32(dir[36:], uint32(edata+40+8*functions))
	for i, name := range names {
		le.PutUint32(dir[40+4*i:], uint32(0x1000+32*i))
		le.PutUint32(dir[40+4*(functions+i):], uint32(edata+at))
		le.PutUint16(dir[40+8*functions+2*i:], uint16(i))
		at += copy(dir[at:], name)
	}
	return img
}

// exporters is a full-memory dump of modules that all export the same.
func exporters(modules, functions int) dumptest.Dump {
	img := exporter(functions)
	var d dumptest.Dump
	for i := range modules {
		at := base + uint64(i)*0x1000000
		d.Modules = append(d.Modules, dumptest.Module{
			Base: at, Size: uint32(len(img)), TimeDateStamp: 0, Name: fmt.Sprintf(`C:\app\m%02d.dll`, i)})
		d.Memory64 = append(d.Memory64, dumptest.MemoryRange{Start: at, Data: img})
	}
	return d
}

func TestExportsInMemory(t *testing.T) {
	t.Parallel()
	s := newSession(t, exporters(3, 2000), symbol.Options{})
	if got, want := show(resolve(t, s, base+2*0x1000000+0x1000+32*1999+5)), "m02!Function01999+0x5  export"; got != want {
		t.Errorf("last function: %s, want %s", got, want)
	}
	d := exporters(1, 10)
	d.Modules[0].TimeDateStamp = 1
	st := inspect(t, newSession(t, d, symbol.Options{}))
	if st.Trust != symbol.TrustModule || !strings.Contains(fmt.Sprint(st.Tries), "wrong identity") {
		t.Errorf("another image in memory: %+v", st)
	}
}

// TestSharedMemory has many modules that are all the same bytes of the file: a
// hostile dump must not take more memory or time than it has bytes. Those at one
// address have one table. Of others, the tables that are read have no more bytes
// than the dump, and what is not read is said.
func TestSharedMemory(t *testing.T) {
	t.Parallel()
	for _, step := range []uint64{0, 0x1000000} {
		d := exporters(1, 2000)
		d.Memory, d.Memory64 = d.Memory64, nil
		size := uint32(len(d.Memory[0].Data))
		for i := 1; i < 100; i++ {
			m := d.Modules[0]
			m.Base += uint64(i) * step
			d.Modules = append(d.Modules, m)
			d.Memory = append(d.Memory, dumptest.MemoryRange{Start: m.Base, Data: []byte{0}})
			d.Patches = append(d.Patches, dumptest.PutU32("MemoryList", 4+16*int64(i)+8, size),
				dumptest.PointTo("MemoryList", 4+16*int64(i)+12, "MemoryList[0].Data"))
		}
		var l limits
		s := newSession(t, d, symbol.Options{Limited: l.add})
		all, err := s.Inspect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		refused, read := 0, 0
		for _, st := range all {
			switch {
			case st.Trust == symbol.TrustExport:
				read++
			case strings.Contains(fmt.Sprint(st.Tries), "claim more bytes than it has"):
				refused++
			}
		}
		if step == 0 {
			if read != 100 {
				t.Errorf("%d of 100 modules at one address have exports", read)
			}
			l.want(t)
			continue
		}
		if read+refused != 100 || read < 4 || refused < 60 {
			t.Errorf("%d export tables of 100 were read, %d refused", read, refused)
		}
		l.want(t, "export and unwind tables are not read")
	}
}

// BenchmarkResolve names 100,000 addresses in 100 modules, each for the first
// time, the export tables included.
func BenchmarkResolve(b *testing.B) {
	d := exporters(100, 2000)
	var addrs []minidump.VA
	for i := range 100_000 {
		addrs = append(addrs, base+minidump.VA(i%100)*0x1000000+0x1000+minidump.VA(i/100)*60)
	}
	b.ReportAllocs()
	for range b.N {
		b.StopTimer()
		s := newSession(b, d, symbol.Options{})
		b.StartTimer()
		names, err := s.Resolve(b.Context(), addrs)
		if err != nil {
			b.Fatal(err)
		}
		if l := names.At(addrs[len(addrs)-1]); l.Trust != symbol.TrustExport {
			b.Fatal(l)
		}
	}
}
