package analysis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dumpscan/dumpscan/minidump"
)

// A HandleKind is what the handles of a leak have in common: one place in a
// program opens handles of one type, to objects with one name or with names
// that differ in numbers only, and with the same access.
type HandleKind struct {
	Type string
	// Name is the name of the objects, or what [NormalizeName] makes of their
	// names when they are many; "" for objects without a name.
	Name          string
	GrantedAccess uint32
	Attributes    uint32 // OBJ_*, of handles without a name; else 0
	// State is what does not come and go: "manual" or "auto" of an event,
	// "running" or "exited" of a thread or process, "abandoned" of a mutant; ""
	// if there is no such thing, or the dump does not say.
	State string
}

// Compare orders kinds by type in WinDbg's order, name, access, attributes and
// state.
func (k HandleKind) Compare(o HandleKind) int {
	return cmp.Or(CompareTypes(k.Type, o.Type), cmp.Compare(k.Name, o.Name),
		cmp.Compare(k.GrantedAccess, o.GrantedAccess), cmp.Compare(k.Attributes, o.Attributes),
		cmp.Compare(k.State, o.State))
}

// Stateless is the kind without its state.
func (k HandleKind) Stateless() HandleKind {
	k.State = ""
	return k
}

// KindParts are the parts of a handle that decide its kind.
const KindParts = minidump.HandleAllParts

// mergedNames is the number of distinct names above which names of one form
// are taken for one thing. A leak worth the name has more; a program that
// numbers a few objects for a reason has fewer.
const mergedNames = 16

// KindCounts are the handles of one dump, counted by kind. Names of one form
// are merged where there are more than 16 of them, whatever the order of the
// handles; up to then each is counted by itself. The memory needed depends on
// the number of forms and not on that of the handles.
type KindCounts struct {
	Total uint64
	// Named reports whether any object has a name, Stated whether the state of
	// any is known. Stateless says that events, threads or processes are there,
	// but nothing is known of them: the dump has no object information.
	Named, Stated, Stateless bool

	forms map[HandleKind]*formCount // by the kind with its name normalised
}

// A formCount counts the handles whose names have one form.
type formCount struct {
	count  uint64
	names  []nameCount // in the order of appearance; nil once there are too many
	merged bool
}

type nameCount struct {
	name  string
	count uint64
}

// A KindForm is the handles of a dump whose kinds differ in their names only,
// and whose names have one form.
type KindForm struct {
	HandleKind // Name is what [NormalizeName] makes of the names
	Count      uint64
	// Single is the name of all the objects; "" if they have several, or none.
	Single string
}

// Forms lists the forms, in the order of [HandleKind.Compare].
func (c *KindCounts) Forms() []KindForm {
	list := make([]KindForm, 0, len(c.forms))
	for kind, f := range c.forms {
		form := KindForm{HandleKind: kind, Count: f.count}
		if len(f.names) == 1 {
			form.Single = f.names[0].name
		}
		list = append(list, form)
	}
	slices.SortFunc(list, func(a, b KindForm) int { return a.Compare(b.HandleKind) })
	return list
}

// Types lists the types, in WinDbg's order.
func (c *KindCounts) Types() []string {
	var types []string
	for _, form := range c.Forms() {
		if n := len(types); n == 0 || types[n-1] != form.Type {
			types = append(types, form.Type)
		}
	}
	return types
}

// CountKinds counts the handles of one dump. With an error that is not that of
// ctx the counts cover what could be read.
func CountKinds(ctx context.Context, l *HandleList) (*KindCounts, error) {
	c := NewKindCounter()
	err := l.Walk(ctx, KindParts, func(h *minidump.Handle) bool {
		c.Add(h)
		return true
	})
	return c.counts, err
}

// A KindCounter makes [KindCounts] of handles, one after the other.
type KindCounter struct {
	counts *KindCounts
	normal normalizer
	// The handles of a leak come in runs, and share their strings.
	last     *nameCount
	lastForm *formCount
	lastKind HandleKind
}

