package analysis

import (
	"cmp"
	"fmt"

	"github.com/dumpscan/dumpscan/minidump"
)

// An ObjectID is what handles to one object have in common, as far as a dump
// shows it: a dump has no addresses of objects. The zero ObjectID is that of
// handles of which nothing is known.
type ObjectID struct {
	Kind ObjectIDKind
	Type string // of the object
	Name string // ByName
	// The ids of a process, and of a thread in it: ByThread, ByProcess.
	Process, Thread uint64
	// HandleCount is the number of handles to the object, of all processes:
	// ByCount.
	HandleCount uint32
}

// An ObjectIDKind says what an [ObjectID] rests on.
type ObjectIDKind uint8

// The kinds.
const (
	ByNothing ObjectIDKind = iota
	ByName                 // a name; for files, which have an object for each time they are opened, a guess
	ByThread               // the id of the thread
	ByProcess              // the id of the process
	ByCount                // no name and an equal HandleCount of more than 2: a guess
)

// ObjectOf returns what identifies the object of a handle, which must come with
// all its parts.
func ObjectOf(h *minidump.Handle) ObjectID {
	state := DecodeObject(h.ObjectInfo)
	return objectOf(h, &state)
}

func objectOf(h *minidump.Handle, state *ObjectState) ObjectID {
	id := ObjectID{Type: h.TypeName}
	switch {
	case h.ObjectName != "":
		id.Kind, id.Name = ByName, h.ObjectName
	case state.Thread != nil:
		id.Kind, id.Process, id.Thread = ByThread, state.Thread.ProcessID, state.Thread.ThreadID
	case state.Process != nil:
		id.Kind, id.Process = ByProcess, state.Process.ProcessID
	case h.HandleCount > 2:
		// An object has a handle of its own, and the one that the writer of the
		// dump made to look at it.
		id.Kind, id.HandleCount = ByCount, h.HandleCount
	}
	return id
}

// Guess reports whether handles with this id are only probably to one object.
func (o ObjectID) Guess() bool {
	return o.Kind == ByCount || o.Kind == ByName && o.Type == "File"
}

// String returns the id in words, "" for the zero ObjectID.
func (o ObjectID) String() string {
	switch o.Kind {
	case ByName:
		return o.Name
	case ByThread:
		return fmt.Sprintf("thread %d of process %d", o.Thread, o.Process)
	case ByProcess:
		return fmt.Sprintf("process %d", o.Process)
	case ByCount:
		return fmt.Sprintf("one with %d handles", o.HandleCount)
	}
	return ""
}

func (o ObjectID) compare(p ObjectID) int {
	return cmp.Or(cmp.Compare(o.Kind, p.Kind), CompareTypes(o.Type, p.Type), cmp.Compare(o.Name, p.Name),
		cmp.Compare(o.Process, p.Process), cmp.Compare(o.Thread, p.Thread), cmp.Compare(o.HandleCount, p.HandleCount))
}
