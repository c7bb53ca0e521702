package analysis

import "strings"

// The placeholders that [NormalizeName] writes.
const (
	PlaceholderNumber = "<n>"    // a decimal or hexadecimal number
	PlaceholderGUID   = "<guid>" // in the form 8-4-4-4-12; braces stay
	PlaceholderSID    = "<sid>"  // S-1-5-21-...
	PlaceholderTemp   = "<tmp>"  // a random file name in a folder for temporary files
)

// NormalizeName turns what varies between the names of like objects into
// placeholders: GUIDs, SIDs, numbers (process and thread ids, addresses,
// counters), and the names of temporary files that GetTempFileName, OLE and
// .NET's GetRandomFileName make. Normalising a normalised name changes
// nothing.
//
// A number is a run of hexadecimal digits with a decimal digit among them, or
// a word of at least eight without. Where it touches other letters it begins
// and ends with a decimal digit: "thread1f" is "thread<n>", "x64dbg" is
// "x<n>dbg". Whether names that agree only in this form are merged is decided
// by how many there are; see [KindCounts].
func NormalizeName(name string) string {
	var space [256]byte // names are mostly shorter: no allocation where nothing is replaced
	b := appendNormalized(space[:0], name)
	if string(b) == name {
		return name
	}
	return string(b)
}

// appendNormalized is NormalizeName into a buffer.
func appendNormalized(b []byte, name string) []byte {
	temp := false // the segment before is a folder for temporary files
	for rest := name; ; {
		end := strings.IndexByte(rest, '\\')
		last := end < 0
		if last {
			end = len(rest)
		}
		segment := rest[:end]
		if prefix, form, ok := tempFile(segment, temp && last); ok {
			b = append(append(b, prefix...), form...)
		} else {
			b = appendNormal(b, segment)
		}
		if last {
			return b
		}
		b = append(b, '\\')
		rest = rest[end+1:]
		temp = len(segment) == 4 && strings.EqualFold(segment, "temp") || len(segment) == 3 && strings.EqualFold(segment, "tmp")
	}
}

// tempFile recognises the names of temporary files: "tmpA1.tmp" of
// GetTempFileName (three characters and up to four hexadecimal digits),
// "~DF0123456789ABCDEF.TMP" of OLE, and in a folder for such files the eight
// and three characters of GetRandomFileName.
func tempFile(segment string, inTemp bool) (prefix, form string, ok bool) {
	dot := strings.IndexByte(segment, '.')
	if dot < 0 || len(segment)-dot != len(".tmp") {
		return "", "", false // most names
	}
	base, ext := segment[:dot], segment[dot+1:]
	if strings.EqualFold(ext, "tmp") && len(base) > 3 && allHex(base[3:]) && !hasDigit(base[:3]) {
		if len(base) <= 7 || strings.EqualFold(base[:3], "~df") {
			return base[:3], PlaceholderNumber + segment[len(base):], true
		}
	}
	if inTemp && len(base) == 8 && len(ext) == 3 && allRandom(base) && allRandom(ext) {
		return "", PlaceholderTemp, true
	}
	return "", "", false
}

// appendNormal appends one segment of a path with its numbers replaced.
func appendNormal(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		if !isAlnum(s[i]) {
			b = append(b, s[i])
			i++
			continue
		}
		// Here a word starts.
		if n := guidAt(s[i:]); n > 0 {
			b = append(b, PlaceholderGUID...)
			i += n
			continue
		}
		if n := sidAt(s[i:]); n > 0 {
			b = append(b, PlaceholderSID...)
			i += n
			continue
		}
		end := i + wordLength(s[i:])
		b = appendWord(b, s[i:end])
		i = end
	}
	return b
}

const (
	hexWord = 8  // from this length a word of hexadecimal letters is a number
	guidLen = 36 // of a GUID's text
)

// appendWord appends a run of letters and digits with its numbers replaced.
func appendWord(b []byte, w string) []byte {
	if len(w) > 2 && w[0] == '0' && w[1]|0x20 == 'x' && allHex(w[2:]) || len(w) >= hexWord && allHex(w) {
		return append(b, PlaceholderNumber...)
	}
	if !hasDigit(w) {
		return append(b, w...)
	}
	for i := 0; i < len(w); {
		end := i
		for end < len(w) && isHex(w[end]) {
			end++
		}
		if end == i {
			b = append(b, w[i])
			i++
			continue
		}
		// w[i:end] is a maximal run of hexadecimal digits. Letters at its rim
		// belong to the word around it, unless the word ends there too.
		from, to := i, end
		for i > 0 && from < to && !isDigit(w[from]) {
			from++
		}
		for end < len(w) && to > from && !isDigit(w[to-1]) {
			to--
		}
		if hasDigit(w[from:to]) {
			b = append(append(append(b, w[i:from]...), PlaceholderNumber...), w[to:end]...)
		} else {
			b = append(b, w[i:end]...)
		}
		i = end
	}
	return b
}

// guidAt returns the length of the GUID that s begins with, or 0.
func guidAt(s string) int {
	if len(s) < guidLen || len(s) > guidLen && isAlnum(s[guidLen]) {
		return 0
	}
	for i := range guidLen {
		switch i {
		case 8, 13, 18, 23:
			if s[i] != '-' {
				return 0
			}
		default:
			if !isHex(s[i]) {
				return 0
			}
		}
	}
	return guidLen
}

// sidAt returns the length of the SID that s begins with, or 0: revision 1, an
// authority and at least one more number.
func sidAt(s string) int {
	if len(s) < len("S-1-5-2") || s[0]|0x20 != 's' || s[1:4] != "-1-" {
		return 0
	}
	numbers, end := 0, 0
	for i := 4; ; {
		n := wordLength(s[i:])
		if n == 0 || !allDigits(s[i:i+n]) {
			break
		}
		i += n
		numbers, end = numbers+1, i
		if i == len(s) || s[i] != '-' {
			break
		}
		i++
	}
	if numbers < 2 {
		return 0
	}
	return end
}

func wordLength(s string) int {
	for i := range len(s) {
		if !isAlnum(s[i]) {
			return i
		}
	}
	return len(s)
}

// The kinds of bytes that matter to a name, by value: a look-up is what makes
// a million names a matter of a fraction of a second.
const (
	digitByte = 1 << iota
	hexByte
	alnumByte
)

var byteClass = func() (class [256]uint8) {
	for c := range class {
		switch lower := c | 0x20; {
		case c >= '0' && c <= '9':
			class[c] = digitByte | hexByte | alnumByte
		case lower >= 'a' && lower <= 'f':
			class[c] = hexByte | alnumByte
		case lower >= 'a' && lower <= 'z':
			class[c] = alnumByte
		}
	}
	return class
}()

func isDigit(c byte) bool { return byteClass[c]&digitByte != 0 }

func isHex(c byte) bool { return byteClass[c]&hexByte != 0 }

func isAlnum(c byte) bool { return byteClass[c]&alnumByte != 0 }

func allDigits(s string) bool { return allOf(s, digitByte) }
func allHex(s string) bool    { return allOf(s, hexByte) }

func allOf(s string, class uint8) bool {
	for i := range len(s) {
		if byteClass[s[i]]&class == 0 {
			return false
		}
	}
	return true
}

func hasDigit(s string) bool {
	for i := range len(s) {
		if isDigit(s[i]) {
			return true
		}
	}
	return false
}

// allRandom reports whether s is made of the 32 characters of
// GetRandomFileName.
func allRandom(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '5') {
			return false
		}
	}
	return true
}
