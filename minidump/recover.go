package minidump

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A RecoveredStream is a stream that [Recover] has found by its shape, because
// the directory does not list it.
type RecoveredStream struct {
	DirectoryEntry
	// References are the references that hold: names that are text, registers
	// that are those of a processor, addresses and ids that other streams have,
	// streams that begin where this one ends. Of a long list they are estimated
	// from a sample.
	References int
	// Rivals are other places of the file that look like a stream of the type and
	// have no more references.
	Rivals int
}

// Recover is [NewFile] for a dump whose header or directory is gone or damaged.
// It reads the file once from its beginning to its end, looks for what has the
// shape of a stream, and believes that which other parts of the file confirm.
// These types are found: SystemInfo, MiscInfo, ThreadList, ThreadInfoList,
// ThreadNames, ModuleList, UnloadedModuleList, MemoryList, Memory64List,
// MemoryInfoList, HandleData, HandleOperationList and Exception.
//
// Entries of the directory that lead to what they say are kept. If that is all
// there is, the result is that of NewFile and [File.Recovered] returns nothing.
// Otherwise the error of [File.Directory] says that the directory is damaged. A
// header without its signature is not believed, and all of it is zero.
//
// The memory needed does not depend on the size of the file. An error is that of
// ctx, or that of NewFile if no stream was found.
func Recover(ctx context.Context, r io.ReaderAt, size int64) (*File, error) {
	f, cause := NewFile(r, size)
	if f == nil {
		f = unsigned(r, size)
	}
	p := newProber(ctx, f)
	p.scan()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d := p.trust()
	if cause != nil && d.good == 0 { // neither the header nor what it leads to
		p.f = &File{r: r, size: size, taken: map[StreamType]int{}}
		f, d = p.f, directory{}
	}
	found := p.settle(&d)
	if cause != nil && d.good == 0 && p.begin > 0 && !slices.ContainsFunc(found, func(s RecoveredStream) bool { return pointing[s.StreamType] }) {
		// Something may stand before the dump.
		if f, err := p.behind(ctx); err == nil && len(f.dir) > len(found) {
			return f, nil
		}
	}
	switch {
	case len(found) > 0, cause != nil && d.good > 0:
		f.rebuild(d, found, cause)
	case cause != nil:
		return nil, fmt.Errorf("%w, and nothing in it has the shape of a stream", cause)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return f, nil
}

// pointing are the types that can hardly be found unless offsets count from
// where they are thought to.
var pointing = map[StreamType]bool{SystemInfoStream: true, ModuleListStream: true, HandleDataStream: true, ThreadListStream: true}

// plausible is how many streams a dump may have; there are some twenty types.
const plausible = 1 << 10

// unsigned reads a header that is damaged, as far as it may still lead to the
// directory.
func unsigned(r io.ReaderAt, size int64) *File {
	f := &File{r: r, size: size, taken: map[StreamType]int{}}
	f.readHeader(f.load(UnusedStream, 4, headerSize-4))
	if f.NumberOfStreams <= plausible {
		f.readDirectory()
	}
	return f
}

// behind recovers a dump that begins in the middle of the file.
func (p *prober) behind(ctx context.Context) (*File, error) {
	off := p.begin
	f, err := Recover(ctx, io.NewSectionReader(p.f.r, off, p.f.size-off), p.f.size-off)
	if err != nil {
		return nil, err
	}
	f.dirErr = JoinErrors(formatErrorf(UnusedStream, 0, "the dump begins at file offset %#x only; all offsets count from there", off), f.dirErr)
	return f, nil
}

// rebuild makes the directory of what was kept of it and what was found.
func (f *File) rebuild(d directory, found []RecoveredStream, cause error) {
	if cause == nil {
		cause = f.damage(d.kept)
	}
	f.dir = d.kept
	for _, s := range found {
		f.dir = append(f.dir, s.DirectoryEntry)
	}
	f.taken = map[StreamType]int{}
	for i := range f.dir {
		f.take(i)
	}
	f.recovered = found
	f.rebuilt = true
	msg := "the header is damaged; its directory is whole"
	if len(found) > 0 {
		msg = fmt.Sprintf("the directory is damaged; %d streams were recovered by their shapes, those of other types are lost", len(found))
		if len(found) == 1 {
			msg = "the directory is damaged; one stream was recovered by its shape, those of other types are lost"
		}
	}
	f.dirErr = &FormatError{Stream: UnusedStream, Off: int64(f.StreamDirectoryRVA), Err: cause, Msg: msg}
	f.readArchitecture()
}

// damage says what is wrong with the directory.
func (f *File) damage(kept []DirectoryEntry) error {
	switch {
	case f.dirErr != nil:
		return f.dirErr
	case len(f.dir) == 0:
		return errors.New("it lists no stream")
	}
	for _, d := range f.dir {
		if slices.Contains(kept, d) {
			continue
		}
		if err := f.unusable(d); err != nil {
			return err
		}
		return formatErrorf(d.StreamType, int64(d.RVA), "there is no such stream")
	}
	return errors.New("it does not list all of them")
}

// Recovered returns the streams that [Recover] has found and that the directory
// does not list, in the order of the file. It is empty for a file of [NewFile],
// and for one whose directory is whole.
func (f *File) Recovered() []RecoveredStream { return slices.Clone(f.recovered) }

// A directory is what is to be thought of that of the file.
type directory struct {
	kept     []DirectoryEntry // leads to what it says, or to what cannot be checked
	doubtful []DirectoryEntry // leads to what does not look like it
	good     int              // entries that others confirm, or that look like what they say
	whole    bool             // nothing is wrong with it
}

// trust checks the directory. If none of the entries that can be checked leads
// to its stream, it is no directory.
func (p *prober) trust() directory {
	d := directory{whole: p.f.dirErr == nil && len(p.f.dir) > 0}
	p.budget = p.allowance
	for _, e := range p.f.dir {
		probe := p.probes[e.StreamType]
		if p.f.unusable(e) != nil {
			d.whole = false
			continue
		}
		if probe == nil {
			d.kept = append(d.kept, e)
			continue
		}
		c, ok := probe(int64(e.RVA))
		if ok {
			d.good++
		}
		if ok && c.refs > 0 {
			d.kept = append(d.kept, e)
		} else {
			d.doubtful = append(d.doubtful, e)
		}
	}
	if d.good == 0 && !(d.whole && len(d.doubtful) == 0) {
		return directory{}
	}
	return d
}

// settle chooses one candidate for each type that the directory lacks. An entry
// in doubt is kept unless there is a better one.
func (p *prober) settle(d *directory) []RecoveredStream {
	p.budget = p.allowance
	have := map[StreamType]bool{}
	accept := func(e DirectoryEntry) {
		have[e.StreamType] = true
		p.settled = append(p.settled, e)
		if e.StreamType == MemoryListStream || e.StreamType == Memory64ListStream {
			p.memory.add(p, e)
		}
	}
	if d.good > 0 { // nothing else is where the directory stands
		size := min(int64(p.f.NumberOfStreams), plausible) * directoryEntrySize
		p.settled = append(p.settled, DirectoryEntry{UnusedStream, Location{DataSize: uint32(size), RVA: p.f.StreamDirectoryRVA}})
	}
	for i, e := range d.kept {
		if have[e.StreamType] = true; i < plausible { // the directory may be hostile
			accept(e)
		}
	}
	var found []RecoveredStream
	for _, t := range settleOrder {
		if have[t] {
			continue
		}
		doubted := slices.ContainsFunc(d.doubtful, func(e DirectoryEntry) bool { return e.StreamType == t })
		if s, ok := p.best(t, d.good > 0, d.whole || doubted); ok {
			found = append(found, s)
			accept(s.DirectoryEntry)
		}
	}
	for _, e := range d.doubtful {
		if !have[e.StreamType] {
			d.kept = append(d.kept, e)
			accept(e)
		}
	}
	if !d.whole {
		for i := range 3 { // what was found beside a stream has neighbours itself
			for _, s := range p.besides(have, i < 2) {
				found = append(found, s)
				accept(s.DirectoryEntry)
			}
		}
	}
	slices.SortFunc(found, func(a, b RecoveredStream) int { return cmp.Compare(a.RVA, b.RVA) })
	return found
}

// settleOrder begins with the types that cannot be mistaken and those that say
// where memory is; what comes later may not lie in what came before.
var settleOrder = []StreamType{
	Memory64ListStream, ModuleListStream, HandleDataStream, HandleOperationListStream, ThreadListStream,
	MemoryListStream, MemoryInfoListStream, ThreadInfoListStream, UnloadedModuleListStream,
	SystemInfoStream, MiscInfoStream, ExceptionStream, ThreadNamesStream,
}

// best returns the candidate of a type with the most references. One in the
// captured memory of the process, such as what it keeps of a dump that it writes
// itself, comes after all others, and is nothing if some of the directory can be
// trusted. sure asks for more than a doubtful candidate.
func (p *prober) best(t StreamType, trusted, sure bool) (RecoveredStream, bool) {
	var fit []candidate
	for _, c := range p.found[t] {
		c.refs += p.cross(c)
		if c.refs > 0 && !p.overlaps(c.DirectoryEntry) {
			if c.cut = int64(c.RVA)+int64(c.DataSize) > p.f.size; c.cut {
				c.refs = (c.refs + 3) / 4 // rather than a count that is wrong
			}
			if c.inMemory = p.memory.holds(int64(c.RVA)); !c.inMemory || !trusted {
				fit = append(fit, c)
			}
		}
	}
	if len(fit) == 0 {
		return RecoveredStream{}, false
	}
	after := func(a, b bool) int { // true comes after false
		switch {
		case a == b:
			return 0
		case a:
			return 1
		}
		return -1
	}
	slices.SortStableFunc(fit, func(a, b candidate) int {
		return cmp.Or(after(a.inMemory, b.inMemory), cmp.Compare(b.refs, a.refs), after(a.cut, b.cut), cmp.Compare(a.RVA, b.RVA))
	})
	first := fit[0]
	if first.refs < doubtful && (sure || first.inMemory || len(fit) > 1 && fit[1].inMemory == first.inMemory && fit[1].refs == first.refs && fit[1].cut == first.cut) {
		return RecoveredStream{}, false
	}
	rivals := 0
	for _, c := range fit[1:] {
		if !sharing(c.DirectoryEntry, first.DirectoryEntry) { // a part of a list looks like a list
			rivals++
		}
	}
	return RecoveredStream{DirectoryEntry: first.DirectoryEntry, References: first.refs, Rivals: rivals}, true
}

// doubtful is the number of references below which a candidate is believed only
// if there is no other of so many, and not in the memory of the process.
const doubtful = 3

// overlaps reports whether a stream that is settled has bytes of d.
func (p *prober) overlaps(d DirectoryEntry) bool {
	return slices.ContainsFunc(p.settled, func(s DirectoryEntry) bool {
		return s.StreamType != d.StreamType && sharing(s, d)
	})
}

func sharing(a, b DirectoryEntry) bool {
	return int64(a.RVA) < int64(b.RVA)+int64(b.DataSize) && int64(b.RVA) < int64(a.RVA)+int64(a.DataSize)
}
