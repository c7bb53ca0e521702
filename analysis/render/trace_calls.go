package render

import (
	"bufio"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/unwind"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// A CallReport is the answer of "dumpscan htrace --calls": the frames of a
// stack, the innermost first, each with the call that led from it to the next
// inner frame, as DebugDiag's leak report has them.
type CallReport struct {
	Dump  DumpHeader `json:"dump"`
	Stack string     `json:"stack"` // whose stack it is, in words
	Calls []CallRow  `json:"calls"`
	Notes []string   `json:"notes"`
	Complaints
}

// A CallRow is one frame of a stack.
type CallRow struct {
	Frame
	Destination *Frame `json:"destination,omitempty"`
	Note        string `json:"note,omitempty"`
}

// NewCallReport makes a report of the calls of a stack.
func NewCallReport(dump DumpHeader, stack string, calls []unwind.Call) *CallReport {
	r := &CallReport{Dump: dump, Stack: stack}
	for _, c := range calls {
		row := CallRow{Frame: newFrame(c.Return), Note: c.Note}
		if c.Destination.Address != 0 {
			to := newFrame(c.Destination)
			row.Destination = &to
		}
		r.Calls = append(r.Calls, row)
	}
	return r
}

func (r *CallReport) schema() string { return "dumpscan.htrace.calls/2" }

func (r *CallReport) text(b *bufio.Writer, style Style) error {
	if style.Terminal {
		fmt.Fprintln(b, r.Stack)
	}
	t := Table{Header: []string{"Function", "Source", "Destination"}, Style: style}
	for i := range r.Calls {
		c := &r.Calls[i]
		t.Row(c.Frame.name(), c.Frame.at.Source(), c.destination())
	}
	return t.Write(b)
}

func (r *CallReport) csv(b *bufio.Writer) error {
	return writeCSV(b, []string{"function", "source", "destination"}, func(row func(...string)) {
		for i := range r.Calls {
			c := &r.Calls[i]
			row(words.CSVCell(c.Frame.name()), words.CSVCell(c.Frame.at.Source()), words.CSVCell(c.destination()))
		}
	})
}

// destination is where the call went, or why that is not known.
func (c *CallRow) destination() string {
	if c.Destination == nil {
		return "? (" + c.Note + ")"
	}
	return c.Destination.name()
}
