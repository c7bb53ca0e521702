package leaks_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// A scenario makes dumps. What is true of them stands in
// testdata/scenarios/truth.tsv.
type scenario struct {
	name string
	make func(t testing.TB) []shot
}

// simulated are the scenarios whose dumps are made here.
var simulated = []scenario{
	{"steady leak in noise of 20 %", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 4242, 1)
		p.start(2)
		return p.series(12, time.Hour, func(i int) {
			p.serve(400)
			p.vary("pool", autoEvent, 1000)
			p.open("leak", autoEvent, 100)
		})
	}},
	{"steady leak of named keys", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 4242, 2)
		p.start(2)
		return p.series(3, 10*time.Minute, func(i int) { p.serve(100); p.open("leak", classesKey, 500) })
	}},
	{"30 an hour in 20,000 handles, a group of their own", func(testing.TB) []shot {
		p := newProcess("store.exe", 900, 3)
		p.start(100)
		p.open("base", section, 2000)
		return p.series(3, time.Hour, func(i int) { p.open("leak", withAccess(plainKey, 0x20006), 30) })
	}},
	{"30 an hour in 20,000 handles, in a group of 12,000", func(testing.TB) []shot {
		p := newProcess("store.exe", 900, 4)
		p.start(40)
		p.open("base", semaphore, 12000)
		return p.series(3, time.Hour, func(i int) { p.open("leak", semaphore, 30) })
	}},
	{"files with numbered names", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 77, 5)
		p.start(2)
		return p.series(4, 30*time.Minute, func(i int) { p.vary("sockets", socket, 200); p.open("leak", tempFile, 60) })
	}},
	{"keys below user hives", func(testing.TB) []shot {
		p := newProcess("app.exe", 78, 6)
		p.start(2)
		return p.series(5, 10*time.Minute, func(i int) { p.serve(40); p.open("leak", userKey, p.around(50)) })
	}},
	{"names without a common form", func(testing.TB) []shot {
		p := newProcess("editor.exe", 79, 7)
		p.start(1)
		return p.series(4, time.Hour, func(i int) {
			for range 40 {
				word := make([]byte, 9)
				for j := range word {
					word[j] = byte('g' + p.rand.IntN(20))
				}
				p.open("leak", dumptest.Handle{Type: "File", Name: `\Device\HarddiskVolume3\documents\` + string(word), GrantedAccess: 0x120089}, 1)
			}
		})
	}},
	{"tokens in two processes", func(testing.TB) []shot {
		w, l := newProcess("w3wp.exe", 5000, 8), newProcess("lsass.exe", 700, 9)
		l.created -= 86400
		w.start(2)
		l.start(3)
		var shots []shot
		for i := range 6 {
			n := []int{0, 120, 40, 200, 90, 160}[i]
			w.serve(80)
			w.open("leak", token, n)
			l.vary("work", autoEvent, 100)
			l.open("leak", withAccess(token, 0xf01fe), n+l.rand.IntN(8))
			shots = append(shots, w.dump(fmt.Sprintf("w3wp-%d.dmp", i)))
			l.wait(5 * time.Second)
			shots = append(shots, l.dump(fmt.Sprintf("lsass-%d.dmp", i)))
			w.wait(time.Hour)
			l.wait(time.Hour - 5*time.Second)
		}
		return shots
	}},
	{"exited threads", func(testing.TB) []shot {
		p := newProcess("worker.exe", 81, 10)
		p.start(2)
		return p.series(4, time.Hour, func(i int) {
			p.vary("pool", runningThread, 50)
			p.open("leak", exitedThread, 80)
		})
	}},
	{"dead processes, one dump", func(testing.TB) []shot {
		p := newProcess("launcher.exe", 82, 11)
		p.start(1)
		p.open("leak", deadProcess, 120)
		p.wait(8 * time.Hour)
		return []shot{p.dump("launcher.dmp")}
	}},
	{"handle values reused", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 83, 12)
		p.start(2)
		return p.series(6, time.Hour, func(i int) {
			// The leak takes the values that the requests give back.
			p.serve(600)
			p.close("sockets", 1000)
			p.close("request events", 1000)
			p.open("leak", plainKey, 150)
			p.serve(600)
		})
	}},
	{"clock set back", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 84, 13)
		p.start(2)
		p.wait(3 * time.Hour)
		return p.series(4, time.Hour, func(i int) {
			if i == 2 {
				p.clock = -2*3600 - 1800
			}
			p.serve(100)
			p.open("leak", classesKey, 300)
		})
	}},
	{"dumps out of order", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 85, 14)
		p.start(2)
		shots := p.series(5, time.Hour, func(i int) { p.serve(100); p.open("leak", plainKey, 100) })
		return []shot{shots[3], shots[0], shots[4], shots[2], shots[1]}
	}},
	{"a leak with one dump twice", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 86, 15)
		p.start(2)
		shots := p.series(3, time.Hour, func(i int) { p.serve(100); p.open("leak", plainKey, 100) })
		return append(shots, shot{"copy.dmp", shots[1].data})
	}},
	{"two dumps of a fast leak", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 87, 16)
		p.start(2)
		return p.series(2, time.Hour, func(i int) { p.serve(100); p.open("leak", manualEvent, 3000*i) })
	}},
	{"accelerating leak", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 88, 17)
		p.start(2)
		return p.series(8, time.Hour, func(i int) { p.serve(100); p.open("leak", section, 20+20*i) })
	}},
	{"three leaks at once", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 89, 18)
		p.start(2)
		return p.series(5, time.Hour, func(i int) {
			p.serve(100)
			p.open("leak", classesKey, 100)
			p.open("leak", plainKey, 40)
			p.open("leak", tempFile, p.around(70))
		})
	}},

	// From here on nothing leaks.
	{"cache that fills", func(testing.TB) []shot {
		p := newProcess("cache.exe", 101, 21)
		p.start(2)
		return p.series(10, time.Hour, func(i int) { p.serve(60); p.hold("cache", cacheFile, int(3000*(1-math.Exp(-float64(i)/1.5)))) })
	}},
	{"cache that fills, three dumps", func(testing.TB) []shot {
		p := newProcess("cache.exe", 102, 22)
		p.start(2)
		return p.series(3, time.Hour, func(i int) { p.hold("cache", cacheFile, []int{0, 900, 1100}[i]) })
	}},
	{"sawtooth", func(testing.TB) []shot {
		p := newProcess("clr.exe", 103, 23)
		p.start(2)
		return p.series(14, 10*time.Minute, func(i int) { p.hold("garbage", manualEvent, 100+(i%5)*400) })
	}},
	{"sawtooth that ends at its top", func(testing.TB) []shot {
		p := newProcess("clr.exe", 104, 24)
		p.start(2)
		return p.series(5, 10*time.Minute, func(i int) { p.hold("garbage", manualEvent, []int{100, 900, 200, 700, 1300}[i]) })
	}},
	{"burst that drains", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 105, 25)
		p.start(2)
		return p.series(6, 10*time.Minute, func(i int) { p.hold("burst", socket, []int{50, 6000, 4500, 2000, 300, 60}[i]) })
	}},
	{"burst that is still draining", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 106, 26)
		p.start(2)
		return p.series(3, 10*time.Minute, func(i int) { p.hold("burst", socket, []int{50, 4000, 1500}[i]) })
	}},
	{"step", func(testing.TB) []shot {
		p := newProcess("svchost.exe", 107, 27)
		p.start(2)
		return p.series(6, time.Hour, func(i int) {
			if i == 2 {
				p.open("new configuration", plainKey, 400)
			}
			p.serve(60)
		})
	}},
	{"restarted process", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 108, 28)
		p.start(1)
		p.wait(time.Minute)
		old := p.dump("before.dmp")
		q := newProcess("w3wp.exe", 2108, 29)
		q.created += 7200
		q.now += 10 * 3600
		q.start(12)
		return []shot{old, q.dump("after.dmp")}
	}},
	{"restarted process with the same id", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 109, 30)
		p.start(1)
		p.wait(time.Minute)
		old := p.dump("before.dmp")
		q := newProcess("w3wp.exe", 109, 31)
		q.created += 7200
		q.now += 10 * 3600
		q.start(12)
		return []shot{old, q.dump("after.dmp")}
	}},
	{"one dump twice", func(testing.TB) []shot {
		p := newProcess("app.exe", 110, 32)
		p.start(4)
		s := p.dump("app.dmp")
		return []shot{s, {"again.dmp", s.data}}
	}},
	{"threads that exit, no handle opened", func(testing.TB) []shot {
		p := newProcess("pool.exe", 111, 33)
		p.start(2)
		p.open("pool", runningThread, 300)
		return p.series(4, time.Hour, func(i int) {
			for _, v := range p.groups["pool"][:45*i] {
				p.handles[v] = withInfo(p.handles[v], exitedThread.Info)
			}
		})
	}},
}

// mistakes are scenarios that the verdict gets wrong, because the dumps do not
// tell: the truth file says what is true and what the verdict says.
var mistakes = []scenario{
	{"cache that has only begun to fill", func(testing.TB) []shot {
		p := newProcess("cache.exe", 201, 41)
		p.start(2)
		return p.series(3, time.Minute, func(i int) { p.hold("cache", cacheFile, 300*i) })
	}},
	{"burst at its top in the last dump", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 202, 42)
		p.start(2)
		return p.series(4, 10*time.Minute, func(i int) { p.hold("burst", socket, []int{50, 60, 55, 4000}[i]) })
	}},
	{"leak below a sawtooth", func(testing.TB) []shot {
		p := newProcess("clr.exe", 203, 43)
		p.start(2)
		return p.series(7, 10*time.Minute, func(i int) {
			p.hold("garbage", manualEvent, []int{100, 900, 1700, 200, 1000, 1800, 300}[i])
			p.open("leak", manualEvent, 20)
		})
	}},
	{"slow leak in two dumps", func(testing.TB) []shot {
		p := newProcess("store.exe", 204, 44)
		p.start(20)
		return p.series(2, time.Hour, func(i int) { p.open("leak", plainKey, 30) })
	}},
	{"growing load in three dumps", func(testing.TB) []shot {
		p := newProcess("w3wp.exe", 205, 45)
		p.start(2)
		return p.series(3, time.Hour, func(i int) { p.hold("sockets", socket, 200+100*i) })
	}},
}

func withAccess(h dumptest.Handle, access uint32) dumptest.Handle {
	h.GrantedAccess = access
	return h
}

func withInfo(h dumptest.Handle, info []dumptest.ObjectInformation) dumptest.Handle {
	h.Info = info
	return h
}