// NewKindCounter returns a counter that has seen no handle.
func NewKindCounter() *KindCounter {
	return &KindCounter{
		counts: &KindCounts{forms: map[HandleKind]*formCount{}},
		normal: normalizer{forms: map[string]string{}},
	}
}

// Add counts one handle, which must come with the parts of [KindParts].
func (c *KindCounter) Add(h *minidump.Handle) {
	c.counts.Total++
	kind := exactKind(h)
	if c.lastForm != nil && kind == c.lastKind {
		c.lastForm.count++
		if c.last != nil {
			c.last.count++
		}
		return
	}
	c.counts.Named = c.counts.Named || kind.Name != ""
	c.counts.Stated = c.counts.Stated || kind.State != ""
	switch kind.Type {
	case "Event", "Thread", "Process":
		c.counts.Stateless = !c.counts.Stated
	}
	exact := kind.Name
	form := kind
	form.Name = c.normal.form(exact)
	f := c.counts.forms[form]
	if f == nil {
		f = &formCount{}
		c.counts.forms[form] = f
	}
	c.last, c.lastForm, c.lastKind = f.add(exact), f, kind
}

// Counts returns the counts so far.
func (c *KindCounter) Counts() *KindCounts { return c.counts }

// A normalizer makes one string of each form, however many names have it.
type normalizer struct {
	buf   []byte
	forms map[string]string
}

func (n *normalizer) form(name string) string {
	n.buf = appendNormalized(n.buf[:0], name)
	if string(n.buf) == name {
		return name // which is kept anyway
	}
	form, ok := n.forms[string(n.buf)]
	if !ok {
		form = string(n.buf)
		n.forms[form] = form
	}
	return form
}

// add counts a handle. The result is the count of its name, valid until the
// next call, or nil if names of this form are merged.
func (f *formCount) add(name string) *nameCount {
	f.count++
	if f.merged {
		return nil
	}
	for i := range f.names {
		if f.names[i].name == name {
			f.names[i].count++
			return &f.names[i]
		}
	}
	if len(f.names) == mergedNames {
		f.names, f.merged = nil, true
		return nil
	}
	f.names = append(f.names, nameCount{name, 1})
	return &f.names[len(f.names)-1]
}

// exactKind is the kind of a handle with its name as it is.
func exactKind(h *minidump.Handle) HandleKind {
	k := HandleKind{Type: h.TypeName, Name: h.ObjectName, GrantedAccess: h.GrantedAccess}
	if h.ObjectName == "" {
		k.Attributes = h.Attributes
	}
	if len(h.ObjectInfo) > 0 {
		k.State = kindState(h.ObjectInfo)
	}
	return k
}

// kindState leaves out the states that change all the time, such as "set" of
// an event: a group must not seem to grow because another shrinks.
func kindState(infos []minidump.ObjectInformation) string {
	o := DecodeObject(infos)
	switch {
	case o.Event != nil && o.Event.ManualReset:
		return "manual"
	case o.Event != nil:
		return "auto"
	case o.Mutant != nil && o.Mutant.Abandoned:
		return "abandoned"
	case o.Thread != nil && o.Thread.Exited, o.Process != nil && o.Process.Exited:
		return "exited"
	case o.Thread != nil, o.Process != nil:
		return "running"
	}
	return ""
}

// String returns the kind in words: type, name, and in brackets access, state
// and attributes.
func (k HandleKind) String() string {
	var b strings.Builder
	b.WriteString(cmp.Or(k.Type, "handle without type"))
	if k.Name != "" {
		b.WriteString(" " + k.Name)
	} else {
		b.WriteString(" without name")
	}
	fmt.Fprintf(&b, " (access %#x", k.GrantedAccess)
	if k.State != "" {
		b.WriteString(", " + k.State)
	}
	if k.Attributes != 0 {
		fmt.Fprintf(&b, ", attributes %#x", k.Attributes)
	}
	b.WriteString(")")
	return b.String()
}
