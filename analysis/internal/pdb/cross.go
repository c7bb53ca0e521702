package pdb

import (
	"cmp"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// Link-time code generation inlines functions of other modules. The id of such a function has bit 31 set and says
// where in the module's imports it stands; the module imported from lists, in its exports, the number that its id has
// in the file (CrossScopeId, CrossScopeReferences, LocalIdAndGlobalIdPair of microsoft-pdb's cvinfo.h).
const (
	crossScope     = 1 << 31
	crossScopeBits = 20 // of the position in a scope; the scope's number is above them
)

// scope is what a module imports of one other module.
type scope struct {
	module uint32 // its name, in /names
	ids    extent
}

// export is an id of a module, and the same id in the whole file.
type export struct{ local, global uint32 }

// globalID returns the number of an id record in the whole file.
func (m *module) globalID(id uint32) (uint32, error) {
	if id&crossScope == 0 {
		return id, nil
	}
	t, err := m.tables()
	if err != nil {
		return 0, err
	}
	scopes, err := t.scopes()
	if err != nil {
		return 0, err
	}
	number, at := id&^crossScope>>crossScopeBits, int64(id&(1<<crossScopeBits-1))
	if int64(number) >= int64(len(scopes)) || 4*at >= scopes[number].ids.end-scopes[number].ids.off {
		return 0, m.s.fail(m.c13.off, "id %#x is not among the imports", id)
	}
	local, err := m.s.u32(scopes[number].ids.off + 4*at)
	if err != nil {
		return 0, err
	}
	name, err := m.f.fileName(scopes[number].module)
	if err != nil {
		return 0, err
	}
	from, err := m.f.moduleNamed(name.text)
	if err != nil {
		return 0, err
	}
	if from == nil {
		return 0, m.s.fail(scopes[number].ids.off, "id %#x is of %q, which is no module", id, name.text)
	}
	if t, err = from.tables(); err != nil {
		return 0, err
	}
	exports, err := t.globalIDs()
	if err != nil {
		return 0, err
	}
	i, ok := slices.BinarySearchFunc(exports, local, func(e export, local uint32) int { return cmp.Compare(e.local, local) })
	if !ok {
		return 0, from.s.fail(from.c13.off, "id %#x of %s is not among the exports", local, m.s.name)
	}
	return exports[i].global, nil
}

// readImports reads the DEBUG_S_CROSSSCOPEIMPORTS subsections.
func (m *module) readImports(parts []extent) (out []scope, err error) {
	err = m.eachPart(parts, func(c *bounded.Cursor) {
		s := scope{module: c.U32()}
		size := 4 * int64(c.U32())
		s.ids = extent{c.Off(), c.Off() + size}
		c.Skip(int(min(size, 1<<30)))
		out = append(out, s)
	})
	return out, err
}

// readExports reads the DEBUG_S_CROSSSCOPEEXPORTS subsections.
func (m *module) readExports(parts []extent) (out []export, err error) {
	err = m.eachPart(parts, func(c *bounded.Cursor) { out = append(out, export{c.U32(), c.U32()}) })
	slices.SortStableFunc(out, func(a, b export) int { return cmp.Compare(a.local, b.local) })
	return out, err
}

// eachPart decodes subsections, entry by entry.
func (m *module) eachPart(parts []extent, entry func(*bounded.Cursor)) error {
	for _, part := range parts {
		c, err := m.s.cursor(part.off, part.end-part.off)
		if err != nil {
			return err
		}
		for c.Left() > 0 && c.Err() == nil {
			entry(c)
		}
		if c.Err() != nil {
			return c.Err()
		}
	}
	return nil
}

// moduleNamed returns a module by its name, in whatever case; nil if there is none that has symbols.
func (f *File) moduleNamed(name string) (*module, error) {
	byName, err := f.moduleNames()
	if err != nil {
		return nil, err
	}
	i, ok := byName[strings.ToLower(name)]
	if !ok {
		return nil, nil
	}
	return f.module(i)
}

// readModuleNames lists the modules that have symbols by their names in lower case, the first of those with one name.
func (f *File) readModuleNames() (map[string]int, error) {
	modules, err := f.modules()
	if err != nil {
		return nil, err
	}
	names := map[string]int{}
	for i := range modules {
		info := &modules[i].info
		if info.stream == noStream {
			continue
		}
		name, err := f.dbi.s.cstring(info.name.off, info.name.end)
		if err != nil {
			return nil, err
		}
		if name = strings.ToLower(name); name != "" {
			if _, ok := names[name]; !ok {
				names[name] = i
			}
		}
	}
	return names, nil
}
