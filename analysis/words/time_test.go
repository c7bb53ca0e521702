package words

import (
	"math"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                    "under 1 s",
		time.Second - 1:                      "under 1 s",
		1 - time.Second:                      "under 1 s",
		time.Second:                          "1 s",
		59 * time.Second:                     "59 s",
		time.Minute:                          "1 min",
		13*time.Minute + 5*time.Second:       "13 min 5 s",
		time.Hour + 59*time.Second:           "1 h", // and not "1 h 59 s"
		time.Hour + time.Minute:              "1 h 1 min",
		day:                                  "1 d",
		3*day + 4*time.Hour + 59*time.Minute: "3 d 4 h",
		day - 1:                              "23 h 59 min",
		364 * day:                            "364 d",
		year:                                 "1 year",
		400 * day:                            "1 year 35 d",
		2 * year:                             "2 years",
		2*year + 23*time.Hour:                "2 years",
		10*year + day:                        "10 years 1 d",
		-90 * time.Second:                    "-1 min 30 s",
		math.MaxInt64:                        "292 years 171 d",
		math.MinInt64:                        "-292 years 171 d",
	} {
		compare(t, []said{{want, Duration(d), want}})
	}
}

func TestTime(t *testing.T) {
	at := time.Date(2024, time.March, 5, 18, 8, 9, 999_999_999, time.FixedZone("CET", 3600))
	compare(t, []said{
		{"people", Time(at), "2024-03-05 17:08:09 UTC"},
		{"programs", Timestamp(at), "2024-03-05T17:08:09Z"},
		{"people, unknown", Time(time.Time{}), "unknown"},
		{"programs, unknown", Timestamp(time.Time{}), ""},
	})
}
