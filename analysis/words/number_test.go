package words

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A said is what a function made of an input, and what it should be.
type said struct{ name, got, want string }

func compare(t *testing.T, table []said) {
	t.Helper()
	for _, s := range table {
		if diff := cmp.Diff(s.want, s.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.name, diff)
		}
	}
}

func TestCount(t *testing.T) {
	type ownInt uint16
	compare(t, []said{
		{"0", Count(0), "0"},
		{"7", Count(uint8(7)), "7"},
		{"999", Count(999), "999"},
		{"1000", Count(1000), "1,000"},
		{"own type", Count(ownInt(65_535)), "65,535"},
		{"100000", Count(int32(100_000)), "100,000"},
		{"1000000", Count(1_000_000), "1,000,000"},
		{"-999", Count(-999), "-999"},
		{"-1000", Count(-1000), "-1,000"},
		{"least int8", Count(int8(-128)), "-128"},
		{"least int64", Count(int64(math.MinInt64)), "-9,223,372,036,854,775,808"},
		{"greatest int64", Count(int64(math.MaxInt64)), "9,223,372,036,854,775,807"},
		{"greatest uint64", Count(uint64(math.MaxUint64)), "18,446,744,073,709,551,615"},
	})
}

func TestGrowth(t *testing.T) {
	compare(t, []said{
		{"grown", Growth(40_000), "+40,000"},
		{"fallen", Growth(-40_000), "-40,000"},
		{"the same", Growth(0), "0"},
		{"unsigned", Growth(uint64(math.MaxUint64)), "+18,446,744,073,709,551,615"},
	})
}

func TestDecimal(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", 1: "1", 3: "3", 12.5: "12.5", 12.04: "12", 99.94: "99.9", 99.96: "100", 100.4: "100",
		999.5: "1,000", 1234.5: "1,235", -1234.5: "-1,235", -12.5: "-12.5",
		0.96: "0.96", 0.034: "0.034", 0.0347: "0.035", 0.999: "1", 0.00001: "0.00001", -0.25: "-0.25",
		1e-6: "0.000001", 9e-7: "under 0.000001", -1e-300: "over -0.000001",
		math.SmallestNonzeroFloat64: "under 0.000001",
		1e17:                        "100,000,000,000,000,000", 1e18: "1e+18", -1.2345e300: "-1.23e+300",
		math.Inf(1): "Inf", math.Inf(-1): "-Inf",
	} {
		compare(t, []said{{want, Decimal(f), want}})
	}
	compare(t, []said{{"no number", Decimal(math.NaN()), "unknown"}, {"minus zero", Decimal(math.Copysign(0, -1)), "0"}})
}

func TestRate(t *testing.T) {
	compare(t, []said{
		{"second", Rate(1234, time.Second), "1,234 a second"},
		{"minute", Rate(12.5, time.Minute), "12.5 a minute"},
		{"hour", Rate(-3, time.Hour), "-3 an hour"},
		{"day", Rate(0.02, 24*time.Hour), "0.02 a day"},
		{"other", Rate(3, 48*time.Hour), "3 in 2 d"},
	})
}

func TestShare(t *testing.T) {
	compare(t, []said{
		{"some", Share(989, 1000), "98.9 %"},
		{"all", Share(uint64(7), 7), "100.0 %"},
		{"nothing", Share(0, 7), "0.0 %"},
		{"of nothing", Share(0, 0), "0.0 %"},
		{"nearly all", Share(9995, 10_000), "over 99.9 %"},
		{"not quite that", Share(9994, 10_000), "99.9 %"},
		{"hardly any", Share(4, 10_000), "under 0.1 %"},
		{"few", Share(5, 10_000), "0.1 %"},
		{"all but one of very many", Share(uint64(math.MaxUint64)-1, math.MaxUint64), "over 99.9 %"},
		{"one more than very many", Share(uint64(math.MaxUint64), math.MaxUint64-1), "over 100.0 %"},
		{"a few more than all", Share(100_001, 100_000), "over 100.0 %"},
		{"more than all", Share(6, 5), "120.0 %"},

		{"computed", Percent(0.989), "98.9 %"},
		{"computed all", Percent(1), "100.0 %"},
		{"computed nothing", Percent(0), "0.0 %"},
		{"computed, below 1", Percent(math.Nextafter(1, 0)), "over 99.9 %"},
		{"computed, above 0", Percent(math.SmallestNonzeroFloat64), "under 0.1 %"},
		{"computed, unknown", Percent(math.NaN()), "unknown"},
	})
}

