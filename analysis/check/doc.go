// Package check compares the handles of dumps with limits and with a baseline,
// for continuous integration: so many handles of a type at most, no more growth
// than this, no more than in a dump that was known to be good.
//
// A [Check] holds what was asked for; its Count takes the dumps one after the
// other, and Result says which measures hold. The decision about a type that no
// dump has, or a dump that cannot be read whole, is part of the result: a check
// that could not be made has not passed.
package check
