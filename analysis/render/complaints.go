package render

import "github.com/dumpscan/dumpscan/analysis"

// Complaints are the part of an answer that says what could not be read of the
// inputs: in JSON a list of sentences, one for each kind of problem.
type Complaints struct {
	Errors *analysis.Problems `json:"errors"` // nil: none
}

// Complain sets the list. What is added to it while the report is written is
// written, too.
func (c *Complaints) Complain(p *analysis.Problems) { c.Errors = p }

// A Complainer is a report with errors. All have them but those that are no
// answer about a dump, such as a baseline.
type Complainer interface {
	Report
	Complain(*analysis.Problems)
}
