package undecorate_test

import (
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/internal/undecorate"
)

func ExampleName() {
	fmt.Println(undecorate.Name("?push@?$Ring@H$07@store@@QEAAXH@Z"))
	fmt.Println(undecorate.Name("??_7Table@store@@6B@"))
	fmt.Println(undecorate.Name("_ZN5store5Table5closeEj"))
	fmt.Println(undecorate.Name("RegSetValueW"))
	// Output:
	// store::Ring<int,8>::push
	// store::Table::`vftable'
	// store::Table::close
	// RegSetValueW
}

func ExampleNameX86() {
	fmt.Println(undecorate.NameX86("_RegSetValueW@16"))
	// Output: RegSetValueW
}
