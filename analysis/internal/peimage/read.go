package peimage

// ReadRVA reads what is loaded at an RVA. It stops with io.EOF at the end of
// the bytes that the file has for that section. In an image file the addresses
// in code and data are those of the preferred base, and the import table is not
// filled in.
func (img *Image) ReadRVA(p []byte, rva uint32) (int, error) { return img.readRVA(p, int64(rva)) }

// Exceptions returns where the exception directory stands, the table of functions
// with their unwind data, and how many bytes it declares; 0 and 0 if the image
// has none. Its layout is that of the processor.
func (img *Image) Exceptions() (rva, size uint32) { return img.exceptions.rva, img.exceptions.size }
