package design

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/accelsim-dev/accelsim/sim"
)

// simulations are runs that have nothing to do with each other. Each has a
// program of its own, so they can go on at the same time, and what each gives
// does not depend on the others.
type simulations []simulation

type simulation struct {
	steps int64
	run   func(sim.Options) error
}

// add appends a simulation of so many steps.
func (s *simulations) add(steps int64, run func(sim.Options) error) {
	*s = append(*s, simulation{steps, run})
}

// run simulates with a point's options, at most one a CPU at a time, and
// returns the error of the first in the list that failed: the same on any
// number of CPUs, unless it was stopped. A single one stays on the caller's
// goroutine.
func (s simulations) run(p Point) error {
	m := newMeter(s, p.Progress)
	errs := make([]error, len(s))
	var taken atomic.Int64
	var failed atomic.Bool
	work := func() {
		// They are taken in order, so none before a failed one is left out.
		for !failed.Load() {
			i := int(taken.Add(1)) - 1
			if i >= len(s) {
				return
			}
			o := p.Options
			if o.Stopped() {
				errs[i] = sim.ErrStopped
				return
			}
			if p.Progress != nil {
				o.Progress = func(done int64) { m.step(i, done) }
			}
			if errs[i] = s[i].run(o); errs[i] != nil {
				failed.Store(true)
				return
			}
			m.step(i, s[i].steps)
		}
	}
	var others sync.WaitGroup
	for range min(len(s), runtime.GOMAXPROCS(0)) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// meter adds up how far each of several simulations has come.
type meter struct {
	mutex    sync.Mutex
	report   func(done, total int64) // nil: nobody asks
	done     []int64
	sum, all int64
}

func newMeter(s simulations, report func(done, total int64)) *meter {
	m := &meter{report: report, done: make([]int64, len(s))}
	for _, x := range s {
		m.all += x.steps
	}
	return m
}

// step says that simulation i has done so many of its steps.
func (m *meter) step(i int, done int64) {
	if m.report == nil {
		return
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.sum += done - m.done[i]
	m.done[i] = done
	m.report(m.sum, m.all)
}
