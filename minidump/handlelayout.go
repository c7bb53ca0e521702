package minidump

// handleHeaderSize is the size of MINIDUMP_HANDLE_DATA_STREAM, in bytes. The last
// four are reserved, and need not be there.
const handleHeaderSize = 16

// layout returns the sizes of the header and of a descriptor by which the stream
// is read. They are the declared ones where these are known, or possible and
// nothing else fits exactly.
func (d *HandleData) layout(size int64) (header, stride uint32) {
	fits := func(header, stride uint32) int64 { // bytes that remain
		return size - int64(header) - int64(stride)*int64(d.NumberOfDescriptors)
	}
	known := d.SizeOfDescriptor == descriptorSize || d.SizeOfDescriptor == descriptor2Size
	least := leasts[HandleDataStream].size
	possible := d.SizeOfHeader >= least && d.SizeOfDescriptor >= descriptorSize
	if d.NumberOfDescriptors == 0 || possible && (known || fits(d.SizeOfHeader, d.SizeOfDescriptor) == 0) {
		return max(d.SizeOfHeader, least), max(d.SizeOfDescriptor, descriptorSize)
	}
	headers := []uint32{handleHeaderSize}
	if d.SizeOfHeader >= least {
		headers = []uint32{d.SizeOfHeader, handleHeaderSize}
	}
	strides := []uint32{descriptor2Size, descriptorSize}
	if known {
		strides = []uint32{d.SizeOfDescriptor}
	}
	for _, header := range headers {
		for _, stride := range strides {
			if fits(header, stride) == 0 {
				return header, stride
			}
		}
	}
	switch {
	case possible:
		return d.SizeOfHeader, d.SizeOfDescriptor
	case d.SizeOfDescriptor >= descriptorSize:
		return headers[0], d.SizeOfDescriptor
	case fits(headers[0], descriptor2Size) >= 0:
		return headers[0], descriptor2Size
	}
	return headers[0], descriptorSize
}

// lostHandles adds to the error about a stream whose header is not in the file
// what its size says.
func (f *File) lostHandles(d DirectoryEntry, err error) error {
	room := int64(d.DataSize) - handleHeaderSize
	if room < descriptorSize || int64(d.RVA)+handleHeaderSize <= f.size || int64(d.RVA) < headerSize {
		return err
	}
	size := int64(descriptor2Size)
	if room%descriptor2Size != 0 && room%descriptorSize == 0 {
		size = descriptorSize
	}
	return formatErrorf(HandleDataStream, int64(d.RVA),
		"the file ends after %d bytes, before the list of handles: its %d bytes are about %d handles of %d bytes each",
		f.size, d.DataSize, room/size, size)
}
