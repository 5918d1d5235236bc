// Package sweep evaluates many design points: a grid or a list over networks,
// k, n, hardware and any key of a hardware file.
//
// A [Spec] says what to sweep. [NewPlan] counts and resolves its points: each
// has a key, the hash of its full input and of the program's version. [Run]
// evaluates those that no [Journal] holds yet, on all cores. [NewTable] lays the
// records out, and [Select], [Order], [Front] and [Merit] ask questions of it.
//
// What survives a kill. Every process writes a journal of its own, one line a
// finished point, and never touches another's. A point is finished when its
// line is in the file; a torn last line is a point that is not. All tables are
// made of journal lines, in the plan's order, so that they come out the same
// byte for byte whoever computed the lines, and when.
package sweep

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/accelsim-dev/accelsim/internal/accuracy"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
)

// Fixed is what every point of a sweep has in common.
type Fixed struct {
	// Version names the program; results of different versions never mix.
	Version string
	Options sim.Options
}

// Plan is the points of a sweep, in order.
type Plan struct {
	Fixed  Fixed
	Inputs []string // names of the input columns; the last are k and n
	Points []*Point
	// Subjects are the networks that occur.
	Subjects []*Subject
	// Twice counts points that the spec names more than once; they are kept once.
	Twice int
}

// Point is one design point: a combination at (k, n). There may be millions.
type Point struct {
	// Key is the hash of everything that its result depends on.
	Key Key
	// Refused says why the point cannot be simulated, "" if it can.
	Refused string

	k, n int32 // 0: not known, without a workload
	*combination
}

// combination is what points that differ in k and n only have in common: all
// but these, and so the baseline.
type combination struct {
	sum     Key      // of everything that their results depend on
	values  []string // by [Plan.Inputs], without k and n
	subject *Subject // nil if there is no workload

	workload *network.Workload
	machine  *machine
	traffic  schedule.Traffic
	resides  sim.Residency
	order    schedule.Order
}

// Value returns an input by its place in [Plan.Inputs], as text.
func (p *Point) Value(input int) string {
	if input < len(p.values) {
		return p.values[input]
	}
	v := p.k
	if input > len(p.values) {
		v = p.n
	}
	if v == 0 {
		return ""
	}
	return strconv.Itoa(int(v))
}

// Values returns all inputs by [Plan.Inputs].
func (p *Point) Values() []string {
	return append(slices.Clone(p.values), p.Value(len(p.values)), p.Value(len(p.values)+1))
}

// Subject is a network that is swept, on a dataset, by a training rule.
type Subject struct {
	Given    string // as the input net names it
	Name     string // as its file does
	Layers   string // as it writes them
	Ends     []int  // see [network.Network.UnitEnds]
	Learning accuracy.Learning
	Content  Key    // of the workload file
	Note     string // see [network.Network.Misreadable]; not kept in plan files
}

// blocks returns the layers of the blocks of n layers.
func (s *Subject) blocks(n int) (blocks [][]int) {
	for _, b := range network.Cut(s.Ends, n) {
		blocks = append(blocks, b.Layers())
	}
	return blocks
}

// NewPlan resolves all points of a spec. Combinations that cannot be simulated
// are points with a reason; a value that is wrong in every combination is an
// error, and so are zero points and more than the limit.
func NewPlan(spec *Spec, fixed Fixed, limit int64) (*Plan, error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	if n := spec.atLeast(); n > limit {
		return nil, &TooMany{n, limit}
	}
	r := newResolver(&Plan{Fixed: fixed, Inputs: spec.inputs()}, limit)
	for _, g := range spec.grids() {
		if err := r.grid(g); err != nil {
			return nil, err
		}
	}
	if len(r.plan.Points) == 0 {
		return nil, errors.New("the grid has zero points: every axis needs a value")
	}
	if err := r.hopeless(); err != nil {
		return nil, err
	}
	if err := r.plan.refused(); err != nil {
		return nil, err
	}
	if err := r.idleEnergy(); err != nil {
		return nil, err
	}
	return r.plan, nil
}

// refused returns an error if no point can be simulated.
func (p *Plan) refused() error {
	if slices.ContainsFunc(p.Points, func(point *Point) bool { return point.Refused == "" }) {
		return nil
	}
	first := p.Points[0].Refused
	if len(p.Points) == 1 {
		return errors.New(first)
	}
	return fmt.Errorf("none of %d points can be simulated; the first: %s", len(p.Points), first)
}

// idleEnergy refuses an energy table that changes nothing on any machine.
func (r *resolver) idleEnergy() error {
	var precisions []pe.Precision
	for _, m := range r.machines {
		if m.err == nil {
			precisions = append(precisions, m.computes)
		}
	}
	if len(precisions) == 0 {
		return nil
	}
	slices.Sort(precisions)
	_, err := r.plan.Fixed.Options.Energy.Idle(precisions...)
	return err
}

// TooMany says that a sweep has more points than it may.
type TooMany struct{ Points, Limit int64 }

// Error tells how many.
func (e *TooMany) Error() string {
	return fmt.Sprintf("the sweep has %d points or more; the limit is %d", e.Points, e.Limit)
}
