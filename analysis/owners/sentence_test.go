package owners

import "testing"

func TestSentence(t *testing.T) {
	for _, test := range []struct {
		o    Owner
		want string
	}{
		{Owner{Type: "Key", Target: TargetVtable, Module: "a", ModuleOffset: 0x3070, FieldOffset: 8, Handles: 698, Of: 1706},
			"698 of 1,706 Key handles sit at +0x8 of objects whose first word is a+0x3070"},
		{Owner{Type: "Key", Target: TargetVtable, Module: "a", ModuleOffset: 0x3070, Class: "ns::Task", FieldOffset: 24, Handles: 9, Of: 10},
			"9 of 10 Key handles sit at +0x18 of objects whose first word is a+0x3070 (ns::Task)"},
		{Owner{Target: TargetCode, Module: "a", ModuleOffset: 16, FieldOffset: 8, Handles: 9, Of: 1000},
			"9 of 1,000 None handles sit at +0x8 behind a pointer to the code at a+0x10"},
		{Owner{Type: "Key", Label: "low", Target: TargetData, Module: "a", ModuleOffset: 16, FieldOffset: 8, Handles: 9, Of: 10},
			"9 of 10 Key low handles sit at +0x8 behind a pointer to a+0x10"},
		{Owner{Type: "Key", Target: TargetModule, Module: "a", ModuleOffset: 16, FieldOffset: 8, Handles: 9, Of: 10},
			"9 of 10 Key handles sit at +0x8 behind a pointer to a+0x10"},
		{Owner{Type: "Event", Target: TargetMemory, Address: 0x1f00, FieldOffset: 16, Handles: 9, Of: 10},
			"9 of 10 Event handles sit at +0x10 of objects that begin with the address 0x1f00, outside all modules: it may be a class of the CLR, or an object they share"},
	} {
		if got := test.o.Sentence(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
	o := Owner{ExpectedByChance: 1.37, Confidence: 0.999997}
	if got, want := o.Evidence(), "by chance about 1.4 to be expected; confidence 99.9997 %"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
