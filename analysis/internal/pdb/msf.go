package pdb

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

const (
	msfMagic       = "Microsoft C/C++ MSF 7.00\r\n\x1aDS\x00\x00\x00"
	superblockSize = 52 // magic and six 32-bit fields; the list of the block map's blocks follows
	nilStreamSize  = 1<<32 - 1
	maxStreams     = 1 << 16 // a stream number is 16 bits wide wherever a PDB stores one
	cachedBlocks   = 64
)

// msf is the container: numbered streams, each a list of blocks of the file. The lists stand in the stream directory,
// itself a list of blocks; that of a stream is read when it is opened.
type msf struct {
	r          io.ReaderAt
	blockSize  int64
	numBlocks  uint32
	dir        []uint32 // blocks of the stream directory
	dirSize    int64
	numStreams int64
	sizes      []uint32 // bytes of each stream; nilStreamSize for one that does not exist
	firsts     []uint32 // position of each stream's first block in the directory's block lists

	// Binary searches touch the same blocks again and again; the last few stay here.
	cache [cachedBlocks]struct {
		sync.Mutex
		number uint32
		data   []byte // nil if the slot holds no block
		spare  []byte
	}
}

func openMSF(r io.ReaderAt, size int64) (*msf, error) {
	var head [superblockSize]byte
	if size < superblockSize {
		return nil, kindOf(r)
	}
	if _, err := r.ReadAt(head[:], 0); err != nil && err != io.EOF {
		return nil, &bounded.Error{Part: "superblock", Msg: "cannot read", Err: err}
	}
	if string(head[:len(msfMagic)]) != msfMagic {
		return nil, kindOf(r)
	}
	field := func(i int) uint32 { return binary.LittleEndian.Uint32(head[len(msfMagic)+4*i:]) }
	m := &msf{r: r, blockSize: int64(field(0)), numBlocks: field(2), dirSize: int64(field(3))}
	switch m.blockSize {
	case 512, 1024, 2048, 4096, 8192, 16384, 32768:
	default:
		return nil, &bounded.Error{Part: "superblock", Off: 32, Msg: fmt.Sprintf("block size %d", m.blockSize)}
	}
	if int64(m.numBlocks)*m.blockSize > size {
		return nil, &bounded.Error{Part: "superblock", Off: 40,
			Msg: fmt.Sprintf("truncated: %d blocks of %d bytes declared, %d bytes present", m.numBlocks, m.blockSize, size)}
	}
	if err := m.readDirectory(size); err != nil {
		return nil, err
	}
	return m, nil
}

// readDirectory finds the directory's blocks and reads the sizes of the streams.
func (m *msf) readDirectory(fileSize int64) error {
	if m.dirSize < 4 || m.dirSize > fileSize {
		return &bounded.Error{Part: "superblock", Off: 44, Msg: fmt.Sprintf("stream directory of %d bytes", m.dirSize)}
	}
	// The directory's block numbers fill the block map. Its blocks in turn are listed behind the superblock's fields:
	// one for all but the largest files.
	numDir := (m.dirSize + m.blockSize - 1) / m.blockSize
	perBlock := m.blockSize / 4
	mapBlocks, err := m.numbers(0, superblockSize, (numDir+perBlock-1)/perBlock, "superblock")
	if err != nil {
		return err
	}
	for _, b := range mapBlocks {
		part, err := m.numbers(b, 0, min(perBlock, numDir-int64(len(m.dir))), "block map")
		if err != nil {
			return err
		}
		m.dir = append(m.dir, part...)
	}
	var count [4]byte
	if err := m.readDir(count[:], 0); err != nil {
		return err
	}
	m.numStreams = int64(binary.LittleEndian.Uint32(count[:]))
	if m.numStreams > (m.dirSize-4)/4 {
		return &bounded.Error{Part: "directory", Msg: fmt.Sprintf("%d streams in %d bytes", m.numStreams, m.dirSize)}
	}
	raw := make([]byte, 4*min(m.numStreams, maxStreams))
	if err := m.readDir(raw, 4); err != nil {
		return err
	}
	var blocks int64
	for i := 0; i < len(raw); i += 4 {
		size := binary.LittleEndian.Uint32(raw[i:])
		m.sizes = append(m.sizes, size)
		m.firsts = append(m.firsts, uint32(blocks))
		if size == nilStreamSize {
			continue
		}
		blocks += (int64(size) + m.blockSize - 1) / m.blockSize
		// A block belongs to one stream only, so the streams cannot have more blocks than the file. (The first one is
		// the directory as it was before the last write; its blocks may be in use again, but are not counted twice:
		// the file still has room for it.)
		if blocks*m.blockSize > 2*fileSize || 4*(1+m.numStreams+blocks) > m.dirSize {
			return &bounded.Error{Part: "directory", Off: int64(4 + i),
				Msg: fmt.Sprintf("streams up to %d take %d blocks, more than file or directory can hold", i/4, blocks)}
		}
	}
	return nil
}

