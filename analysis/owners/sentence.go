package owners

import (
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// Sentence says where the handles are kept, without a full stop: "698 of 706
// Key handles sit at +0x8 of objects whose first word is MyCustomDll+0x3070".
// Names are as the dump has them.
func (o *Owner) Sentence() string {
	kind := words.Type(o.Type)
	if o.Label != "" {
		kind += " " + o.Label
	}
	return fmt.Sprintf("%s sit at %s %s", words.Of(o.Handles, o.Of, kind+" handle"), words.Offset(o.FieldOffset), o.place())
}

// Evidence says how sure that is, without a full stop.
func (o *Owner) Evidence() string {
	return fmt.Sprintf("by chance about %s to be expected; confidence %s", words.Decimal(o.ExpectedByChance), words.Confidence(o.Confidence))
}

func (o *Owner) place() string {
	place := words.InModule(o.Module, o.ModuleOffset)
	switch o.Target {
	case TargetVtable:
		if o.Class != "" {
			place += " (" + o.Class + ")"
		}
		return "of objects whose first word is " + place
	case TargetCode:
		return "behind a pointer to the code at " + place
	case TargetMemory:
		return fmt.Sprintf("of objects that begin with the address %s, outside all modules: a class of the CLR, or an object they share", o.Address)
	}
	return "behind a pointer to " + place
}
