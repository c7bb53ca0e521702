// Package analysis turns the records of a minidump into facts: which types of
// handles a process holds and how many, what they are named, which rights they
// carry, and how that changes from dump to dump. The packages below it find out
// who opened the handles (htrace), whether they leak and how fast (leaks), who
// holds them (owners), and whether they are within limits (check).
//
// Facts are plain structs. Nothing is printed here: package render makes text,
// JSON and other forms of them. What the dump does not hold is said by an error
// ([MissingError]) or an empty field, and what is concluded rather than read is
// marked as such.
//
// [ReadHandles] returns the handles of a dump as a [HandleList], which reads
// them from the file each time somebody walks through it. Functions that take
// one need memory for their answer only, not for the handles; they end early
// with the error of their context, and otherwise their error says what could
// not be read, while the answer covers the rest.
//
// Several dumps of one process are a [Series], which alone decides in which
// order they were written; what makes two handles of two dumps the same is
// decided by [HandleMatcher] alone.
//
// Of the process itself, [Describe] says who it is, [ReadPEBs] and [Threads]
// what it and Windows keep in its memory about it and its threads,
// [DescribeMemory] how it uses its address space, and [ReadMemoryView] reads
// memory as WinDbg shows it.
//
// # Words
//
// Types of handles are spelled as in the dump: "Key", "ALPC Port". A handle
// without a type is "" in facts, and "None" where a person types it or reads
// it. [CanonicalType] and [CheckType] know the types of WinDbg's summary: Event,
// Section, File, Port, Directory, SymbolicLink, Mutant, WindowStation,
// Semaphore, Key, Token, Process, Thread, Desktop, IoCompletion, Timer, Profile,
// Job, WaitablePort, KeyedEvent, TpWorkerFactory, ALPC Port and
// WaitCompletionPacket. Others are counted by WinDbg as None, and here by
// their own name.
//
// States of objects are words, of which an object may have two ("manual set"):
//
//	Event            manual or auto (how it is reset), set or waiting
//	Mutant           owned or free, abandoned (its owner exited with it)
//	Semaphore        available or exhausted (its count is 0)
//	Thread, Process  running or exited
//
// Rights are WinDbg's words where they are known ("QueryValue"), else the
// constants of the Windows headers ("TOKEN_QUERY"). [ParseAccess] understands
// both, and what stands for several rights: KEY_READ, EVENT_ALL_ACCESS,
// GENERIC_WRITE.
package analysis
