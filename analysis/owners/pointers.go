package owners

// pointerKinds knows, quickly and with some false alarms, what kind of memory
// an address belongs to: one byte for each 64 KiB, the granularity of
// allocations, of 16 GiB, beyond which the table repeats itself.
type pointerKinds [kindSlots]uint8

const (
	pointsToModule = 1 << iota
	pointsToMemory

	kindSlots = 1 << 18
)

func (k *pointerKinds) mark(spans []vaSpan, kind uint8) {
	marked := 0
	for _, s := range spans {
		for slot := s.start >> 16; slot <= (s.end-1)>>16; slot++ {
			k[slot%kindSlots] |= kind
			if marked++; marked >= 4*kindSlots {
				for i := range k {
					k[i] |= kind // an address space so large leaves nothing to distinguish
				}
				return
			}
		}
	}
}

func (k *pointerKinds) of(address uint64) uint8 { return k[address>>16%kindSlots] }

// highHalves are the upper halves of the addresses of the process, which tell
// pointers from pairs of numbers. Those beyond 47 bits have none.
type highHalves [1 << 15]bool

func (h *highHalves) mark(spans []vaSpan) {
	for _, s := range spans {
		for high := s.start >> 32; high <= (s.end-1)>>32 && high < uint64(len(h)); high++ {
			h[high] = true
		}
	}
}

func (h *highHalves) has(address uint64) bool {
	high := address >> 32
	return high < uint64(len(h)) && h[high]
}
