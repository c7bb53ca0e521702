package peimage

import (
	"bytes"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// CodeView is the identity of the PDB that belongs to an image: the RSDS record
// of its debug directory.
type CodeView struct {
	GUID    [16]byte
	Age     uint32
	PDBFile string // path as the linker recorded it
}

// CodeView reads the record; ok is false if the image has none, or one of another
// kind.
func (img *Image) CodeView() (v CodeView, ok bool, err error) {
	const (
		entrySize    = 28 // IMAGE_DEBUG_DIRECTORY
		mostEntries  = 64 // linkers write fewer than ten
		codeViewType = 2  // IMAGE_DEBUG_TYPE_CODEVIEW
		mostPath     = 4096
	)
	n := int(min(img.debug.size/entrySize, mostEntries))
	c := bounded.Load("debug directory", int64(img.debug.rva), n*entrySize, img.readRVA)
	for range n {
		c.Skip(12)
		kind, size, rva := c.U32(), c.U32(), c.U32()
		c.Skip(4)
		if c.Err() != nil {
			return v, false, c.Err()
		}
		if kind != codeViewType || size < 24 {
			continue
		}
		r := bounded.Load("CodeView record", int64(rva), int(min(size, 24+mostPath)), img.readRVA)
		signature := r.Take(4)
		guid, age := r.Take(16), r.U32()
		path := r.Take(int(min(size, 24+mostPath)) - 24)
		if r.Err() != nil {
			return v, false, r.Err()
		}
		if string(signature) != "RSDS" {
			continue
		}
		copy(v.GUID[:], guid)
		path, _, _ = bytes.Cut(path, []byte{0})
		v.Age, v.PDBFile = age, string(path)
		return v, true, nil
	}
	return v, false, nil
}
