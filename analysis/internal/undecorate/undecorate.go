package undecorate

import (
	"regexp"
	"strings"

	"github.com/ianlancetaylor/demangle"
)

// MaxInput is the length in bytes past which a name stays as it is. Visual C++ replaces longer ones by a hash; the time
// that a name of the Itanium scheme takes can grow with the square of its length, or worse.
const MaxInput = 4 << 10

// Name returns the qualified name without return type and parameters, as WinDbg prints it in stacks:
// `ns::Task::Run`. Template arguments are kept. A type descriptor's name (`.?AVTask@ns@@`) gives the class.
// A name that is not decorated, or not understood, is returned as it is, but for the anonymous namespaces in the
// qualified names of symbol records (`?A0x1b2c3d4e::helper`).
func Name(decorated string) string {
	if len(decorated) > MaxInput {
		return decorated
	}
	if name, ok := visual(decorated); ok {
		return name
	}
	if strings.HasPrefix(decorated, anonymousKey) || !strings.HasPrefix(decorated, "?") && strings.Contains(decorated, anonymousKey) {
		return unnamed.ReplaceAllLiteralString(decorated, anonymous+"::")
	}
	return other(decorated)
}

// unnamed finds anonymous namespaces in qualified names: the hash tells apart those of object files.
var unnamed = regexp.MustCompile(`\?A0x[0-9a-f]+::`)

// NameX86 is [Name] for images of 32-bit x86, where C names are decorated as well: `_main` for __cdecl, `_Sleep@4`
// for __stdcall, `@Sleep@4` for __fastcall and `Sleep@@8` for __vectorcall. On other targets a leading underscore is
// part of the name, so the caller has to know.
func NameX86(decorated string) string {
	if name := Name(decorated); name != decorated {
		return name
	}
	name, size, sized := cutLast(decorated, "@")
	sized = sized && digits(size)
	switch {
	case sized && strings.HasPrefix(name, "_"):
		name = name[1:]
	case sized && strings.HasPrefix(name, "@"):
		name = name[1:]
	case sized && strings.HasSuffix(name, "@"):
		name = name[:len(name)-1]
	case strings.HasPrefix(decorated, "_"):
		name = decorated[1:]
	default:
		return decorated
	}
	if name == "" || strings.ContainsAny(name, "@?") {
		return decorated
	}
	return name
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// visual reads a Visual C++ name. What digits refer back to differs between Visual C++ and clang once an anonymous
// namespace has been named, so such a name is read both ways, and stays raw if both work and disagree.
func visual(decorated string) (string, bool) {
	if !strings.HasPrefix(decorated, "?") && !strings.HasPrefix(decorated, ".?A") {
		return "", false
	}
	s, ok := read(&parser{in: decorated})
	if !strings.Contains(decorated, "?A0x") {
		return s, ok
	}
	other, otherOK := read(&parser{in: decorated, anon: true})
	switch {
	case !ok:
		return other, otherOK
	case otherOK && other != s:
		return "", false
	}
	return s, true
}

// read reads a name to its last character.
func read(p *parser) (string, bool) {
	var s string
	if p.eat(".?A") { // the name in a type descriptor: a type without qualifiers
		s = p.plainType().abstract(p)
	} else {
		s = p.symbol()
	}
	return s, !p.bad && p.in == ""
}

// maxOtherText is log2 of the text that the demangler of Itanium and Rust names may make.
const maxOtherText = 14

// other reads Itanium and Rust names. 32-bit Windows puts an underscore before them as before every C name.
func other(decorated string) string {
	name := decorated
	if strings.HasPrefix(name, "__Z") || strings.HasPrefix(name, "__R") {
		name = name[1:]
	}
	if !strings.HasPrefix(name, "_Z") && !strings.HasPrefix(name, "_R") {
		return decorated
	}
	text, err := demangle.ToString(name, demangle.NoParams, demangle.NoEnclosingParams, demangle.MaxLength(maxOtherText))
	if err != nil {
		return decorated
	}
	return text
}
