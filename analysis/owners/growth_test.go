package owners

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompare(t *testing.T) {
	object := Owner{Kind: KindObject, Type: "Key", Module: "a", ModuleOffset: 0x3070, Address: 0x180003070, FieldOffset: 8, Width: 8, Handles: 700}
	global := Owner{Kind: KindGlobal, Type: "Key", Module: "a", ModuleOffset: 0x6000, Stride: 8, Instances: 100, Width: 8, Handles: 90}
	array := Owner{Kind: KindArray, Type: "Key", Address: 0x5000, Stride: 8, Width: 8, Handles: 90}
	record := Owner{Kind: KindRecord, Type: "Key", Constant: 0x5167, FieldOffset: 8, Width: 8, Handles: 90}
	memory := Owner{Kind: KindObject, Type: "Key", Address: 0x5000, FieldOffset: 8, Width: 8, Handles: 90}
	with := func(o Owner, change func(o *Owner)) Owner {
		change(&o)
		return o
	}
	for _, test := range []struct {
		name         string
		now, earlier Owner
		want         int
	}{
		{"the same class", object, with(object, func(o *Owner) { o.Handles = 250 }), 250},
		{"loaded elsewhere", object, with(object, func(o *Owner) { o.Address, o.Handles = 0x190003070, 250 }), 250},
		{"the start was not known", with(object, func(o *Owner) { o.FieldOffset, o.WordOffset, o.Start = 24, 16, true }), object, 700},
		{"another field", object, with(object, func(o *Owner) { o.FieldOffset = 16 }), 0},
		{"another class", object, with(object, func(o *Owner) { o.ModuleOffset = 0x3080 }), 0},
		{"another set", object, with(object, func(o *Owner) { o.Label = "1" }), 0},
		{"another type", object, with(object, func(o *Owner) { o.Type = "Event" }), 0},
		{"an address of its own", memory, with(memory, func(o *Owner) { o.Address = 0x5010 }), 0},
		{"the variable began with an empty cell", global, with(global, func(o *Owner) { o.ModuleOffset, o.Instances, o.Handles = 0x6008, 20, 15 }), 15},
		{"another variable", global, with(global, func(o *Owner) { o.ModuleOffset = 0x7000 }), 0},
		{"the array has moved", array, with(array, func(o *Owner) { o.Address, o.Handles = 0x9000, 30 }), 30},
		{"another array", array, with(array, func(o *Owner) { o.Stride = 16 }), 0},
		{"the same record", record, with(record, func(o *Owner) { o.Handles = 20 }), 20},
		{"another record", record, with(record, func(o *Owner) { o.Constant = 0x5168 }), 0},
	} {
		now := &Report{Owners: []Owner{test.now}}
		now.Compare(&Report{Owners: []Owner{test.earlier}})
		if got := now.Owners[0].Earlier; got == nil || *got != test.want {
			t.Errorf("%s: %v, want %d", test.name, got, test.want)
		}
	}
	var said []string
	for _, earlier := range []*int{nil, new(int), &object.Handles} {
		said = append(said, with(record, func(o *Owner) { o.Earlier = earlier }).growth("a.dmp"))
	}
	want := []string{"",
		"records with the number 0x5167 hold 90 of them, and in a.dmp held none that could be told from chance",
		"records with the number 0x5167 held 700 of them in a.dmp, now 90",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func (o Owner) growth(file string) string { return o.Growth(file) }
