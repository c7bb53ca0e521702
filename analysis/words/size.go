package words

import (
	"math"
	"strconv"
)

// Bytes writes a size in units of 1024 with at least two digits: "1.5 GiB",
// "79 MiB". Below 1 KiB it is exact, "823 B".
func Bytes[T Integer](n T) string {
	if n < 0 {
		return "-" + bytesOf(-uint64(n))
	}
	return bytesOf(uint64(n))
}

func bytesOf(n uint64) string {
	if n < 1<<10 {
		return strconv.FormatUint(n, 10) + " B"
	}
	f, unit := float64(n)/(1<<10), 0
	for math.Round(f) >= 1<<10 { // never "1024 KiB"
		f /= 1 << 10
		unit++
	}
	digits := 0
	if f < 9.95 {
		digits = 1
	}
	return strconv.FormatFloat(f, 'f', digits, 64) + " " + "KMGTPE"[unit:unit+1] + "iB"
}
