// Package analysis turns the records of a minidump into facts: which types of
// handles a process holds and how many, what they are named, which rights
// they carry; who opened them, whether they leak, how fast, and who holds
// them.
//
// Facts are plain structs. Nothing is printed here: package render makes
// text, JSON and other forms of them. What the dump does not hold is said by
// an error or an empty field, and what is concluded rather than read is marked
// as such.
//
// The functions that take handles take an iterator, such as the one of
// [github.com/dumpscan/dumpscan/minidump.HandleData.All], and need memory for
// their answer only, not for the handles.
package analysis
