package htrace

import (
	"strings"
	"unicode/utf8"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// SystemModules knows the modules of the operating system from the others. A
// stack is blamed on the first module that is not the system's: whoever called
// CreateEventW, and not CreateEventW.
//
// A module belongs to the system if its file lies in one of the folders below
// Windows that setup fills (System32, SysWOW64, Microsoft.NET and so on), where
// Windows is the folder that ntdll.dll was loaded from; not so the drivers of
// printers and graphics cards below System32. Some of these folders hold the
// code of others as well: of the global assembly cache, its native images and
// the temporary files of ASP.NET only the framework's own assemblies are the
// system's, by their names and keys, and of WinSxS what Microsoft's keys sign.
// Microsoft's redistributable runtimes (msvcr120.dll, vcruntime140.dll,
// mfc140u.dll, the .NET runtime) count as the system wherever they lie. Where
// only the file name is known, as of unloaded modules, a table of names decides.
// A DLL that somebody else put into System32 is taken for the system's; patterns
// overrule all this.
type SystemModules struct {
	modules  *symbol.Modules
	unloaded *symbol.Unloaded

	// RuntimeCode says what the frames are that lie in no module. NewSystemModules
	// makes one of the modules alone; that of a symbol.Session knows the memory too.
	RuntimeCode *symbol.RuntimeCode

	facts      map[*minidump.Module]moduleFacts
	patterns   modulePatterns
	root       string          // Windows' folder in lower case, "" if not known
	names, api map[string]bool // systemNames and apiModules
}

// NewSystemModules sorts the modules of a dump. The patterns overrule the
// tables, notSystem before system: globs such as "My*.dll" or
// "C:\Windows\System32\Vendor*", "re:" and a regular expression, or a
// module's name with or without its extension. Case does not matter.
func NewSystemModules(modules []minidump.Module, unloaded []minidump.UnloadedModule, system, notSystem []string) (*SystemModules, error) {
	s := &SystemModules{
		modules: symbol.NewModules(modules), unloaded: symbol.NewUnloaded(unloaded),
		RuntimeCode: symbol.NewRuntimeCode(nil, modules, unloaded),
		facts:       map[*minidump.Module]moduleFacts{}, root: windowsFolder(modules),
		names: wordSet(systemNames), api: wordSet(apiModules),
	}
	var err error
	if s.patterns, err = parseModulePatterns(system, notSystem); err != nil {
		return nil, err
	}
	for _, list := range [][]minidump.Module{s.modules.List(), s.unloaded.List()} {
		for i := range list {
			m := &list[i]
			s.facts[m] = moduleFacts{
				name: symbol.ModuleName(m), path: shortPath(m.ModuleName),
				system: s.isSystem(m.ModuleName), passesOn: s.passesOn(m),
			}
		}
	}
	return s, nil
}

// moduleFacts are what is asked of a module for each frame in it.
type moduleFacts struct {
	name, path       string
	system, passesOn bool
}

// maxPath is how many bytes of a module's path are in a [Culprit].
const maxPath = 4 << 10

// shortPath cuts a path that no file can have, and keeps its end.
func shortPath(path string) string {
	if len(path) <= maxPath {
		return path
	}
	const mark = "…"
	start := len(path) - maxPath + len(mark)
	for start < len(path) && !utf8.RuneStart(path[start]) {
		start++
	}
	return mark + path[start:]
}

// Find returns the loaded module at an address.
func (s *SystemModules) Find(addr minidump.VA) (*minidump.Module, bool) { return s.modules.Find(addr) }

// FindUnloaded returns the modules that were at an address and are unloaded:
// several if they were there one after the other.
func (s *SystemModules) FindUnloaded(addr minidump.VA) []*minidump.Module {
	if _, ok := s.modules.Find(addr); ok {
		return nil
	}
	return s.unloaded.At(addr)
}

// IsSystem reports whether a module, as Find or FindUnloaded returned it, is
// the operating system's.
func (s *SystemModules) IsSystem(m *minidump.Module) bool { return s.facts[m].system }

// passesOn reports whether a system module only passes calls on to others.
func (s *SystemModules) passesOn(m *minidump.Module) bool {
	name := strings.ToLower(m.BaseName())
	return isRuntime(name) || s.api[stem(name)]
}

// isSystem decides by the path or name of a module.
func (s *SystemModules) isSystem(path string) bool {
	if system, ok := s.patterns.match(path); ok {
		return system
	}
	path = strings.ToLower(strings.ReplaceAll(path, "/", `\`))
	cut := strings.LastIndexByte(path, '\\')
	name := path[cut+1:]
	if isRuntime(name) {
		return true
	}
	if cut < 0 {
		return s.names[stem(name)]
	}
	below, ok := belowWindows(path, s.root)
	if !ok {
		return strings.Contains(path, `\dotnet\shared\microsoft.`)
	}
	if system, ok := sharedFolder(below); ok {
		return system
	}
	for _, folder := range vendorFolders {
		if strings.HasPrefix(below, folder) {
			return false
		}
	}
	for _, folder := range systemFolders {
		if strings.HasPrefix(below, folder) {
			return true
		}
	}
	return !strings.Contains(below, `\`) // explorer.exe, twain_32.dll
}

// windowsFolder is where ntdll.dll was loaded from, without System32.
func windowsFolder(modules []minidump.Module) string {
	for i := range modules {
		path := strings.ToLower(modules[i].ModuleName)
		for _, folder := range []string{`\system32\ntdll.dll`, `\syswow64\ntdll.dll`} {
			if root, ok := strings.CutSuffix(path, folder); ok {
				return root + `\`
			}
		}
	}
	return ""
}

// belowWindows returns the part of a path below Windows' folder.
func belowWindows(path, root string) (string, bool) {
	if root != "" && strings.HasPrefix(path, root) {
		return path[len(root):], true
	}
	path = strings.TrimPrefix(path, `\\?\`)
	path = strings.TrimPrefix(path, `\??\`)
	if below, ok := strings.CutPrefix(path, `\systemroot\`); ok {
		return below, true
	}
	if len(path) > 2 && path[1] == ':' {
		return strings.CutPrefix(path[2:], `\windows\`)
	}
	return "", false
}

// stem is a file name without its extension.
func stem(name string) string {
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return name[:i]
	}
	return name
}

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}
