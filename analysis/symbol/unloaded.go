package symbol

import (
	"cmp"
	"slices"
	"sort"

	"github.com/dumpscan/dumpscan/minidump"
)

// Unloaded are the modules that were unloaded before the dump was written.
// Several may have been at one address, one after the other.
type Unloaded struct {
	modules []minidump.Module // in the order of the list
	names   []string          // as WinDbg writes them, cut
	sorted  []int             // by base, then as listed
}

// remembered is how many unloaded modules Windows remembers
// (RTL_UNLOAD_EVENT_TRACE_NUMBER). No more than so many are looked at for one
// address, which a list made up to be slow would otherwise abuse.
const remembered = 64

// NewUnloaded indexes a list of unloaded modules.
func NewUnloaded(list []minidump.UnloadedModule) *Unloaded {
	u := &Unloaded{modules: make([]minidump.Module, len(list)), sorted: make([]int, len(list)), names: make([]string, len(list))}
	for i, m := range list {
		u.modules[i] = minidump.Module{BaseOfImage: m.BaseOfImage, SizeOfImage: m.SizeOfImage, ModuleName: m.ModuleName}
		u.sorted[i], u.names[i] = i, UnloadedName(m.ModuleName)
	}
	slices.SortStableFunc(u.sorted, func(a, b int) int {
		return cmp.Compare(u.modules[a].BaseOfImage, u.modules[b].BaseOfImage)
	})
	return u
}

// List returns the modules in the order they were given, of which a
// [minidump.UnloadedModule] has only base, size and name. The caller must not
// change them.
func (u *Unloaded) List() []minidump.Module { return u.modules }

// mostAt is how many modules at one address are named. More than two were
// never seen; a list made up to be large would have all of it at each address.
const mostAt = 4

// At returns the modules that were at an address, each name once and in the
// order of the list: the first four.
func (u *Unloaded) At(addr minidump.VA) []*minidump.Module {
	var found []*minidump.Module
	for _, i := range u.at(addr) {
		found = append(found, &u.modules[i])
	}
	return found
}

// at is At with the indexes of the modules.
func (u *Unloaded) at(addr minidump.VA) []int {
	end := sort.Search(len(u.sorted), func(i int) bool { return u.modules[u.sorted[i]].BaseOfImage > addr })
	var at []int
	for _, i := range u.sorted[max(0, end-remembered):end] {
		if m := &u.modules[i]; addr-m.BaseOfImage < minidump.VA(m.SizeOfImage) {
			at = append(at, i)
		}
	}
	slices.Sort(at)
	var found []int
	for _, i := range at {
		if len(found) == mostAt {
			break
		}
		if !slices.ContainsFunc(found, func(f int) bool { return u.modules[f].ModuleName == u.modules[i].ModuleName }) {
			found = append(found, i)
		}
	}
	return found
}

// locate returns where an address was; a [Location] without module if there
// was nothing.
func (u *Unloaded) locate(addr minidump.VA) Location {
	l := Location{Address: addr}
	for n, i := range u.at(addr) {
		name, offset := u.names[i], uint64(addr-u.modules[i].BaseOfImage)
		if n == 0 {
			l.Module, l.Offset, l.Trust = name, offset, TrustModule
		} else {
			l.Others = append(l.Others, ModuleOffset{name, offset})
		}
	}
	return l
}

// UnloadedName is how WinDbg writes an unloaded module of this path, cut as
// [ModuleName] is.
func UnloadedName(path string) string {
	return "<Unloaded_" + cut((&minidump.Module{ModuleName: path}).BaseName(), maxModule) + ">"
}
