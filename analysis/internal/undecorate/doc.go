// Package undecorate turns the linker's names of functions and data into the names people wrote: Visual C++
// (`?Run@Task@ns@@QEAAXXZ`), Itanium (`_ZN2ns4Task3RunEv`) and Rust. A name that it does not understand to the last
// character comes back as it was: a raw name is an inconvenience, a wrong one a lie.
//
// Of the module it imports nothing; Itanium and Rust names are left to a demangler from outside.
package undecorate