// numbers reads n block numbers at offset off of a block.
func (m *msf) numbers(block uint32, off, n int64, part string) ([]uint32, error) {
	if off+4*n > m.blockSize || block >= m.numBlocks {
		return nil, &bounded.Error{Part: part, Off: off, Msg: fmt.Sprintf("%d block numbers in block %d", n, block)}
	}
	raw := make([]byte, 4*n)
	if _, err := m.r.ReadAt(raw, int64(block)*m.blockSize+off); err != nil {
		return nil, &bounded.Error{Part: part, Off: off, Msg: "cannot read", Err: err}
	}
	out := make([]uint32, n)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(raw[4*i:])
	}
	return out, nil
}

// readDir fills p from offset off of the stream directory.
func (m *msf) readDir(p []byte, off int64) error {
	if off+int64(len(p)) > m.dirSize {
		return &bounded.Error{Part: "directory", Off: off, Msg: "past its end"}
	}
	for len(p) > 0 {
		within := off % m.blockSize
		n := min(int64(len(p)), m.blockSize-within)
		if err := m.readBlock(p[:n], m.dir[off/m.blockSize], within); err != nil {
			return &bounded.Error{Part: "directory", Off: off, Msg: "cannot read", Err: err}
		}
		p, off = p[n:], off+n
	}
	return nil
}

// readBlock fills p from offset off of one block, through the cache.
func (m *msf) readBlock(p []byte, block uint32, off int64) error {
	if block >= m.numBlocks {
		return fmt.Errorf("block %d of %d", block, m.numBlocks)
	}
	slot := &m.cache[block%cachedBlocks]
	slot.Lock()
	defer slot.Unlock()
	if slot.data == nil || slot.number != block {
		if slot.spare == nil {
			slot.spare = make([]byte, m.blockSize)
		}
		slot.data = nil
		if _, err := m.r.ReadAt(slot.spare, int64(block)*m.blockSize); err != nil {
			return err
		}
		slot.number, slot.data = block, slot.spare
	}
	copy(p, slot.data[off:])
	return nil
}

// stream opens stream i; name is for errors. A stream that does not exist is an error.
func (m *msf) stream(i int, name string) (*stream, error) {
	if i < 0 || i >= len(m.sizes) || m.sizes[i] == nilStreamSize {
		return nil, &bounded.Error{Part: name, Msg: fmt.Sprintf("no stream %d", i)}
	}
	s := &stream{m: m, name: name, size: int64(m.sizes[i])}
	raw := make([]byte, 4*((s.size+m.blockSize-1)/m.blockSize))
	if err := m.readDir(raw, 4*(1+m.numStreams+int64(m.firsts[i]))); err != nil {
		return nil, err
	}
	s.blocks = make([]uint32, len(raw)/4)
	for i := range s.blocks {
		s.blocks[i] = binary.LittleEndian.Uint32(raw[4*i:])
	}
	return s, nil
}
