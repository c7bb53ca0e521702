package symbol

import (
	"context"
	"io"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/internal/cfi"
	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/minidump"
)

// A FrameRule is what symbols say of the stack of a function at one address, so that
// its caller can be found. One of CFI and Frame is set.
type FrameRule struct {
	Trust Trust // TrustPDB, TrustSym, or TrustDWARF for call frame information of the image
	CFI   *cfi.Rules
	Frame *FrameData
}

// FrameData is how Microsoft's tools describe a function of 32-bit x86 (FRAMEDATA
// and FPO_DATA of a PDB, STACK WIN of a Breakpad file). Sizes are bytes.
type FrameData struct {
	RVA, Size uint32 // code that this is true of
	Prolog    uint32 // of that, what belongs to the prolog
	Params    uint32
	SavedRegs uint32
	Locals    uint32
	Program   string // how to compute the caller's registers; "" if sizes alone describe the frame
	UsesBP    bool   // without Program: the function saves ebp and uses it as it likes
}

// A framer is a source of symbol files, which know frames as well as names. A nil
// rule is no rule.
type framer interface {
	frameRule(rva uint32) *FrameRule
}

// FrameRule returns what symbols say of the frame of a function at an address. It
// loads the symbols of the module as Resolve does; the call frame information of an
// image is looked for in the memory of the dump too. The boolean is false where
// nothing describes the frame, as in damaged symbols. The error is that of ctx.
func (s *Session) FrameRule(ctx context.Context, addr minidump.VA) (FrameRule, bool, error) {
	i := s.modules.index(addr)
	if i < 0 {
		return FrameRule{}, false, nil
	}
	rva := uint32(addr - s.modules.modules[i].BaseOfImage)
	for k, kind := range sourceKinds {
		if kind.trust == TrustDWARF {
			break // see imageRule
		}
		src, _, err := s.source(ctx, i, k)
		if err != nil {
			return FrameRule{}, false, err
		}
		if src == nil {
			continue
		}
		if rule := src.(framer).frameRule(rva); rule != nil {
			rule.Trust = kind.trust
			return *rule, true, nil
		}
		// Names come from the first source that there is. Another is not searched for,
		// and servers not asked for it, for the sake of frames alone.
		break
	}
	rule, err := s.imageRule(ctx, i, rva)
	if rule == nil || err != nil {
		return FrameRule{}, false, err
	}
	return *rule, true, nil
}

func (p pdbSource) frameRule(rva uint32) *FrameRule {
	d, ok, err := p.FrameData(rva)
	if p.note(err); !ok {
		return nil
	}
	return &FrameRule{Frame: &FrameData{
		RVA: d.RVA, Size: d.Size, Prolog: d.Prolog, Params: d.Params, SavedRegs: d.SavedRegs, Locals: d.Locals,
		Program: d.Program, UsesBP: d.UsesBP,
	}}
}

// symArch are the processors by the names that Breakpad gives them.
var symArch = map[string]cfi.Arch{"x86": cfi.X86, "x86_64": cfi.AMD64, "arm": cfi.ARM, "arm64": cfi.ARM64}

func (b symSource) frameRule(rva uint32) *FrameRule {
	texts, err := b.CFI(uint64(rva))
	b.note(err)
	if arch := symArch[b.CPU]; len(texts) > 0 && arch != 0 {
		rules, err := cfi.NewRules(arch, texts[0])
		for _, t := range texts[1:] {
			if err == nil {
				err = rules.Add(t)
			}
		}
		if b.note(err); err == nil {
			return &FrameRule{CFI: rules}
		}
	}
	w, ok, err := b.Win(rva)
	if b.note(err); !ok {
		return nil
	}
	return &FrameRule{Frame: &FrameData{
		RVA: w.RVA, Size: w.Size, Prolog: w.Prolog, Params: w.Params, SavedRegs: w.SavedRegs, Locals: w.Locals,
		Program: w.Program, UsesBP: w.UsesBP,
	}}
}

