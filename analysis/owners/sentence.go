package owners

import (
	"cmp"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// Sentence says where the handles are kept, without a full stop: "698 of 706
// Key handles sit at +0x8 of objects whose first word is MyCustomDll+0x3070".
// Names are as the dump has them.
func (o *Owner) Sentence() string {
	handles := words.Of(o.Handles, o.Of, kindOf(o.Type, o.Label)+" handle")
	switch o.Kind {
	case KindArray, KindGlobal:
		return fmt.Sprintf("%s stand in %s, one every %s", handles, o.array(), words.Plural(o.Stride, "byte"))
	case KindRecord:
		return handles + " sit " + o.record()
	}
	sentence := fmt.Sprintf("%s sit at %s %s", handles, words.Offset(o.FieldOffset), o.place())
	if o.Keeper != "" {
		sentence += ", kept by " + inFile(o.Keeper, o.KeeperModule)
	}
	return sentence
}

// inFile names a class of the CLR and the file it is in.
func inFile(class, module string) string { return class + " (" + module + ")" }

// Evidence says how sure that is, without a full stop.
func (o *Owner) Evidence() string {
	return fmt.Sprintf("by chance about %s to be expected; confidence %s", words.Decimal(o.ExpectedByChance), words.Confidence(o.Confidence))
}

// Name is what the holder is called in a sentence about something else: what
// keeps it, its class, its symbol, or where it is: "Orders.Cache+Entry
// (orders.dll)", "ns::Settings", "MyCustomDll+0x3070".
func (o *Owner) Name() string {
	switch {
	case o.Keeper != "":
		return inFile(o.Keeper, o.KeeperModule)
	case o.ClassModule != "":
		return inFile(o.Class, o.ClassModule)
	case o.Class != "":
		return o.Class
	case o.Symbol != "":
		return o.Symbol
	case o.Kind == KindRecord:
		return "records with " + o.constant()
	case o.Module != "":
		return words.InModule(o.Module, o.ModuleOffset)
	case o.Kind == KindArray:
		return "the array at " + o.Address.String()
	}
	return "objects of " + o.Address.String()
}

func kindOf(typeName, label string) string {
	kind := words.Type(typeName)
	if label != "" {
		kind += " " + label
	}
	return kind
}

func (o *Owner) place() string {
	if o.Target == TargetClass {
		return "of objects of " + inFile(o.Class, o.ClassModule)
	}
	place := words.InModule(o.Module, o.ModuleOffset)
	if o.WordOffset != 0 {
		if o.Target == TargetMemory {
			return fmt.Sprintf("of objects with the address %s at %s, outside all modules: it may be a class of the CLR, or an object they share", o.Address, words.Offset(o.WordOffset))
		}
		return fmt.Sprintf("of objects with a pointer to %s at %s", place, words.Offset(o.WordOffset))
	}
	switch {
	case o.Target == TargetVtable:
		if o.Class != "" {
			place += " (" + o.Class + ")"
		}
		return "of objects whose first word is " + place
	case o.Target == TargetMemory:
		return fmt.Sprintf("of objects that begin with the address %s, outside all modules: it may be a class of the CLR, or an object they share", o.Address)
	case o.Start:
		return "of objects whose first word points to " + place
	case o.Target == TargetCode:
		return "behind a pointer to the code at " + place
	}
	return "behind a pointer to " + place
}

func (o *Owner) array() string {
	if o.Arrays > 1 {
		first := o.Address.String()
		if o.Kind == KindGlobal {
			first = cmp.Or(o.Symbol, words.InModule(o.Module, o.ModuleOffset))
		}
		return fmt.Sprintf("%s, the first at %s", words.Plural(o.Arrays, "array"), first)
	}
	if o.Kind == KindArray {
		return "an array at " + o.Address.String()
	}
	if o.Symbol != "" {
		return "the variable " + o.Symbol
	}
	return "an array in the variables of " + o.Module + ", at " + words.InModule(o.Module, o.ModuleOffset)
}

func (o *Owner) record() string {
	switch {
	case o.Start && o.WordOffset < 0:
		return fmt.Sprintf("at %s of blocks of the heap that follow %s, as those of one size do", words.Offset(o.FieldOffset), o.constant())
	case o.Start:
		return fmt.Sprintf("at %s of objects with %s at %s", words.Offset(o.FieldOffset), o.constant(), words.Offset(o.WordOffset))
	case o.FieldOffset < 0:
		return fmt.Sprintf("%s before %s", words.Hex(-o.FieldOffset), o.constant())
	}
	return fmt.Sprintf("%s behind %s", words.Hex(o.FieldOffset), o.constant())
}

func (o *Owner) constant() string {
	if o.Text != "" {
		return fmt.Sprintf("the text %q", o.Text)
	}
	return "the number " + words.Hex(o.Constant)
}

// Sentence says where pointers to an owner stand, without a full stop:
// "l06_plain!jobs leads to 512 of 512 that were followed".
func (r *Referrer) Sentence() string {
	count := fmt.Sprintf("%s of %s that were followed", words.Count(r.Objects), words.Count(r.Of))
	switch r.Kind {
	case ReferrerLink:
		return fmt.Sprintf("a pointer at %s of the objects themselves leads to %s", words.Offset(r.Offset), count)
	case ReferrerObject:
		return fmt.Sprintf("a pointer at %s of objects of %s leads to %s", words.Offset(r.Offset), inFile(r.Class, r.ClassModule), count)
	case ReferrerArray:
		if r.Class != "" {
			return fmt.Sprintf("%s at %s leads to %s", inFile(r.Class, r.ClassModule), r.Address, count)
		}
		return fmt.Sprintf("an array of pointers at %s leads to %s", r.Address, count)
	case ReferrerMemory:
		return fmt.Sprintf("pointers elsewhere, the first at %s, lead to %s", r.Address, count)
	}
	place := words.InModule(r.Module, r.ModuleOffset)
	if r.Symbol != "" {
		place = r.Symbol
	}
	return fmt.Sprintf("the variable %s leads to %s", place, count)
}
