package store

import (
	"fmt"
	"path"
	"strings"
	"unicode/utf8"
)

// A Request asks for one file. The strings may come from a dump.
type Request struct {
	Folder string // file that names the folder in a store: "ntdll.pdb", or a path that ends so
	Key    string // identity: hexadecimal digits; "" searches folders by name only
	File   string // file itself, if its name differs from Folder: "ntdll.sym"
	Plain  bool   // servers are not asked for a compressed form or a file.ptr
}

// clean returns the request with the bare names of its files, or an error if
// they are not names of files on every system.
func (r Request) clean() (Request, error) {
	var err error
	if r.Folder, err = SafeName(r.Folder); err != nil {
		return r, err
	}
	if r.File == "" {
		r.File = r.Folder
	} else if r.File, err = SafeName(r.File); err != nil {
		return r, err
	}
	for _, c := range []byte(r.Key) {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return r, fmt.Errorf("identity %q is not hexadecimal", r.Key)
		}
	}
	if len(r.Key) > 128 {
		return r, fmt.Errorf("identity of %d digits", len(r.Key))
	}
	return r, nil
}

// storePath is where a store keeps the file, with forward slashes.
func (r Request) storePath() string { return path.Join(r.Folder, r.Key, r.File) }

// StorePath returns where a symbol store keeps the file, as
// "ntdll.pdb/KEY/ntdll.pdb". The error says that a name is not safe.
func (r Request) StorePath() (string, error) {
	r, err := r.clean()
	if err != nil {
		return "", err
	}
	if r.Key == "" {
		return "", fmt.Errorf("%s has no identity", r.File)
	}
	return r.storePath(), nil
}

// SafeName returns the file name at the end of a Windows or Unix path. It
// refuses what is not an ordinary name on every system: "..", device names such
// as NUL or com1.pdb, drive letters, control characters, and names that Windows
// would change.
func SafeName(name string) (string, error) {
	base := name[strings.LastIndexAny(name, `\/`)+1:]
	refuse := func(why string) (string, error) {
		return "", fmt.Errorf("file name %q: %s", shorten(base), why)
	}
	switch {
	case base == "":
		return "", fmt.Errorf("no file name in %q", shorten(name))
	case len(base) > 200:
		return refuse("too long")
	case !utf8.ValidString(base):
		return refuse("not UTF-8")
	case strings.Trim(base, ".") == "" || base != strings.TrimRight(base, ". ") || strings.HasPrefix(base, " "):
		return refuse("begins or ends in a way that file systems do not keep")
	}
	for _, c := range base {
		if c < 0x20 || c == 0x7f || strings.ContainsRune(`<>:"|?*`, c) {
			return refuse(fmt.Sprintf("%q is not allowed", c))
		}
	}
	if isDevice(base) {
		return refuse("names a device")
	}
	return base, nil
}

// isDevice reports whether Windows takes the name, whatever its extension, for a
// device.
func isDevice(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	for _, port := range []string{"COM", "LPT"} {
		if digit, ok := strings.CutPrefix(stem, port); ok && utf8.RuneCountInString(digit) == 1 {
			return strings.Contains("0123456789¹²³", digit)
		}
	}
	return false
}

func shorten(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}

// FileURL returns where the server e keeps the file.
func (e Element) FileURL(r Request) (string, error) {
	if e.URL == "" {
		return "", fmt.Errorf("%s is not a server", e.Dir)
	}
	path, err := r.StorePath()
	if err != nil {
		return "", err
	}
	return join(e.URL, strings.Split(path, "/")...), nil
}
