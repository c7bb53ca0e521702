package leaks

// All that the rules compare with. The numbers are judgements, held against
// the scenarios of testdata/scenarios: whoever changes one runs TestScenarios.

// Which groups are looked at.
const (
	// Smaller groups are not looked at one by one: there may be as many of them
	// as handles.
	minGroup = 8
	// From this number of traced handles on the opener of a group is looked for.
	minTraced = 8
)

// What distinguishes one [Shape] from another. The shares are of the range
// between the lowest and the highest count.
const (
	// A range of fewer handles is no growth worth the name: thread pools and
	// the like come and go by a dozen.
	flatRange = 20
	// A fall by this share of the range ends a rise. A leak of any size
	// stands out once it is more than twice the noise around it.
	fallShare = 0.4
	// Growth that never falls by even this share needs no proof by its slope.
	smallFall = 0.1
	// From this number of dumps on a significant slope outweighs single falls,
	// up to this share.
	manyDumps     = 8
	manyFallShare = 0.6
	// One interval with this share of the growth makes it a step or a jump, if
	// all other changes together are no more than that part of it.
	stepShare = 0.85
	stepNoise = 0.25
	// Growth that has slowed down to this part is that of a cache.
	slowedDown = 1.0 / 3
)

// How much a group must grow to be named.
const (
	// Below this number of new handles steady growth is not worth an alarm: a
	// process opens some handles for the first time long after its start.
	minSteady = 20
	// From here on steady growth is a leak, below a suspicion.
	sureSteady = 50
	// Growth of one interval alone must be plain: this many new handles, and
	// four times as many as there were, or very many and half as many again.
	minRise      = 100
	minRiseTimes = 4
	bigRise      = 1000
	bigRiseTimes = 1.5
	// Growth must be more than the coming and going of handles: so many times
	// what that scatters by.
	scatterTimes = 4
	// Handles that stay: for five that were opened no more than one was closed
	// from one dump to the next.
	maxGone = 0.2
	// Where more of them come and go, it takes more than five dumps, in which
	// those that were opened early and stayed make up this part of the growth
	// until then, as it was or as an even growth would have been. In fewer,
	// values of handles that were closed and opened again hide too much.
	fewDumps = 5
	minKept  = 0.5
	// A type is named if this part of its growth is not that of groups named.
	unexplained = 0.5
	// At least this part of the growth must be handles that are new, and not
	// old ones whose objects have changed their state.
	minNew = 0.5
	// A rise by handles to one and the same object, of which hardly one was
	// closed, is a leak even in two dumps: a cache holds different objects.
	maxClosedShare = 0.05
)

// What makes a single dump suspicious.
const (
	// A type is suspicious with more than half of all handles and this
	// multiple of the usual count.
	dominantTimes = 10
	// Without a majority it takes this multiple.
	extremeTimes = 40
	// So many handles to one named object are suspicious if they are the
	// majority of all handles.
	sameObjectCount = 200
	// From this part of the type on a group stands for the type.
	groupShare = 0.5
	// Later dumps clear a large group that should have grown by so many at its
	// mean rate, and has not grown by this part of that.
	acquitGrowth = 100
	acquitShare  = 0.25
	// A place in the program is suspicious if the trace has so many handles
	// that it opened, of which this part is still open.
	minOutstanding = 200
	minKeptShare   = 0.9
	// So many handles to what has exited are suspicious in one dump; fewer are
	// left lying around by many programs.
	exitedThreadsCount = 200
	deadProcessesCount = 50
	// Near the limit of handles: this part of it.
	nearLimit = 0.8
)

// From where on something innocent is worth a line.
const (
	exitedShown   = 10       // handles to what has exited
	quotaShown    = 16 << 20 // bytes of a pool's quota
	innocentRange = 100      // handles between the lowest and the highest count
	// Time left beyond this is not a matter of a process's life, in hours.
	mostHoursLeft = 100 * 365 * 24
)

// minCorrelation is the coefficient from which the growth of two types goes
// hand in hand.
const minCorrelation = 0.9

// usualCount is a number of handles of a type that a busy server process
// seldom exceeds. It is a rule of thumb and no limit: only a multiple of it
// raises a suspicion.
func usualCount(typ string) uint64 {
	switch typ {
	case "Event", "WaitCompletionPacket", "EtwRegistration", "":
		return 2000
	case "File":
		return 1500
	case "Thread", "Section":
		return 300
	case "Token":
		return 200
	case "Process", "Desktop", "WindowStation", "Job":
		return 50
	}
	return 500
}
