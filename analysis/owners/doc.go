// Package owners finds out who holds handles: the objects, arrays and variables
// in the memory of a dump in which many handles of a kind stand at the same
// place.
//
// [Find] searches the private memory, and the variables of modules, for the
// values of handles, and looks for what the places have in common: a pointer to a
// vtable or a table of functions at a constant distance, a constant word, or a
// constant stride. A handle is a small number, and small numbers are everywhere,
// so each [Owner] comes with the number of such finds that chance would give, and
// a confidence. Handles that no structure holds are in [Report.Unheld]: what
// opened them has dropped them.
//
// [Identify] compares the holders in two dumps of a process: they show which of
// the values that both dumps have are the same handles.
package owners
