// Package leaks judges whether a process leaks handles, from one dump or a
// series of dumps of it: which groups of handles leak, how fast, who opened them
// and who holds them.
//
// [Find] takes the dumps as [analysis.Snapshot] values, brings them into series
// of one process each, and gives a [Report]: a [Verdict] in one sentence, and a
// [Finding] for each thing that a [Rule] has to say, with its evidence and the
// next step.
//
//	s, err := analysis.LoadSnapshot(ctx, f, "monday.dmp") // and so on
//	report, err := leaks.Find(ctx, snapshots, leaks.Options{})
//	fmt.Println(report.Verdict.Sentence)
//
// # How growth is judged
//
// Handles come and go, so that a number rises by chance. What came and went from
// dump to dump, and an estimate of the values that were closed and used again,
// give the variance of a group's counts if it does not leak; how much more the
// process scatters is learned from all its groups. A group that rises by more is
// a leak or a suspicion, by how unlikely that is, unless its growth slows down or
// has stopped, came at once, does not stay from one dump to the next, or takes the
// place of others of its type. The numbers are in thresholds.go, and
// TestScenarioTable measures what comes out.
//
// A value that both of two dumps have says little: it may have been closed and
// given to a like handle. Where the memory of two dumps is searched, for the
// holders of groups that the counts accuse, what holds the handles says of some
// whether they are the same: see [Held]. Only these are said to stay, and what
// was replaced counts as coming and going.
//
// One dump can make a process suspicious at most. Nothing is said of what is not
// there: with a dump that could not be read whole the verdict is
// [SeverityUnknown].
package leaks
