package render_test

import (
	"errors"
	"log"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/owners"
	"github.com/dumpscan/dumpscan/analysis/render"
)

func ownerReport() *render.OwnersReport {
	return &render.OwnersReport{
		Dump: render.DumpHeader{File: "w3wp.dmp", PointerSize: 8},
		Owners: &owners.Report{
			Sets: []owners.Set{{Type: "Key", Count: 700}, {Type: "", Count: 3}},
			Owners: []owners.Owner{{
				Type: "Key", Address: 0x7ff612343080, Module: "MyCustomDll", ModuleOffset: 0x3080,
				Target: owners.TargetVtable, Class: "ns::Settings", FieldOffset: 8,
				Handles: 698, Of: 700, Objects: 698, Instances: 1700, Empty: 1000,
				ExpectedByChance: 0.25, Confidence: 0.999994,
				Examples: []owners.Example{{Object: 0x1f0, Handle: 0x68}, {Object: 0x2f0, Handle: 0x6c}},
			}},
			Scan: owners.Scan{
				PointerSize: 8, MaxOffset: 256, Basis: owners.BasisMemoryInfo,
				Ranges: 1, Bytes: 1 << 20, Hits: 900, Examined: 40,
				Problems: []error{errors.New("cut off")},
			},
		},
		Errors: []string{"cut off"},
	}
}

func ExampleOwnersReport() {
	if err := ownerReport().Text(os.Stdout, render.Style{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 698 of 700 Key handles sit at +8 of objects whose first word is MyCustomDll+0x3080 (ns::Settings)
	//   class       ns::Settings
	//   objects     698 of 1,700; of the others, 1,000 empty; at 0x1f0, 0x2f0 ...
	//   by chance   about 0.25 to be expected; confidence 99.9994 %
	//
	// no owner found: None (3)
	// searched 1.0 MiB in 1 range: private and writable memory
}

func ExampleOwnersReport_JSON() {
	if err := ownerReport().JSON(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// {
	//   "schema": "dumpscan.owners/1",
	//   "dump": {"file":"w3wp.dmp","pointerSize":8},
	//   "owners": [
	//     {"type":"Key","module":"MyCustomDll","moduleOffset":"0x3080","address":"0x7ff612343080","target":"vtable","class":"ns::Settings","fieldOffset":8,"handles":698,"of":700,"objects":698,"instances":1700,"empty":1000,"expectedByChance":0.25,"confidence":0.999994,"examples":[{"object":"0x1f0","handle":"0x68"},{"object":"0x2f0","handle":"0x6c"}]}
	//   ],
	//   "sets": [
	//     {"type":"Key","count":700},
	//     {"type":"","count":3}
	//   ],
	//   "scan": {"pointerSize":8,"maxOffset":256,"basis":"memory info","ranges":1,"bytes":1048576,"hits":900,"examined":40},
	//   "notes": [],
	//   "errors": [
	//     "cut off"
	//   ]
	// }
}

func TestOwnerSentence(t *testing.T) {
	for _, test := range []struct {
		o    owners.Owner
		want string
	}{
		{owners.Owner{Target: owners.TargetCode, Module: "a", ModuleOffset: 16, FieldOffset: 8, Handles: 9, Of: 1000},
			"9 of 1,000 None handles sit at +8 behind a pointer to the code at a+0x10"},
		{owners.Owner{Type: "Key", Label: "\x1b[1m", Target: owners.TargetData, Module: "a", ModuleOffset: 16, FieldOffset: 8, Handles: 9, Of: 10},
			"9 of 10 Key <U+001B>[1m handles sit at +8 behind a pointer to a+0x10"},
		{owners.Owner{Type: "Event", Target: owners.TargetMemory, Address: 0x1f00, FieldOffset: 16, Handles: 9, Of: 10},
			"9 of 10 Event handles sit at +16 of objects that begin with the address 0x1f00, outside all modules: a class of the CLR, or an object they share"},
	} {
		if diff := cmp.Diff(test.want, render.OwnerSentence(&test.o)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestOwnersNothing(t *testing.T) {
	r := render.OwnersReport{Owners: &owners.Report{}}
	var b strings.Builder
	if err := r.Text(&b, render.Style{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("the dump has no such handles\n", b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.Reset()
	if err := r.JSON(&b); err != nil || strings.Contains(b.String(), "null") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
