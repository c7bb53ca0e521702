package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/minidump"
)

// mostOpen is how many dumps a command keeps open between two looks at them.
// Several thousand must not need as many files, nor as much room for what was
// unpacked.
const mostOpen = 16

// A pool keeps the dumps of a command open that were used last.
type pool struct {
	app  *app
	open []*pooled // the one used last comes last
}

type pooled struct {
	*dump
	users int
}

// get returns an open dump. The caller calls done when it no longer needs it.
func (p *pool) get(ctx context.Context, name string) (d *dump, done func() error, err error) {
	i := slices.IndexFunc(p.open, func(o *pooled) bool { return o.name == name })
	var entry *pooled
	if i >= 0 {
		entry = p.open[i]
		p.open = slices.Delete(p.open, i, i+1)
	} else {
		p.shrink(mostOpen - 1)
		d, err := p.app.open(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		entry = &pooled{dump: d}
	}
	entry.users++
	p.open = append(p.open, entry)
	return entry.dump, func() error { entry.users--; return nil }, nil
}

// dump is get for package analysis, which names the dump beside an error.
func (p *pool) dump(ctx context.Context, name string) (*minidump.File, func() error, error) {
	d, done, err := p.get(ctx, name)
	if err != nil {
		return nil, nil, withoutName(name, err)
	}
	return d.File, done, nil
}

// withoutName takes the name of a dump from the front of an error.
func withoutName(name string, err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), name+": "))
}

// shrink closes dumps that nobody uses, those that were not used for the
// longest time first, until no more than n are open. Standard input stays open:
// it cannot be read again.
func (p *pool) shrink(n int) {
	excess := len(p.open) - n
	p.open = slices.DeleteFunc(p.open, func(o *pooled) bool {
		if excess <= 0 || o.users > 0 || isStdin(o.name) {
			return false
		}
		excess--
		o.Close() // it was only read
		return true
	})
}

// close closes all dumps.
func (p *pool) close() {
	for _, o := range p.open {
		o.Close() // it was only read
	}
	p.open = nil
}
