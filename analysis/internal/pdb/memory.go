package pdb

import "sync"

// memory keeps the streams of the modules visited last, as far as they are small: a function's records are read again
// for each of the module's functions.
type memory struct {
	mu   sync.Mutex
	kept []*stream // the oldest first
	size int64
}

const (
	memorySize    = 2 << 20
	largestInHere = memorySize / 4
)

// keep reads a stream into memory, in place of older ones.
func (m *memory) keep(s *stream) error {
	if s.size > largestInHere {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.memory.Load() != nil {
		return nil
	}
	all := make([]byte, s.size)
	if err := s.readAt(all, 0); err != nil {
		return err
	}
	s.memory.Store(&all)
	m.kept, m.size = append(m.kept, s), m.size+s.size
	for m.size > memorySize {
		m.kept[0].memory.Store(nil)
		m.size -= m.kept[0].size
		m.kept = m.kept[1:]
	}
	return nil
}
