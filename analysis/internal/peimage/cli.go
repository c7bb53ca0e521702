package peimage

import "github.com/dumpscan/dumpscan/analysis/internal/bounded"

// Metadata returns where the CLI metadata of an assembly lies, by the
// IMAGE_COR20_HEADER of ECMA-335, II.25.3.3; ok is false if the image has none.
// size is in bytes, as declared.
func (img *Image) Metadata() (rva, size uint32, ok bool, err error) {
	if img.cli.rva == 0 {
		return 0, 0, false, nil
	}
	c := bounded.Load("CLI header", int64(img.cli.rva), 16, img.readRVA)
	c.Skip(8)
	rva, size = c.U32(), c.U32()
	return rva, size, c.Err() == nil, c.Err()
}
