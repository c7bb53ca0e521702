package analysis

import (
	"slices"
	"sync"
)

// Problems collects what could not be read of all inputs of an answer: a line for
// each kind of problem of a file, however often and by whomever it is met.
// Streams are read more than once, some in part: what is met again does not
// count again. It is safe for concurrent use; nil has no problems.
type Problems struct {
	mu   sync.Mutex
	list []*fileProblem
}

// A fileProblem is the problems of one kind in a file.
type fileProblem struct {
	file, kind string
	problem    Problem
	singles    []string // the texts of those that were met one by one
	most       uint64   // how many one reading met
}

// Add adds what an error says of a file, whose name stands before it in the
// lines unless it is "".
func (p *Problems) Add(file string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, problem := range Flatten(err) {
		p.add(file, problem)
	}
}

func (p *Problems) add(file string, problem Problem) {
	kind := kindOf(problem.First)
	i := slices.IndexFunc(p.list, func(o *fileProblem) bool { return o.file == file && o.kind == kind })
	if i < 0 {
		i = len(p.list)
		p.list = append(p.list, &fileProblem{file: file, kind: kind, problem: problem})
	}
	o := p.list[i]
	if text := problem.First.Error(); problem.Count > 1 {
		if problem.Count > o.problem.Count { // of which the reading before saw a part
			o.problem.First = problem.First
		}
		o.most = max(o.most, problem.Count)
	} else if !slices.Contains(o.singles, text) && len(o.singles) < maxSingles {
		o.singles = append(o.singles, text)
	}
	// What one reading has counted includes what others met one by one.
	o.problem.Count = max(o.most, uint64(len(o.singles)))
	o.problem.Mixed = o.problem.Mixed || problem.Mixed
}

// maxSingles is how many problems of a kind are kept apart that are met one by
// one, such as those of threads, of which there are not more.
const maxSingles = 1 << 12

// Len is the number of lines.
func (p *Problems) Len() int { return len(p.Lines()) }

// Lines returns a line for each kind of problem in the order in which they were
// met. They may have text of the dump.
func (p *Problems) Lines() []string {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var lines []string
	for _, o := range p.list {
		line := o.problem.String()
		if o.file != "" {
			line = o.file + ": " + line
		}
		lines = append(lines, line)
	}
	return lines
}
