package sweep

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/accelsim-dev/accelsim/internal/design"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tiling"
)

// Settings say how to run a plan.
type Settings struct {
	Workers int // 0 is as many as there are CPUs to use
	// Finish is called with each record as soon as there is one, by one
	// goroutine at a time.
	Finish func(Record) error
}

// Run evaluates points on all cores, in about their order. If the context ends
// or Finish fails, it stops the points under way, which are then not finished,
// and returns why.
func Run(ctx context.Context, p *Plan, points []*Point, s Settings) error {
	workers := s.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	fixed := p.Fixed
	fixed.Options.Stop = ctx.Done()
	memo := new(tiling.Memo) // of all points: many have steps of the same shape
	jobs := make(chan job)
	records := make(chan Record, workers)
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for j := range jobs {
				if j.point == nil {
					j.group.begin(fixed, memo)
					continue
				}
				r, err := evaluate(j, fixed, memo)
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
		for j := range queue(points) {
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
	members []*Point
	once    sync.Once
	point   design.Point // without k and n
	err     error        // there is no such point: its hardware cannot be read
	basis   *design.Baseline
	without error        // there is no baseline
	left    atomic.Int64 // points to come
}

// begin reads the hardware and simulates the baseline, once.
func (g *group) begin(f Fixed, memo *tiling.Memo) {
	g.once.Do(func() {
		defer func() {
			if p := recover(); p != nil {
				g.without = broken(p)
			}
		}()
		g.point, g.err = g.members[0].design(f)
		g.point.Memo = memo
		if g.err == nil {
			g.basis, g.without = design.BPTT(g.point)
		}
	})
}

// end forgets all of it when the last point has been evaluated.
func (g *group) end() {
	if g.left.Add(-1) == 0 {
		g.point, g.basis, g.members = design.Point{}, nil, nil
	}
}

// queue yields the jobs of points: a group's baseline before the points of the
// group before it, so that nobody waits for it by the time that its own come.
func queue(points []*Point) iter.Seq[job] {
	groups := map[*combination]*group{}
	var order []*group
	return func(yield func(job) bool) {
		for _, p := range points {
			if p.Refused != "" {
				if !yield(job{point: p}) {
					return
				}
				continue
			}
			g := groups[p.combination]
			if g == nil {
				g = &group{}
				groups[p.combination], order = g, append(order, g)
			}
			g.members = append(g.members, p)
		}
		clear(groups)
		for i, g := range order {
			order[i] = nil
			g.left.Store(int64(len(g.members)))
			members := g.members
			if i == 0 && !yield(job{group: g}) || i+1 < len(order) && !yield(job{group: order[i+1]}) {
				return
			}
			for _, p := range members {
				if !yield(job{p, g}) {
					return
				}
			}
		}
	}
}

// design is what is simulated at a point, for now without k and n.
func (c *combination) design(f Fixed) (design.Point, error) {
	hw, err := c.machine.again()
	f.Options.Order = c.order
	return design.Point{Workload: c.workload, Hardware: hw, Traffic: c.traffic, Residency: c.resides, Options: f.Options}, err
}

// evaluate makes a point's record. A baseline that cannot be had leaves its
// columns empty, and the reason says why. A point that was stopped has no record
// but the error [sim.ErrStopped].
func evaluate(j job, fixed Fixed, memo *tiling.Memo) (r Record, err error) {
	if j.point.Refused != "" {
		return Record{Key: j.point.Key, Status: Invalid, Reason: j.point.Refused}, nil
	}
	defer func() {
		if thrown := recover(); thrown != nil { // one point's bug is not the end of a thousand others
			r, err = record(j.point, nil, broken(thrown))
		}
	}()
	j.group.begin(fixed, memo)
	defer j.group.end()
	if j.group.err != nil {
		return record(j.point, nil, j.group.err)
	}
	d := j.group.point
	d.K, d.N = int(j.point.k), int(j.point.n)
	d.Baseline, d.NoBaseline = j.group.basis, j.group.without != nil
	e, failed := design.Evaluate(d)
	if errors.Is(failed, sim.ErrStopped) || errors.Is(j.group.without, sim.ErrStopped) {
		return r, sim.ErrStopped
	}
	if r, err = record(j.point, e, failed); err == nil && r.Reason == "" {
		r.Reason = oneLine(j.group.without)
	}
	return r, err
}

// broken describes a panic: the same text whichever worker it stopped.
func broken(p any) error {
	return fmt.Errorf("a defect of accelsim, please report it: %v", p)
}
