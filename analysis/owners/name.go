package owners

import (
	"context"
	"strings"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// name takes the names of the places in modules from symbols. The error is
// that of ctx.
func name(ctx context.Context, owners []Owner, symbols symbol.Resolver) error {
	var places []minidump.VA
	for i := range owners {
		if owners[i].Module != "" {
			places = append(places, owners[i].Address)
		}
	}
	names, err := symbols.Resolve(ctx, places)
	if err != nil {
		return err
	}
	for i := range owners {
		owners[i].named(names.At(owners[i].Address))
	}
	return nil
}

// named sets what a symbol says of the place. Of data only the symbol that
// begins there means anything, and the nearest export never does.
func (o *Owner) named(l symbol.Location) {
	if l.Function == "" || l.Trust == symbol.TrustExport || l.Displacement > 0 && o.Target != TargetCode {
		return
	}
	o.Symbol = l.String()
	if class, _, ok := strings.Cut(l.Function, "::`vftable'"); ok && o.Class == "" {
		o.Class = strings.TrimPrefix(class, "const ")
	}
}
