package words_test

import (
	"fmt"
	"time"

	"github.com/dumpscan/dumpscan/analysis/words"
)

func Example() {
	fmt.Printf("%s (%s) are %s\n", words.Of(64_880, 65_602, "handle"), words.Share(64_880, 65_602), words.Kind("Key", ""))
	fmt.Printf("%s in %s: %s\n", words.Growth(40_000), words.Duration(400*24*time.Hour), words.Rate(4.17, time.Hour))
	fmt.Printf("next: %s\n", words.Command("dumpscan", "handles", "my dump.dmp", "0", "ff", "Key"))
	// Output:
	// 64,880 of 65,602 handles (98.9 %) are Key without name
	// +40,000 in 1 year 35 d: 4.2 an hour
	// next: dumpscan handles 'my dump.dmp' 0 ff Key
}

func ExampleShare() {
	fmt.Println(words.Share(2, 3))
	fmt.Println(words.Share(99_999, 100_000))
	fmt.Println(words.Share(1, 100_000))
	// Output:
	// 66.7 %
	// over 99.9 %
	// under 0.1 %
}

func ExampleConfidence() {
	fmt.Println(words.Confidence(0.95))
	fmt.Println(words.Confidence(0.999997))
	fmt.Println(words.Confidence(1))
	// Output:
	// 95.0 %
	// 99.9997 %
	// over 99.9999 %
}

func ExamplePlural() {
	fmt.Println(words.Plural(1, "entry"))
	fmt.Println(words.Plural(1234, "entry"))
	// Output:
	// 1 entry
	// 1,234 entries
}

func ExampleEscape() {
	fmt.Println(words.Escape("\u202egpj.exe\x1b[2J"))
	// Output: <U+202E>gpj.exe<U+001B>[2J
}

func ExampleShellQuote() {
	fmt.Println(words.ShellQuote("w3wp.dmp"))
	fmt.Println(words.ShellQuote("it's.dmp"))
	fmt.Println(words.ShellQuote("two\nlines.dmp"))
	// Output:
	// w3wp.dmp
	// 'it'\''s.dmp'
	// $'two\nlines.dmp'
}

func ExampleBytes() {
	fmt.Println(words.Bytes(823), words.Bytes(3<<29))
	// Output: 823 B 1.5 GiB
}

func ExampleInModule() {
	fmt.Println(words.InModule("MyCustomDll", 0x3070))
	// Output: MyCustomDll+0x3070
}
