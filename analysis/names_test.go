package analysis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis"
)

func TestNormalizeName(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"", ""},
		{`\REGISTRY\MACHINE\SOFTWARE\Classes`, `\REGISTRY\MACHINE\SOFTWARE\Classes`},
		{`\REGISTRY\USER\S-1-5-21-3623811015-3361044348-30300820-1013_Classes`, `\REGISTRY\USER\<sid>_Classes`},
		{`\REGISTRY\USER\S-1-5-18\Software`, `\REGISTRY\USER\<sid>\Software`},
		{`\REGISTRY\USER\S-1-5\Software`, `\REGISTRY\USER\S-<n>-<n>\Software`}, // an authority alone is no SID
		{`\Calibration\17`, `\Calibration\<n>`},
		{`\BaseNamedObjects\{6B29FC40-CA47-1067-B31D-00DD010662DA}`, `\BaseNamedObjects\{<guid>}`},
		{`6B29FC40-CA47-1067-B31D-00DD010662DA0`, `<n>-<n>-<n>-<n>-<n>`},
		{`SM0:19756:304:WilStaging_02`, `SM<n>:<n>:<n>:WilStaging_<n>`},
		{`\RPC Control\OLE5C2D41A0F1E2`, `\RPC Control\OLE<n>`},
		{`0xdeadBEEF`, `<n>`},
		{`deadbeef`, `<n>`},
		{`facade`, `facade`},
		{`thread1f`, `thread<n>`},
		{`x64dbg`, `x<n>dbg`},
		{`\Device\HarddiskVolume3\a`, `\Device\HarddiskVolume<n>\a`},
		{`C:\Windows\Temp\tmpAB.tmp`, `C:\Windows\Temp\tmp<n>.tmp`},
		{`C:\x\~DF6A0C93D1AC0E1A0B.TMP`, `C:\x\~DF<n>.TMP`},
		{`C:\x\settings.tmp`, `C:\x\settings.tmp`},
		{`C:\Users\a\AppData\Local\Temp\w143kxnu.idj`, `C:\Users\a\AppData\Local\Temp\<tmp>`},
		{`C:\data\settings.ini`, `C:\data\settings.ini`},
		{`C:\Temp\settings.ini\x`, `C:\Temp\settings.ini\x`},
		{"\xff\x001\xff", "\xff\x00<n>\xff"},
	} {
		if got := analysis.NormalizeName(c.name); got != c.want {
			t.Errorf("NormalizeName(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzNormalizeName(f *testing.F) {
	for _, s := range []string{
		`\REGISTRY\USER\S-1-5-21-1-2-3-1013_Classes`, `{6B29FC40-CA47-1067-B31D-00DD010662DA}`, `\Temp\w143kxnu.idj`,
		`tmpAB.tmp`, `abcdefab1z`, `zabc1defabcde1z`, `0x`, `0xg1`, `S-1-5-21x-1`, `<n>1`, `1<sid>`, "abcdefab-abcd-abcd-abcd-abcdefabcdef",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		once := analysis.NormalizeName(name)
		if twice := analysis.NormalizeName(once); twice != once {
			t.Errorf("%q becomes %q, and that %q", name, once, twice)
		}
		if strings.ContainsAny(once, "0123456789") {
			t.Errorf("%q keeps digits: %q", name, once)
		}
		if strings.Count(once, `\`) != strings.Count(name, `\`) {
			t.Errorf("%q has other segments than %q", once, name)
		}
	})
}

func ExampleNormalizeName() {
	fmt.Println(analysis.NormalizeName(`\REGISTRY\USER\S-1-5-21-36238-33610-303-1013\Software\App\Calibration\17`))
	// Output: \REGISTRY\USER\<sid>\Software\App\Calibration\<n>
}

func BenchmarkNormalizeName(b *testing.B) {
	const name = `\REGISTRY\USER\S-1-5-21-3623811015-3361044348-30300820-1013\Software\App\Calibration\17`
	b.SetBytes(int64(len(name)))
	b.ReportAllocs()
	for b.Loop() {
		analysis.NormalizeName(name)
	}
}
