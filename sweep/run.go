package sweep

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"accelsim/design"
)

// Settings say how to run a plan.
type Settings struct {
	Workers int // 0 is as many as there are CPUs to use
	// Finish is called with each record as soon as there is one, by one
	// goroutine at a time.
	Finish func(Record) error
}

// Run evaluates points on all cores, in about their order. It stops early if
// the context ends or Finish fails, and returns why.
func Run(ctx context.Context, p *Plan, points []*Point, s Settings) error {
	workers := s.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	jobs := make(chan job)
	records := make(chan Record, workers)
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for j := range jobs {
				if j.point == nil {
					j.group.get()
					continue
				}
				r, err := p.evaluate(j)
				if err != nil {
					cancel(err)
					return
				}
				records <- r
			}
		})
	}
	go func() {
		defer close(jobs)
		for _, j := range queue(p.Fixed, points) {
			select {
			case jobs <- j:
			case <-ctx.Done():
				return
			}
		}
	}()
	go func() {
		working.Wait()
		close(records)
	}()
	for r := range records { // to the end, so that no worker waits for ever
		if err := s.Finish(r); err != nil {
			cancel(err)
		}
	}
	return context.Cause(ctx)
}

// job is a point to evaluate, or, without one, a group's baseline.
type job struct {
	point *Point
	group *group
}

// group is points that share a baseline.
type group struct {
	once     sync.Once
	point    design.Point
	baseline atomic.Pointer[design.Baseline]
	err      error
	left     atomic.Int64 // points to come
}

func (g *group) get() (*design.Baseline, error) {
	g.once.Do(func() {
		defer func() {
			if p := recover(); p != nil {
				g.err = broken(p)
			}
		}()
		b, err := design.BPTT(g.point)
		g.err = err
		g.baseline.Store(b)
	})
	return g.baseline.Load(), g.err
}

// queue puts a group's baseline before the points of the group before it: by
// the time that its own points come, nobody waits for it.
func queue(f Fixed, points []*Point) []job {
	groups := map[string]*group{}
	var order []*group
	members := map[*group][]job{}
	var jobs []job
	for _, p := range points {
		if p.Refused != "" {
			jobs = append(jobs, job{point: p})
			continue
		}
		g := groups[p.group]
		if g == nil {
			g = &group{point: p.design(f)}
			groups[p.group], order = g, append(order, g)
		}
		g.left.Add(1)
		members[g] = append(members[g], job{p, g})
	}
	for i, g := range order {
		if i == 0 {
			jobs = append(jobs, job{group: g})
		}
		if i+1 < len(order) {
			jobs = append(jobs, job{group: order[i+1]})
		}
		jobs = append(jobs, members[g]...)
	}
	return jobs
}

func (p *Point) design(f Fixed) design.Point {
	f.Options.Order = p.order
	return design.Point{
		Workload: p.task.workload, Hardware: p.machine.hardware, K: p.k, N: p.n, Traffic: p.traffic, Residency: p.resides, Options: f.Options,
	}
}

// evaluate makes a point's record. A baseline that cannot be had leaves its
// columns empty, and the reason says why.
func (p *Plan) evaluate(j job) (r Record, err error) {
	if j.point.Refused != "" {
		return Record{Key: j.point.Key, Status: Invalid, Reason: j.point.Refused}, nil
	}
	defer func() {
		if thrown := recover(); thrown != nil { // one point's bug is not the end of a thousand others
			r, err = record(j.point, nil, broken(thrown))
		}
	}()
	d := j.point.design(p.Fixed)
	var without error
	d.Baseline, without = j.group.get()
	if j.group.left.Add(-1) == 0 {
		j.group.baseline.Store(nil) // nobody needs it any more
	}
	d.NoBaseline = without != nil
	e, failed := design.Evaluate(d)
	if r, err = record(j.point, e, failed); err == nil && r.Reason == "" && without != nil {
		r.Reason = oneLine(without)
	}
	return r, err
}

// broken describes a panic: the same text whichever worker it stopped.
func broken(p any) error {
	return fmt.Errorf("a defect of accelsim, please report it: %v", p)
}
