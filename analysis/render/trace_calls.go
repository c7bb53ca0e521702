package render

import (
	"io"

	"github.com/dumpscan/dumpscan/analysis/symbol"
)

// A TraceCall is one frame of a stack with the call that led from it to the
// next inner frame.
type TraceCall struct {
	Return      symbol.Location // the return address
	Destination symbol.Location // where the call went; its Address is 0 if that is not known
	Note        string          // instead of the destination: the call as an instruction, or why it is not known
}

// TraceCalls writes the frames of a stack, the innermost first, as DebugDiag's
// leak report does: function, source line of the return address, and the
// function that was called there.
func TraceCalls(w io.Writer, calls []TraceCall, style Style) error {
	t := Table{Header: []string{"Function", "Source", "Destination"}, Style: style}
	for _, c := range calls {
		destination := c.Note
		if c.Destination.Address != 0 {
			destination = c.Destination.String()
		}
		t.Row(c.Return.String(), c.Return.Source(), destination)
	}
	return t.Write(w)
}
