package owners

import (
	"context"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// name takes the names of the places in modules from symbols. The error is
// that of ctx.
func name(ctx context.Context, owners []Owner, symbols symbol.Resolver, pointerSize int) error {
	var places []minidump.VA
	for i := range owners {
		o := &owners[i]
		if o.Module != "" {
			places = append(places, o.Address)
		}
		for _, r := range o.Referrers {
			if r.Module != "" {
				places = append(places, r.Address)
			}
		}
	}
	names, err := symbols.Resolve(ctx, places)
	if err != nil {
		return err
	}
	for i := range owners {
		o := &owners[i]
		if o.Module != "" {
			o.named(names.At(o.Address), pointerSize)
		}
		for j := range o.Referrers {
			if r := &o.Referrers[j]; r.Module != "" {
				r.Symbol = variable(names.At(r.Address))
			}
		}
	}
	return nil
}

// vtableFor begins the name of a vtable by the C++ ABI of Itanium.
const vtableFor = "vtable for "

// variable is what symbols call a place in the variables of a module. The
// nearest export below says nothing.
func variable(l symbol.Location) string {
	if l.Function == "" || l.Trust == symbol.TrustExport {
		return ""
	}
	l.File, l.Displacement = "", 0
	return l.String()
}

// named sets what a symbol says of the place. Of data only the symbol that
// begins there means anything, and the nearest export never does.
func (o *Owner) named(l symbol.Location, pointerSize int) {
	if o.Kind == KindGlobal {
		if o.Symbol = variable(l); o.Symbol != "" {
			o.FieldOffset = int(l.Displacement % uint64(o.Stride)) // in the cell
		}
		return
	}
	if class, ok := strings.CutPrefix(l.Function, vtableFor); ok && l.Displacement == 2*uint64(pointerSize) {
		// An object of GCC or Clang points behind the first two words of it.
		o.Class, l.Displacement = class, 0
	}
	if l.Function == "" || l.Trust == symbol.TrustExport || l.Displacement > 0 && o.Target != TargetCode {
		return
	}
	o.Symbol = l.String()
	if class, _, ok := strings.Cut(l.Function, "::`vftable'"); ok && o.Class == "" {
		o.Class = strings.TrimPrefix(class, "const ")
	}
}
