package pdb

import (
	"encoding/binary"
	"errors"
)

// stubImage makes an image without code that has the sections of a PDB and names it as its own.
func stubImage(f *File, path string) ([]byte, error) {
	const headerSize, alignment = 0x1000, 0x1000
	headers, err := imageHeaders(f)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	end := uint32(alignment)
	for i := 0; i+40 <= len(headers); i += 40 {
		copy(headers[i+16:i+24], make([]byte, 8)) // nothing in the file
		end = max(end, (le.Uint32(headers[i+12:])+le.Uint32(headers[i+8:])+alignment-1)&^(alignment-1))
	}
	// One section more, for the record that names the PDB.
	record := append([]byte("RSDS"), f.GUID[:]...)
	record = append(le.AppendUint32(record, f.Age), path+"\x00"...)
	directory := make([]byte, 28)
	le.PutUint32(directory[12:], 2) // IMAGE_DEBUG_TYPE_CODEVIEW
	le.PutUint32(directory[16:], uint32(len(record)))
	le.PutUint32(directory[20:], end+28)
	le.PutUint32(directory[24:], headerSize+28)
	body := append(directory, record...)
	last := make([]byte, 40)
	copy(last, ".stub")
	for i, v := range []uint32{uint32(len(body)), end, uint32(len(body)), headerSize} {
		le.PutUint32(last[8+4*i:], v)
	}
	le.PutUint32(last[36:], 0x40000040)
	headers = append(headers, last...)

	optional := make([]byte, 96)
	le.PutUint16(optional, 0x10b) // PE32
	le.PutUint32(optional[28:], 0x10000000)
	if f.Machine != 0x14c {
		optional = make([]byte, 112)
		le.PutUint16(optional, 0x20b) // PE32+
		le.PutUint64(optional[24:], 0x180000000)
	}
	le.PutUint32(optional[32:], alignment)
	le.PutUint32(optional[36:], 0x200)
	le.PutUint32(optional[56:], end+alignment)
	le.PutUint32(optional[60:], headerSize)
	le.PutUint32(optional[len(optional)-4:], 16) // data directories
	directories := make([]byte, 16*8)
	le.PutUint32(directories[6*8:], end) // debug
	le.PutUint32(directories[6*8+4:], uint32(len(directory)))
	optional = append(optional, directories...)

	image := make([]byte, 0x40, headerSize+len(body))
	copy(image, "MZ")
	le.PutUint32(image[0x3c:], 0x40)
	image = append(image, "PE\x00\x00"...)
	image = le.AppendUint16(image, f.Machine)
	image = le.AppendUint16(image, uint16(len(headers)/40))
	image = append(image, make([]byte, 12)...) // time stamp, symbol table
	image = le.AppendUint16(image, uint16(len(optional)))
	image = le.AppendUint16(image, 0x2022) // executable, large addresses, DLL
	image = append(append(image, optional...), headers...)
	if len(image) > headerSize {
		return nil, errors.New("too many sections")
	}
	return append(image[:headerSize], body...), nil
}