// imageFrames is the call frame information of a module.
type imageFrames struct {
	loaded bool
	tables []*cfi.Table
}

// imageRule looks into the image, in memory or else its file. The error is that of
// ctx.
func (s *Session) imageRule(ctx context.Context, i int, rva uint32) (*FrameRule, error) {
	m := &s.symbols[i]
	if err := m.lock.Lock(ctx); err != nil {
		return nil, err
	}
	defer m.lock.Unlock()
	if !m.frames.loaded {
		if err := s.loadFrames(ctx, i); err != nil {
			return nil, err
		}
		m.frames.loaded = true
	}
	for _, t := range m.frames.tables {
		if rules, err := t.Rules(rva); rules != nil && err == nil {
			return &FrameRule{Trust: TrustDWARF, CFI: rules}, nil
		}
	}
	return nil, nil
}

func (s *Session) loadFrames(ctx context.Context, i int) error {
	m, frames := &s.modules.modules[i], &s.symbols[i].frames
	if s.memory != nil && s.memory.Contains(m.BaseOfImage) {
		tables, err := s.unwind.get(ctx, imageOf(m), func() ([]*cfi.Table, error) {
			img, r, err := s.mapped(m)
			if err != nil {
				return nil, err
			}
			if err := s.checkImage(img, m); err != nil {
				return nil, err
			}
			defer func() { r.free = true }()
			return frameTables(img, uint64(m.BaseOfImage), true), nil
		})
		if err == nil {
			frames.tables = tables
		}
	}
	if len(frames.tables) > 0 {
		return nil
	}
	path, _, err := s.findImage(ctx, TrustNone, m)
	if path == "" {
		return err
	}
	if img, err := s.image(ctx, path); err == nil {
		frames.tables = frameTables(img, img.ImageBase, false)
	}
	return ctx.Err()
}

// frameTables reads the tables of an image. Absolute addresses in it count from
// base.
func frameTables(img *peimage.Image, base uint64, mapped bool) []*cfi.Table {
	arch, ok := machineArch[img.Machine]
	if !ok {
		return nil
	}
	var tables []*cfi.Table
	for _, sec := range img.Sections {
		name, err := img.FullName(sec)
		if err != nil || !frameSection(name, sec, mapped) {
			continue
		}
		size := sec.SizeOfRawData
		if sec.VirtualSize != 0 && (mapped || sec.VirtualSize < size) {
			size = sec.VirtualSize
		}
		t := cfi.NewTable(cfi.Section{
			Arch: arch, R: rvaReader{img, sec.VirtualAddress}, Size: int64(size), EH: name != ".debug_frame",
			RVA: sec.VirtualAddress, Base: base,
		})
		if t.Len() > 0 {
			tables = append(tables, t)
		}
	}
	return tables
}

// machineArch are the processors whose images may have call frame information, by
// IMAGE_FILE_MACHINE_*.
var machineArch = map[uint16]cfi.Arch{0x14c: cfi.X86, 0x8664: cfi.AMD64, 0x1c0: cfi.ARM, 0x1c4: cfi.ARM, 0xaa64: cfi.ARM64}

// frameSection reports whether a section may be one of call frame information. In
// memory the table is missing that holds names of more than eight bytes, such as
// ".eh_frame": the section is one of data that is called "/4" then.
func frameSection(name string, s peimage.Section, mapped bool) bool {
	switch name {
	case ".eh_frame", ".eh_fram", ".debug_frame":
		return true
	}
	const initializedData, discardable, execute = 0x40, 0x0200_0000, 0x2000_0000
	return mapped && strings.HasPrefix(name, "/") && s.Characteristics&(initializedData|discardable|execute) == initializedData
}

// rvaReader presents an image from an RVA on.
type rvaReader struct {
	img *peimage.Image
	rva uint32
}

func (r rvaReader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > 1<<32-1-int64(r.rva) {
		return 0, io.EOF
	}
	return r.img.ReadRVA(p, r.rva+uint32(off))
}
