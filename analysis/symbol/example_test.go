package symbol_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

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

func ExampleSession_Inspect() {
	data := testApp().Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := symbol.NewResolver(f, symbol.Options{SymbolPath: symStore})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	modules, err := s.Inspect(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range modules {
		fmt.Println(m.Module.Name(), m.Trust, filepath.Base(m.Where))
	}
	// Output: test_app sym test_app.sym
}

func ExampleSession_Manifest() {
	data := testApp().Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := symbol.NewResolver(f, symbol.Options{SymbolPath: "srv*https://symbols.example", Offline: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	files, err := s.Manifest(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, file := range files {
		fmt.Println(file.URLs[0])
	}
	// Output:
	// https://symbols.example/test_app.pdb/5A9832E5287241C1838ED98914E9B7FF1/test_app.pdb
	// https://symbols.example/test_app.exe/45D35F6C2d000/test_app.exe
}

func ExampleNames_At() {
	names := symbol.Names{
		0x180001543: {Address: 0x180001543, Module: "MyCustomDll", Offset: 0x1543, Function: "OpenClassesKey", Displacement: 0x46},
	}
	fmt.Println(names.At(0x180001543))
	fmt.Println(names.At(0x42))
	// Output:
	// MyCustomDll!OpenClassesKey+0x46
	// 0x42
}

func ExampleMissingFolders() {
	fmt.Println(symbol.MissingFolders(".;/no/such/symbols;srv*/no/such/cache*https://symbols.example"))
	// Output: [/no/such/symbols]
}
