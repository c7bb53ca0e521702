package render

import (
	"bufio"
	"path"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// pprof writes the operations as a gzipped profile.proto, which
// "go tool pprof" and compatible tools read. The sample types are open (opens
// that were not closed, the default), opened, closed and badref. Outstanding
// opens carry the labels type, name, thread and handle; all others, summed up
// by stack, the thread. With an earlier dump the operations are the new ones.
func (r *TraceReport) pprof(w *bufio.Writer) error {
	b := &profileBuilder{
		facts:     r.facts,
		locations: map[minidump.VA]*profile.Location{},
		functions: map[[2]string]*profile.Function{},
		mappings:  map[*minidump.Module]*profile.Mapping{},
	}
	b.profile.DefaultSampleType = "open"
	for _, name := range []string{"open", "opened", "closed", "badref"} {
		b.profile.SampleType = append(b.profile.SampleType, &profile.ValueType{Type: name, Unit: "count"})
	}
	if t, err := time.Parse(time.RFC3339, r.Dump.Time); err == nil {
		b.profile.TimeNanos = t.UnixNano()
	}
	b.profile.DurationNanos = int64(r.facts.Window)
	b.outstanding()
	b.others()
	if err := b.profile.CheckValid(); err != nil {
		return err
	}
	return b.profile.Write(w)
}

type profileBuilder struct {
	facts     *TraceFacts
	profile   profile.Profile
	locations map[minidump.VA]*profile.Location
	functions map[[2]string]*profile.Function // by name and file
	mappings  map[*minidump.Module]*profile.Mapping
}

// outstanding adds a sample for each open that was not closed.
func (b *profileBuilder) outstanding() {
	r := b.facts
	for i := range r.Diff.Outstanding {
		o := &r.Diff.Outstanding[i]
		labels := map[string][]string{
			"handle": {words.Hex(o.Handle)},
			"thread": {r.Trace.ThreadLabel(o.ThreadID, o.ProcessID)},
		}
		if o.Object.Type != "" {
			labels["type"] = []string{words.Escape(o.Object.Type)}
		}
		if o.Object.Name != "" {
			labels["name"] = []string{words.Escape(o.Object.Name)}
		}
		b.sample(o.Stack, labels, 1, 1, 0, 0)
	}
}

// others adds the operations that are no outstanding opens.
func (b *profileBuilder) others() {
	r := b.facts
	type site struct {
		stack           int
		process, thread uint32
	}
	open := map[site]int{}
	for i := range r.Diff.Outstanding {
		o := &r.Diff.Outstanding[i]
		open[site{o.Stack, o.ProcessID, o.ThreadID}]++
	}
	for _, s := range r.Trace.Sites(r.Trace.Len() - r.Diff.New) {
		labels := map[string][]string{"thread": {r.Trace.ThreadLabel(s.ThreadID, s.ProcessID)}}
		n := int64(s.Count)
		switch s.OperationType {
		case minidump.OperationOpen:
			if n -= int64(open[site{s.Stack, s.ProcessID, s.ThreadID}]); n > 0 {
				b.sample(s.Stack, labels, 0, n, 0, 0)
			}
		case minidump.OperationClose:
			b.sample(s.Stack, labels, 0, 0, n, 0)
		case minidump.OperationBadRef:
			b.sample(s.Stack, labels, 0, 0, 0, n)
		}
	}
}

func (b *profileBuilder) sample(stack int, labels map[string][]string, values ...int64) {
	s := &profile.Sample{Value: values, Label: labels}
	for _, addr := range b.facts.Trace.Frames(stack) {
		s.Location = append(s.Location, b.location(addr))
	}
	b.profile.Sample = append(b.profile.Sample, s)
}

func (b *profileBuilder) location(addr minidump.VA) *profile.Location {
	if l, ok := b.locations[addr]; ok {
		return l
	}
	named := b.facts.Names.At(addr)
	l := &profile.Location{ID: uint64(len(b.locations) + 1), Address: uint64(addr), Mapping: b.mapping(addr)}
	for _, in := range named.Inlined {
		l.Line = append(l.Line, b.line(named.Module+"!"+in.Function, in.File, in.Line))
	}
	l.Line = append(l.Line, b.line(htrace.FunctionName(named), named.File, named.Line))
	b.locations[addr] = l
	b.profile.Location = append(b.profile.Location, l)
	return l
}

func (b *profileBuilder) line(name, file string, line int) profile.Line {
	name, file = words.Escape(name), words.Escape(file)
	key := [2]string{name, file}
	f, ok := b.functions[key]
	if !ok {
		f = &profile.Function{ID: uint64(len(b.functions) + 1), Name: name, SystemName: name, Filename: file}
		b.functions[key] = f
		b.profile.Function = append(b.profile.Function, f)
	}
	return profile.Line{Function: f, Line: int64(line)}
}

// mapping is the module at an address; nil if there is none.
func (b *profileBuilder) mapping(addr minidump.VA) *profile.Mapping {
	m, ok := b.facts.System.Find(addr)
	if !ok {
		return nil
	}
	if known, ok := b.mappings[m]; ok {
		return known
	}
	mapping := &profile.Mapping{
		ID: uint64(len(b.mappings) + 1), Start: uint64(m.BaseOfImage), Limit: uint64(m.End()),
		File: words.Escape(m.ModuleName), BuildID: m.CvRecord.Key(),
		HasFunctions: true, HasFilenames: true, HasLineNumbers: true, HasInlineFrames: true,
	}
	mapping.File = path.Clean(strings.ReplaceAll(mapping.File, `\`, "/"))
	b.mappings[m] = mapping
	b.profile.Mapping = append(b.profile.Mapping, mapping)
	return mapping
}
