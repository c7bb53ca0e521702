package minidump

import (
	"io"
	"strings"
)

// Comments returns the text that the user attached to the dump, for example
// with ".dump /c": the ANSI comment stream, then the Unicode one, as far as
// they are there. A dump without comments gives an empty slice.
func (f *File) Comments() ([]string, error) {
	var comments []string
	for _, t := range []StreamType{CommentStreamA, CommentStreamW} {
		if !f.Has(t) {
			continue
		}
		comment, err := f.Comment(t)
		if comment != "" || err == nil {
			comments = append(comments, comment)
		}
		if err != nil {
			return comments, err
		}
	}
	return comments, nil
}

// Comment returns the text of one comment stream, [CommentStreamA] or
// [CommentStreamW]. The ANSI text is taken as UTF-8, since the dump does not
// name its code page. With an error, the text that is in the file is returned,
// too.
func (f *File) Comment(t StreamType) (string, error) {
	r, short := f.Stream(t)
	if r == nil {
		return "", short
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return "", &FormatError{Stream: t, Msg: "reading", Err: err}
	}
	if t == CommentStreamA {
		return strings.ToValidUTF8(cString(text), "\uFFFD"), short
	}
	return fixedUTF16(text), short
}
