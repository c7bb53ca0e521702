package minidump_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// openExample opens a dump that the package dumptest makes.
func openExample(d dumptest.Dump) *minidump.File {
	data := d.Bytes()
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	return f
}

func ExampleFile_Tokens() {
	f := openExample(dumptest.Dump{Tokens: &dumptest.TokenList{Tokens: []dumptest.Token{{
		ID: 3128, User: dumptest.Group{SID: "S-1-5-20"}, Privileges: []dumptest.Privilege{{LUID: 29, Attributes: 3}},
	}}}})
	tokens, err := f.Tokens()
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range tokens {
		fmt.Println(t.TokenID, t.TokenType, t.User.SID, t.User.SID.Name())
		for _, p := range t.Privileges {
			fmt.Println(p.LUID.PrivilegeName(), p.Attributes)
		}
	}
	// Output:
	// 3128 TokenPrimary S-1-5-20 NT AUTHORITY\NETWORK SERVICE
	// SeImpersonatePrivilege SE_PRIVILEGE_ENABLED_BY_DEFAULT|SE_PRIVILEGE_ENABLED
}

// Code that a JIT compiler made has its unwind data in the dump.
func ExampleFunctionTables_Find() {
	f := openExample(dumptest.Dump{FunctionTables: &dumptest.FunctionTables{Tables: []dumptest.FunctionTable{
		{Minimum: 0x7ff000010000, Maximum: 0x7ff000020000, Base: 0x7ff000000000, Entries: make([]byte, 3*12)},
	}}})
	tables, err := f.FunctionTables()
	if err != nil {
		log.Fatal(err)
	}
	t := tables.Find(0x7ff000012345)
	fmt.Println(t.BaseAddress, t.EntryCount, t.Entries.Size())
	fmt.Println(tables.Find(0x7ff000020000))
	// Output:
	// 0x7ff000000000 3 36
	// <nil>
}

func ExampleMemory_Reader() {
	f := openExample(dumptest.Dump{Memory: []dumptest.MemoryRange{{Start: 0x10000, Data: []byte("captured")}}})
	m, err := f.Memory()
	if err != nil {
		log.Fatal(err)
	}
	p, err := io.ReadAll(m.Reader(0x10000, 16))
	fmt.Printf("%s; %v, %v\n", p, err, errors.Is(err, minidump.ErrNotCaptured))
	// Output: captured; memory not captured in the dump: 0x10008, true
}

func ExampleFile_ModuleAt() {
	f := openExample(dumptest.Dump{Modules: []dumptest.Module{{Base: 0x400000, Size: 0x2000, Name: `C:\inetsrv\w3wp.exe`}}})
	m, err := f.ModuleAt(0x401234)
	fmt.Println(m.Name(), err)
	_, err = f.ModuleAt(0x10)
	fmt.Println(err)
	// Output:
	// w3wp <nil>
	// no module at this address: 0x10
}

func ExampleFile_CrashpadInfo() {
	f := openExample(dumptest.Dump{CrashpadInfo: &dumptest.CrashpadInfo{Annotations: []dumptest.Annotation{{Key: "prod", Value: "Electron"}}}})
	info, err := f.CrashpadInfo()
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range info.SimpleAnnotations {
		fmt.Println(a.Key, a.Value)
	}
	// Output: prod Electron
}
