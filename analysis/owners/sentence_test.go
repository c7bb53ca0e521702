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
		{Owner{Type: "Event", Target: TargetClass, Class: "Orders.Ticket", ClassModule: "orders.dll", FieldOffset: 16, Handles: 9, Of: 10},
			"9 of 10 Event handles sit at +0x10 of objects of Orders.Ticket (orders.dll)"},
		{Owner{Type: "Event", Target: TargetClass, Module: "mscorlib_ni", ModuleOffset: 0x80, Class: "Microsoft.Win32.SafeHandles.SafeWaitHandle", ClassModule: "mscorlib.dll",
			FieldOffset: 8, Handles: 9, Of: 10, Keeper: "Orders.Cache+Entry", KeeperModule: "orders.dll"},
			"9 of 10 Event handles sit at +0x8 of objects of Microsoft.Win32.SafeHandles.SafeWaitHandle (mscorlib.dll), kept by Orders.Cache+Entry (orders.dll)"},
		{Owner{Kind: KindObject, Type: "Event", Target: TargetData, Module: "a", ModuleOffset: 0xa090, FieldOffset: 24, WordOffset: 8, Start: true, Handles: 9, Of: 10},
			"9 of 10 Event handles sit at +0x18 of objects with a pointer to a+0xa090 at +0x8"},
		{Owner{Kind: KindObject, Type: "Event", Target: TargetData, Module: "a", ModuleOffset: 0xa090, FieldOffset: 24, Start: true, Handles: 9, Of: 10},
			"9 of 10 Event handles sit at +0x18 of objects whose first word points to a+0xa090"},
		{Owner{Kind: KindRecord, Type: "Event", Constant: 0x20626f6a, Text: "job ", FieldOffset: -12, Handles: 9, Of: 10},
			`9 of 10 Event handles sit 0xc before the text "job "`},
		{Owner{Kind: KindRecord, Type: "Event", Constant: 0x5167, FieldOffset: 8, Handles: 9, Of: 10},
			"9 of 10 Event handles sit 0x8 behind the number 0x5167"},
		{Owner{Kind: KindRecord, Type: "Event", Constant: 0x5167, FieldOffset: 24, WordOffset: 16, Start: true, Handles: 9, Of: 10},
			"9 of 10 Event handles sit at +0x18 of objects with the number 0x5167 at +0x10"},
		{Owner{Kind: KindRecord, Type: "Event", Constant: 0x5167, FieldOffset: 8, WordOffset: -8, Start: true, Handles: 9, Of: 10},
			"9 of 10 Event handles sit at +0x8 of blocks of the heap that follow the number 0x5167, as those of one size do"},
		{Owner{Kind: KindArray, Type: "Event", Address: 0x1f00, Stride: 8, Arrays: 1, Handles: 9, Of: 10},
			"9 of 10 Event handles stand in an array at 0x1f00, one every 8 bytes"},
		{Owner{Kind: KindArray, Type: "Event", Address: 0x1f00, Stride: 12, Arrays: 3, Handles: 9, Of: 10},
			"9 of 10 Event handles stand in 3 arrays, the first at 0x1f00, one every 12 bytes"},
		{Owner{Kind: KindGlobal, Type: "Event", Address: 0x1f00, Module: "a", ModuleOffset: 0xd040, Stride: 8, Arrays: 1, Handles: 9, Of: 10},
			"9 of 10 Event handles stand in an array in the variables of a, at a+0xd040, one every 8 bytes"},
		{Owner{Kind: KindGlobal, Type: "Event", Address: 0x1f00, Module: "a", ModuleOffset: 0xd040, Symbol: "a!jobs", Stride: 8, Arrays: 1, Handles: 9, Of: 10},
			"9 of 10 Event handles stand in the variable a!jobs, one every 8 bytes"},
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

func TestOwnerName(t *testing.T) {
	for want, o := range map[string]Owner{
		"Orders.Cache+Entry (orders.dll)": {Class: "System.SafeHandle", ClassModule: "mscorlib.dll", Keeper: "Orders.Cache+Entry", KeeperModule: "orders.dll"},
		"Orders.Ticket (orders.dll)":      {Class: "Orders.Ticket", ClassModule: "orders.dll"},
		"ns::Task":                        {Class: "ns::Task", Symbol: "a!vtable", Module: "a"},
		"a!jobs":                          {Symbol: "a!jobs", Module: "a"},
		"a+0x10":                          {Module: "a", ModuleOffset: 16},
		"the array at 0x1f00":             {Kind: KindArray, Address: 0x1f00},
		"objects of 0x1f00":               {Kind: KindObject, Address: 0x1f00},
		`records with the text "job "`:    {Kind: KindRecord, Constant: 0x20626f6a, Text: "job "},
	} {
		if got := o.Name(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestReferrerSentence(t *testing.T) {
	for want, r := range map[string]Referrer{
		"a pointer at +0x8 of the objects themselves leads to 99 of 1,000 that were followed": {Kind: ReferrerLink, Offset: 8, Objects: 99, Of: 1000},
		"the variable a!jobs leads to 9 of 10 that were followed":                             {Kind: ReferrerGlobal, Module: "a", ModuleOffset: 0xd040, Symbol: "a!jobs", Objects: 9, Of: 10},
		"the variable a+0xd040 leads to 9 of 10 that were followed":                           {Kind: ReferrerGlobal, Module: "a", ModuleOffset: 0xd040, Objects: 9, Of: 10},
		"an array of pointers at 0x1f00 leads to 9 of 10 that were followed":                  {Kind: ReferrerArray, Address: 0x1f00, Objects: 9, Of: 10},
		"a pointer at +0x10 of objects of Orders.Cache+Entry (orders.dll) leads to 9 of 10 that were followed": {
			Kind: ReferrerObject, Class: "Orders.Cache+Entry", ClassModule: "orders.dll", Address: 0x1f00, Offset: 16, Objects: 9, Of: 10},
		"Orders.Ticket[] (orders.dll) at 0x1f00 leads to 9 of 10 that were followed": {
			Kind: ReferrerArray, Class: "Orders.Ticket[]", ClassModule: "orders.dll", Address: 0x1f00, Objects: 9, Of: 10},
		"pointers elsewhere, the first at 0x1f00, lead to 9 of 10 that were followed": {Kind: ReferrerMemory, Address: 0x1f00, Objects: 9, Of: 10},
	} {
		if got := r.Sentence(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestUnheldSentence(t *testing.T) {
	for _, test := range []struct {
		u              Unheld
		text, sentence string
	}{
		{Unheld{Type: "Token", Handles: 362, Of: 362}, "Token (362)",
			"no structure in memory holds 362 of 362 Token handles: what opens them drops them, or keeps each in a variable of its own"},
		{Unheld{Type: "Event", Handles: 8, Of: 42}, "Event (8 of 42)", ""},
		{Unheld{Type: "", Handles: 3, Of: 3}, "None (3)", ""},
	} {
		if test.u.String() != test.text || test.u.Sentence() != test.sentence {
			t.Errorf("%q, %q", test.u.String(), test.u.Sentence())
		}
	}
}
