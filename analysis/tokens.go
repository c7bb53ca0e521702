package analysis

import (
	"errors"
	"fmt"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
)

// A TokenFact is a token with whose it is.
type TokenFact struct {
	minidump.Token
	Owner TokenOwner
}

// A TokenOwner says whose a token is.
type TokenOwner string

// The owners of tokens.
const (
	OwnerProcess TokenOwner = "process"
	OwnerThread  TokenOwner = "thread" // one that acts for somebody else
	OwnerUnknown TokenOwner = ""       // the dump does not say
)

// Tokens returns the tokens of a dump. The error is a [*MissingError] if it has
// none; any other is about what could not be read, and the tokens cover the
// rest.
func Tokens(f *minidump.File) ([]TokenFact, error) {
	tokens, err := f.Tokens()
	if errors.Is(err, minidump.ErrNoStream) {
		return nil, MissingStream(f, minidump.TokenStream, err)
	}
	var failed Failures
	failed.Note(err)
	misc, err := f.MiscInfo()
	noteUnlessAbsent(&failed, err)
	threads, err := f.Threads()
	noteUnlessAbsent(&failed, err)
	var facts []TokenFact
	for _, t := range tokens {
		fact := TokenFact{Token: t}
		switch {
		case misc != nil && misc.Flags1&minidump.MiscProcessID != 0 && misc.ProcessID == t.TokenID:
			fact.Owner = OwnerProcess
		case slices.ContainsFunc(threads, func(th minidump.Thread) bool { return th.ThreadID == t.TokenID }):
			fact.Owner = OwnerThread
		}
		facts = append(facts, fact)
	}
	if len(tokens) == 0 && len(failed.list) == 0 {
		failed.Note(fmt.Errorf("%s: it is there, but it lists no token", minidump.TokenStream))
	}
	return facts, failed.Err()
}
