package minidump

import (
	"io"
	"strings"
)

// Comments returns the text that the user attached to the dump, for example
// with ".dump /c": the ANSI comment stream, then the Unicode one, as far as
// they are there. The ANSI text is taken as UTF-8, since the dump does not
// name its code page. A dump without comments gives an empty slice.
func (f *File) Comments() ([]string, error) {
	var comments []string
	for _, t := range []StreamType{CommentStreamA, CommentStreamW} {
		if !f.Has(t) {
			continue
		}
		r, short := f.Stream(t)
		text, err := io.ReadAll(r)
		if err != nil {
			return comments, &FormatError{Stream: t, Msg: "reading", Err: err}
		}
		comment := fixedUTF16(text)
		if t == CommentStreamA {
			comment = strings.ToValidUTF8(cString(text), "\uFFFD")
		}
		comments = append(comments, comment)
		if short != nil {
			return comments, short
		}
	}
	return comments, nil
}
