// Package htrace replays the handle operations that a dump may hold, as
// WinDbg's !htrace lists them: which opens were never closed, which code made
// them, and what else went wrong.
//
// [Read] gives the [Trace] of one dump, and [ReadPair] those of two, whose
// [Diff] is what "!htrace -diff" prints. [Trace.Group] brings the opens into
// groups, each with its [Culprit]: the first frame outside the operating
// system's modules, which [SystemModules] knows. Names are a finished value,
// [symbol.Names], which any resolver of package symbol makes of
// [Trace.Addresses].
//
// The format does not say whether the oldest or the newest operation is stored
// first, and writers differ. [Order] is found out by replaying both ways; the
// [OrderEvidence] says what that rests on.
package htrace
