package leaks

import (
	"fmt"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// shownFrames is how many frames of a stack are evidence, and all down to the
// culprit.
const shownFrames = 6

// blameOpener says who opened the handles of a finding, and how to look closer.
func (f *Finding) blameOpener(o *Options) {
	opener := f.Group.Opener
	if opener == nil {
		return
	}
	f.Evidence = append(f.Evidence, fmt.Sprintf("%s in %s were opened by %s at %s, by its handle trace; of %s that were opened there %s are still open",
		words.Of(uint64(opener.Opens), opener.Of, "handle"), opener.File, opener.Culprit.Name(), opener.Location.Place(), words.Count(opener.AllOpens), words.Count(opener.Opens)))
	if opener.Split != nil {
		f.Evidence = append(f.Evidence, opener.Split.Sentence())
	}
	shown := min(len(opener.Frames), max(shownFrames, opener.Culprit.Frame+1))
	for i, l := range opener.Frames[:shown] {
		f.Evidence = append(f.Evidence, fmt.Sprintf("frame %d: %s", i, l.Place()))
	}
	if more := len(opener.Frames) - shown; more > 0 {
		f.Evidence = append(f.Evidence, words.More(more, "frame"))
	}
	f.Next = opener.next(f.Group.Type, o)
}

// next is how to look closer at the opener.
func (o *Opener) next(typ string, options *Options) analysis.Step {
	file := dumpArg(o.File)
	if o.nameless() {
		return analysis.Step{
			Text: fmt.Sprintf("the function at %s has no name: give -y the folder of the PDB of %s, or -i that of its image; see what is missing", o.Place(), o.Culprit.Module),
			Args: append([]string{"dumpscan", "symbols", file}, options.Repeat...),
		}
	}
	args := []string{"dumpscan", "htrace", file, "--group", "function"}
	if typ != "" {
		args = append(args, "--type", typ)
	}
	args = append(args, options.Repeat...)
	for _, glob := range options.System {
		args = append(args, "--system", glob)
	}
	for _, glob := range options.NotSystem {
		args = append(args, "--not-system", glob)
	}
	return analysis.Step{Text: fmt.Sprintf("see all that %s opened and nobody closed", o.Place()), Args: args}
}

// nameless reports whether the opener lies in a module without symbols.
func (o *Opener) nameless() bool {
	named := o.Location.Trust != symbol.TrustExport && o.Location.Trust != symbol.TrustModule
	return o.Culprit.Kind == htrace.CulpritModule && !named
}
