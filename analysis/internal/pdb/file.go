package pdb

import (
	"io"
	"sync"
	"sync/atomic"

	"github.com/dumpscan/dumpscan/analysis/internal/openfile"
)

// File is an open PDB. Its fields are not to be changed; it is safe for concurrent use.
type File struct {
	GUID    GUID   // identity; the image's RSDS record has the same
	Age     uint32 // of the DBI stream: the age that the image's RSDS record carries
	InfoAge uint32 // of the PDB information stream, which every change of the file raises, so it may be greater
	Machine uint16 // IMAGE_FILE_MACHINE_*

	closer      io.Closer
	msf         *msf
	namesStream int // stream of source file names; -1 for none
	dbi         dbi
	sections    []section
	toSource    omap
	fromSource  omap

	modules                         func() ([]lazyModule, error)
	moduleNames                     func() (map[string]int, error)
	ids, types                      func() (*types, error)
	names, publicMap, publicRecords func() (*stream, error)
	frames, oldFrames               func() (*frameTable, error) // with programs, and without
	recent                          memory
	fileNames, functionNames        names
	lastFunction                    atomic.Pointer[function]
	lastLines                       atomic.Pointer[lineTable]
	lastCalls                       atomic.Pointer[calls]
	lastPublic                      atomic.Pointer[public]
	nearPublic                      hint
}

type lazyModule struct {
	info moduleInfo
	once sync.Once
	m    *module
	err  error
}

// Open opens the PDB at path. The caller must Close it.
func Open(path string) (*File, error) {
	r, size, err := openfile.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := NewFile(r, size)
	if err != nil {
		r.Close()
		return nil, err
	}
	f.closer = r
	return f, nil
}

// NewFile reads identity and headers of a PDB of size bytes from r, which must stay readable. The error wraps
// [ErrNotPDB] for another kind of file, it is [ErrManaged] for a PDB of managed code, and a *bounded.Error for a
// damaged one.
func NewFile(r io.ReaderAt, size int64) (*File, error) {
	m, err := openMSF(r, size)
	if err != nil {
		return nil, err
	}
	f := &File{msf: m}
	f.modules = sync.OnceValues(f.readModules)
	f.moduleNames = sync.OnceValues(f.readModuleNames)
	f.ids = sync.OnceValues(func() (*types, error) { return f.openTypes(streamIPI, "IPI") })
	f.types = sync.OnceValues(func() (*types, error) { return f.openTypes(streamTPI, "TPI") })
	f.names = sync.OnceValues(func() (*stream, error) { return m.stream(f.namesStream, "/names") })
	f.publicMap = sync.OnceValues(func() (*stream, error) { return m.stream(int(f.dbi.publics), "publics") })
	f.publicRecords = sync.OnceValues(func() (*stream, error) { return m.stream(int(f.dbi.records), "symbol records") })
	f.frames = sync.OnceValues(func() (*frameTable, error) { return f.openFrames(dbgFrameData, "frame data", frameDataSize) })
	f.oldFrames = sync.OnceValues(func() (*frameTable, error) { return f.openFrames(dbgFPO, "FPO", fpoDataSize) })
	for _, read := range []func() error{f.readInfo, f.readDBI, f.readSections} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	if f.Machine == managed {
		return nil, ErrManaged
	}
	return f, nil
}

// Close closes the file that [Open] opened. After [NewFile] it does nothing.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

func (f *File) readModules() ([]lazyModule, error) {
	infos, err := f.dbi.readModules()
	modules := make([]lazyModule, len(infos))
	for i, info := range infos {
		modules[i].info = info
	}
	return modules, err
}

// module returns the i-th module, read on its first use; nil when it has no symbols.
func (f *File) module(i int) (*module, error) {
	modules, err := f.modules()
	if err != nil || i >= len(modules) || modules[i].info.stream == noStream {
		return nil, err
	}
	l := &modules[i]
	l.once.Do(func() { l.m, l.err = f.openModule(i, l.info) })
	return l.m, l.err
}