func TestConfidence(t *testing.T) {
	for c, want := range map[float64]string{
		0: "0.0 %", -1: "0.0 %", 0.0001: "under 0.1 %", 0.001: "0.1 %", 0.05: "5.0 %", 0.5: "50.0 %",
		0.9567: "95.6 %", 0.98999: "98.9 %", 0.99: "99.0 %", 0.9952: "99.5 %", 0.999: "99.9 %",
		0.9990001: "99.9 %", 0.9997: "99.97 %", 0.99978: "99.97 %", 0.9999: "99.99 %", 0.999997: "99.9997 %",
		0.999999: "99.9999 %", 0.99999901: "over 99.9999 %", 1: "over 99.9999 %", 2: "over 99.9999 %",
	} {
		compare(t, []said{{want, Confidence(c), want}})
	}
	compare(t, []said{{"no number", Confidence(math.NaN()), "unknown"}})
}

func TestBytes(t *testing.T) {
	compare(t, []said{
		{"0", Bytes(0), "0 B"},
		{"below", Bytes(1023), "1023 B"},
		{"1 KiB", Bytes(1024), "1.0 KiB"},
		{"1.5 KiB", Bytes(uint32(1536)), "1.5 KiB"},
		{"two digits carried", Bytes(10_199), "10 KiB"},
		{"79 MiB", Bytes(82_854_982), "79 MiB"},
		{"carried into the next unit", Bytes(1<<20 - 1), "1.0 MiB"},
		{"not carried", Bytes(1023 << 10), "1023 KiB"},
		{"1.5 GiB", Bytes(int64(3) << 29), "1.5 GiB"},
		{"2 TiB", Bytes(int64(2) << 40), "2.0 TiB"},
		{"3 PiB", Bytes(int64(3) << 50), "3.0 PiB"},
		{"greatest", Bytes(uint64(math.MaxUint64)), "16 EiB"},
		{"negative", Bytes(-1536), "-1.5 KiB"},
	})
}

// What is not nothing, not all and not certain never reads as if it were.
func FuzzNumbers(f *testing.F) {
	f.Add(uint64(0), uint64(1), 0.5)
	f.Add(uint64(1), uint64(math.MaxUint64), 0.99996)
	f.Add(uint64(math.MaxUint64), uint64(math.MaxUint64), -1e-9)
	f.Fuzz(func(t *testing.T, a, b uint64, x float64) {
		part, whole := min(a, b), max(a, b)
		switch got := Share(part, whole); {
		case (got == "100.0 %") != (part == whole && part > 0):
			t.Errorf("Share(%d, %d) is %q", part, whole, got)
		case (got == "0.0 %") != (part == 0):
			t.Errorf("Share(%d, %d) is %q", part, whole, got)
		}
		if got := Decimal(x); (got == "0") != (x == 0) {
			t.Errorf("Decimal(%g) is %q", x, got)
		}
		if got := Confidence(x); strings.Contains(got, "100") || x < 0.999999 && strings.HasPrefix(got, "over") {
			t.Errorf("Confidence(%g) is %q", x, got)
		}
		for _, got := range []string{Count(a), Growth(a)} {
			if strings.NewReplacer(",", "", "+", "").Replace(got) != strconv.FormatUint(a, 10) {
				t.Errorf("%d is %s", a, got)
			}
		}
		if got := strings.ReplaceAll(Count(int64(b)), ",", ""); got != strconv.FormatInt(int64(b), 10) {
			t.Errorf("%d is %s", int64(b), got)
		}
		if got := Bytes(a); strings.HasPrefix(got, "1024 ") || len(got) > len("1023 KiB") {
			t.Errorf("Bytes(%d) is %q", a, got)
		}
		if got := Duration(time.Duration(a)); strings.HasPrefix(got, "--") || strings.Contains(got, " 0 ") {
			t.Errorf("Duration(%d) is %q", a, got)
		}
	})
}
