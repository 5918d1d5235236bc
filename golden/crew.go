package golden

import (
	"sync"
	"sync/atomic"
)

// crew runs the tasks of a phase on a fixed number of workers. A task writes
// only what no other task of its phase reads or writes, so results do not
// depend on the number of workers or on who does what.
type crew struct {
	workers int
	start   []chan struct{}
	done    sync.WaitGroup
	next    atomic.Int64
	tasks   int
	run     func(t *Trainer, worker, task int)
}

// hire starts the workers; they wait for phases until dismiss.
func (c *crew) hire(t *Trainer) {
	c.start = make([]chan struct{}, c.workers-1)
	for i := range c.start {
		start := make(chan struct{})
		c.start[i] = start
		go func() {
			for range start {
				c.work(t, i+1)
				c.done.Done()
			}
		}()
	}
}

func (c *crew) dismiss() {
	for _, ch := range c.start {
		close(ch)
	}
	c.start = nil
}

func (c *crew) work(t *Trainer, worker int) {
	for {
		task := int(c.next.Add(1)) - 1
		if task >= c.tasks {
			return
		}
		c.run(t, worker, task)
	}
}

// phase runs all tasks of a phase and returns when they are done.
func (t *Trainer) phase(tasks int, run func(t *Trainer, worker, task int)) {
	c := &t.crew
	if tasks == 1 || len(c.start) == 0 {
		for task := range tasks {
			run(t, 0, task)
		}
		return
	}
	c.run, c.tasks = run, tasks
	c.next.Store(0)
	helpers := min(len(c.start), tasks-1)
	c.done.Add(helpers)
	for _, ch := range c.start[:helpers] {
		ch <- struct{}{}
	}
	c.work(t, 0)
	c.done.Wait()
}

// share returns the part of n things that task i of m does.
func share(n, i, m int) (first, end int) { return n * i / m, n * (i + 1) / m }
