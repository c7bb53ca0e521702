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
	// One interval with this share of the growth makes it a step or a jump, if
	// all other changes together are no more than that part of it.
	stepShare = 0.85
	stepNoise = 0.25
	// Growth that has slowed down to this part is that of a cache.
	slowedDown = 1.0 / 3
)

// What it takes to call growth a leak. TestScenario prints what the verdict
// makes of generated processes with them.
const (
	// Below this number of new handles growth is not worth an alarm: a process
	// opens some handles for the first time long after its start.
	minGrowth = 20
	// From here on growth is a leak, below a suspicion.
	sureSteady = 50
	// A group churns if so many handles went for one that came, or if the
	// values that were closed and used again are such a part of its growth.
	churnShare  = 0.05
	hiddenShare = 0.2
	// From so many handles on that went a group says how the process scatters.
	minChurn = 5
	// The weight of the scatter of the process in that of a group, in degrees
	// of freedom, and the greatest scatter that is believed.
	priorFreedom  = 6.0
	maxDispersion = 6.0
	// The chance that a churning group rises like this by itself, times the
	// number of groups, below which it is a leak or a suspicion. With four and
	// five dumps not enough is known of how it scatters.
	leakLevel       = 0.01
	suspectLevel    = 0.15
	suspectOfThree  = 0.05
	sureLevelOfFour = 1e-5
	sureLevelOfFive = 1e-3
	// A group that scatters by more than is believed may still leak if there
	// are so many dumps, and they scatter independently of each other: less of
	// the statistic of Durbin and Watson is a load that wanders.
	manyDumps   = 8
	independent = 1.5
	// Of the growth of a churning group this part must stay from one dump to
	// the next: what does not is a load that grows.
	minKeptShareOfGrowth = 0.5
	minKeptAtAll         = 0.5 // less is no leak, where it is known
	// The late growth of a cache or pool is such a part of the early one.
	stoppedBelow = 0.35
	slowsBelow   = 0.8
	// What holders show of a group stands for all of it if they say nothing of
	// no more than this part of the values that stay.
	mostUnknown = 0.2
	// Handles are told apart if two of them are alike with less than this chance.
	identified = 0.05
	// With more than this part of it in the last interval it may be a burst.
	jumpShare = 0.8
	// Growth without a close must be spread over so many intervals, and over
	// such a part of them.
	minSpread      = 1.7
	minSpreadShare = 0.35
	// A group whose type, or process, grows by less than this part of it takes
	// the place of others.
	offsetShare = 0.5
	// A type is named if this part of its growth is not that of groups named.
	unexplained = 0.5
	// At least this part of the growth must be handles that are new, and not
	// old ones whose objects have changed their state.
	minNew = 0.5
	// In two dumps growth must be plain: this many new handles, and four times
	// as many as there were, or very many and half as many again.
	minRise      = 100
	minRiseTimes = 4
	bigRise      = 1000
	bigRiseTimes = 1.5
	// For five handles that were opened no more than one was closed.
	maxGone = 0.2
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
	// Handles lead to one object if this part of a group agrees in what tells
	// objects apart. So many different ones are not counted any more.
	oneObjectShare = 0.9
	mostKeys       = 4096
	// So many handles are worth a remark, and so many types with a multiple of
	// the usual count.
	manyHandles   = 10_000
	manyTypes     = 3
	manyTypeTimes = 3
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
	mostHoursLeft = 365 * 24
	// So many groups without guilt are shown one by one.
	innocentsShown = 10
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
