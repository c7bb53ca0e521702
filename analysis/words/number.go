package words

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// Integer is any whole number, of a type of Go's or of one's own.
type Integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

// Count writes a whole number with separators: "65,602", "-1,234".
func Count[T Integer](n T) string {
	if n > 0 && uint64(n) > math.MaxInt64 {
		return humanize.BigComma(new(big.Int).SetUint64(uint64(n)))
	}
	return humanize.Comma(int64(n))
}

// Growth writes how much a count has changed, or may: "+40,000", "-3", "0".
func Growth[T Integer](n T) string {
	if n > 0 {
		return "+" + Count(n)
	}
	return Count(n)
}

// Decimal writes a number that is not whole with as many digits as mean
// something: "1,235", "12.5", "3", "0.034". What is not 0 never reads "0": below
// a millionth it is "under 0.000001".
func Decimal(f float64) string {
	const least = 1e-6
	switch a := math.Abs(f); {
	case math.IsNaN(f):
		return "unknown"
	case math.IsInf(f, 0):
		return strings.TrimPrefix(strconv.FormatFloat(f, 'g', -1, 64), "+") // "Inf", "-Inf"
	case a >= 1e18:
		return strconv.FormatFloat(f, 'g', 3, 64)
	case a >= 100:
		return Count(int64(math.Round(f)))
	case a >= 1:
		return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
	case f == 0:
		return "0"
	case a < least && f > 0:
		return "under 0.000001"
	case a < least:
		return "over -0.000001"
	}
	// Two digits that count, without an exponent.
	two, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 2, 64), 64)
	return strconv.FormatFloat(two, 'f', -1, 64)
}

// Rate writes how many there are in a unit of time: "12.5 an hour". The units
// are a second, a minute, an hour and a day; others are written as [Duration]
// does, "3 in 2 d".
func Rate(n float64, unit time.Duration) string {
	per := "in " + Duration(unit)
	switch unit {
	case time.Second:
		per = "a second"
	case time.Minute:
		per = "a minute"
	case time.Hour:
		per = "an hour"
	case day:
		per = "a day"
	}
	return Decimal(n) + " " + per
}
