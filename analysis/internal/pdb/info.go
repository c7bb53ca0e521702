package pdb

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// Streams with a fixed number.
const (
	streamInfo = 1
	streamTPI  = 2
	streamDBI  = 3
	streamIPI  = 4
)

// GUID identifies a PDB. The bytes are as on disk: the first three fields are little-endian.
type GUID [16]byte

// String returns the GUID as it is written in the registry, without braces: D2C5B0C0-6A8C-4D3D-9D5C-000000000001.
func (g GUID) String() string {
	le := binary.LittleEndian
	return fmt.Sprintf("%08X-%04X-%04X-%04X-%012X", le.Uint32(g[0:]), le.Uint16(g[4:]), le.Uint16(g[6:]), g[8:10], g[10:])
}

// readInfo reads the PDB information stream: identity and the numbers of the streams that have names.
func (f *File) readInfo() error {
	s, err := f.msf.stream(streamInfo, "PDB info")
	if err != nil {
		return err
	}
	c, err := s.cursor(0, s.size)
	if err != nil {
		return err
	}
	c.Skip(8) // version, and a signature that GUID replaced
	f.InfoAge = c.U32()
	copy(f.GUID[:], c.Take(16))
	if c.Err() != nil {
		return c.Err()
	}
	f.namesStream = findNamed(c, "/names")
	return nil
}

// findNamed looks a stream up in the map of named streams; -1 when it has no such name. A broken map is the same as
// one without the name: only line numbers need it.
func findNamed(c *bounded.Cursor, want string) int {
	names := c.Take(int(min(c.U32(), 1<<31-1)))
	count, _ := c.U32(), c.U32()         // entries, capacity
	c.Skip(4 * int(min(c.U32(), 1<<28))) // bit vector: buckets in use
	c.Skip(4 * int(min(c.U32(), 1<<28))) // bit vector: buckets deleted
	for range count {
		key, value := c.U32(), c.U32()
		if c.Err() != nil {
			return -1
		}
		if int64(key) >= int64(len(names)) {
			continue
		}
		if bytes.HasPrefix(names[key:], []byte(want+"\x00")) {
			return int(value & 0xffff)
		}
	}
	return -1
}
