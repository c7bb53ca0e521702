package pdb_test

import (
	"fmt"
	"log"

	"github.com/dumpscan/dumpscan/analysis/internal/pdb"
)

func Example() {
	f, err := pdb.Open("../../../testdata/symbols/pdb/handles64.pdb")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	fmt.Println(f.GUID, f.Age)
	sym, ok, err := f.Lookup(0x137e)
	if err != nil || !ok {
		log.Fatal(ok, err)
	}
	fmt.Printf("%s+%#x (%s:%d)\n", sym.Name, sym.Displacement, sym.File, sym.Line)
	for _, call := range sym.Inlined {
		fmt.Printf("inlined: %s (%s:%d)\n", call.Function, call.File, call.Line)
	}
	// Output:
	// 0AD1C1DB-577D-845C-4C4C-44205044422E 1
	// entry+0xae (/src/main.cpp:32)
	// inlined: store::Ring<int,8>::push (/src/./handles.h:20)
	// inlined: fill (/src/main.cpp:20)
}
