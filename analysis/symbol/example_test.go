package symbol_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

func ExampleNewResolver() {
	data := testApp().Bytes() // a dump of a program whose symbols lie in testdata
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := symbol.NewResolver(f, symbol.Options{SymbolPath: symStore})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	names, err := r.Resolve(context.Background(), []minidump.VA{0x40429e})
	if err != nil {
		fmt.Println(err)
		return
	}
	loc := names.At(0x40429e)
	fmt.Println(loc)
	fmt.Println(loc.Source(), loc.Trust)
	// Output:
	// test_app!`anonymous namespace'::CrashFunction()+0x2e
	// c:\src\test_app.cc:58 sym
}
