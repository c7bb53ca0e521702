// Package waits finds out which threads wait for which, as far as handles tell:
// a thread that waits for a Mutant waits for the thread that owns it, and one
// that waits for a Thread for its end. Owners are in the object information of
// the handles (MiniDumpWithHandleData); what a thread waits with is taken from
// its registers and stack, and is no more than a suggestion: a wait that names
// no handle of the dump is left out.
//
// A [Chain] that closes is a deadlock, unless a wait in it has a timeout, which
// the dump does not show.
package waits
