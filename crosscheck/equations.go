// Package crosscheck holds the simulator against what it is checked with: the
// equations of analytic/ and the trainer of golden/. It is the only place where
// the two sides meet.
package crosscheck

import (
	"github.com/accelsim-dev/accelsim/analytic"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// Row compares one counter with one equation.
type Row struct {
	Quantity   string
	Equation   string
	Simulated  int64
	Analytic   int64
	Difference int64 // simulated - analytic
	// Saved is words that the equation covers and the schedule's residency policy
	// left out.
	Saved int64
	// Decides tells whether a difference fails the check. Additions that are
	// events of given tensors do not: a padding tap carries none. Nor do words
	// under another residency policy than the paper's.
	Decides bool
}

// Check is a comparison with Eqs. 11-17, row by row, and of what units did with
// the time that there was.
type Check struct {
	Pass bool
	Rows []Row
	// Late says which units were busy for longer than the iteration took, or for
	// less than nothing; a simulation in which one was is wrong.
	Late []string
}

// Equations compares a simulated iteration with Eqs. 11-17 at the result's
// own densities. Additions decide unless they were counted from tensors, words
// where what stays on chip is what the equations assume.
func Equations(r *sim.Result, fromTensors bool) (Check, analytic.Counts, error) {
	want, err := analytic.Iteration(r.Workload, r.K, r.N)
	if err != nil {
		return Check{}, want, err
	}
	got, saved := r.Counts, r.Saved.Covered
	asAssumed := !r.Policy.SkipUnread && len(r.Policy.Pinned) == 0
	c := Check{Pass: true}
	add := func(quantity, equation string, simulated, saved, expected int64, decides bool) {
		row := Row{quantity, equation, simulated, expected, simulated - expected, saved, decides}
		c.Rows = append(c.Rows, row)
		if decides && row.Difference != 0 {
			c.Pass = false
		}
	}
	words := func(quantity, equation string, simulated, saved, expected units.Words) {
		add(quantity, equation, int64(simulated), int64(saved), int64(expected), asAssumed)
	}
	words("forward reads", "11", got.Forward.Reads, saved[0].Reads, want.Forward.Reads)
	words("forward writes", "11", got.Forward.Writes, saved[0].Writes, want.Forward.Writes)
	add("forward additions", "15", got.Forward.Adds, 0, want.Forward.Adds, !fromTensors)
	words("backward reads", "12, 14", got.Backward.Reads, saved[1].Reads, want.Backward.Reads)
	words("backward writes", "13", got.Backward.Writes, saved[1].Writes, want.Backward.Writes)
	add("backward additions", "16", got.Backward.Adds, 0, want.Backward.Adds, !fromTensors)
	add("backward MACs", "17", got.Backward.MACs, 0, want.Backward.MACs, true)
	c.Late = late(r)
	c.Pass = c.Pass && c.Late == nil
	return c, want, nil
}
