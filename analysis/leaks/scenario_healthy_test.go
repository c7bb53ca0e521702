package leaks_test

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// A service lives from one dump to the next. None of them leaks.
type service struct {
	name string
	make func(p *process)
	live func(p *process, i int)
}

var services = []service{
	{"web server", func(p *process) { p.start(3) }, func(p *process, i int) {
		p.serve(int(300 * (1.2 + math.Sin(float64(i)*math.Pi/12)))) // by the time of day
	}},
	{"data base", func(p *process) { p.start(10); p.open("data", cacheFile, 300); p.open("locks", autoEvent, 2500) }, func(p *process, i int) {
		p.vary("connections", socket, 500)
		p.vary("workers", runningThread, 200)
	}},
	{"desktop program", func(p *process) { p.start(4) }, func(p *process, i int) {
		p.vary("windows", section, 60)
		p.vary("documents", tempFile, 25)
		p.hold("undo", manualEvent, 20+p.rand.IntN(30))
	}},
	{"service host", func(p *process) { p.start(8) }, func(p *process, i int) {
		p.vary("tokens", token, 120)
		p.vary("keys", plainKey, 150)
		p.vary("user keys", userKey, 40)
	}},
	{"garbage collector", func(p *process) { p.start(3) }, func(p *process, i int) {
		p.hold("garbage", manualEvent, 0) // a collection
		p.serve(200)
		p.hold("garbage", manualEvent, 50+p.rand.IntN(800)) // and what came after it
	}},
	{"idle", func(p *process) { p.start(2) }, func(p *process, i int) {}},
}

// healthy makes each service with several seeds and numbers of dumps.
func healthy() (all []scenario) {
	for k, s := range services {
		for seed := range 4 {
			for _, n := range []int{1, 2, 3, 6, 16} {
				all = append(all, scenario{
					name: fmt.Sprintf("healthy: %s, %d dumps, seed %d", s.name, n, seed),
					make: func(testing.TB) []shot {
						p := newProcess("service.exe", uint32(1000+k), uint64(1000+10*k+seed))
						s.make(p)
						p.wait(24 * time.Hour) // what a service opens at its start is there
						return p.series(n, time.Hour, func(i int) { s.live(p, i) })
					},
				})
			}
		}
	}
	return all
}
