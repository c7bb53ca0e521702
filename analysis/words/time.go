package words

import (
	"strconv"
	"time"
)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// Duration writes a span of time in its largest unit and the one below, cut
// off: "1 year 35 d", "2 years", "3 d 4 h", "13 min 5 s", "45 s". A year has 365
// days. Dumps count in seconds; what is shorter, 0 too, is "under 1 s". A span
// back in time has a minus sign.
func Duration(d time.Duration) string {
	sign, left := "", uint64(d)
	if d < 0 {
		sign, left = "-", -left
	}
	units := [...]struct {
		unit      uint64
		one, many string
	}{
		{uint64(year), " year", " years"},
		{uint64(day), " d", " d"},
		{uint64(time.Hour), " h", " h"},
		{uint64(time.Minute), " min", " min"},
		{uint64(time.Second), " s", " s"},
	}
	for i, u := range units {
		n := left / u.unit
		if n == 0 {
			continue
		}
		text := sign + strconv.FormatUint(n, 10) + u.many
		if n == 1 {
			text = sign + "1" + u.one
		}
		if i+1 < len(units) {
			if below := left % u.unit / units[i+1].unit; below > 0 {
				text += " " + strconv.FormatUint(below, 10) + units[i+1].many
			}
		}
		return text
	}
	return "under 1 s"
}

// Time writes a point in time for people, in UTC: "2024-03-05 17:08:09 UTC". The
// zero time is "unknown".
func Time(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// Timestamp writes a point in time for programs: RFC 3339 in UTC, whole
// seconds, "2024-03-05T17:08:09Z". The zero time is "".
func Timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
