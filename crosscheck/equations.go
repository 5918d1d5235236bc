// Package crosscheck holds the simulator against what it is checked with: the
// equations of analytic/ and the trainer of golden/. It is the only place where
// the two sides meet.
package crosscheck

import (
	"accelsim/analytic"
	"accelsim/sim"
)

// Row compares one counter with one equation.
type Row struct {
	Quantity   string
	Equation   string
	Simulated  int64
	Analytic   int64
	Difference int64 // simulated - analytic
	// Decides tells whether a difference fails the check. Additions that are
	// events of given tensors do not: a padding tap carries none.
	Decides bool
}

// Check is a comparison with Eqs. 11-17, row by row.
type Check struct {
	Pass bool
	Rows []Row
}

// Equations compares a simulated iteration with Eqs. 11-17 at the result's
// own densities. Additions decide unless they were counted from tensors.
func Equations(r *sim.Result, fromTensors bool) (Check, analytic.Counts, error) {
	want, err := analytic.Iteration(r.Workload, r.K, r.N)
	if err != nil {
		return Check{}, want, err
	}
	got := r.Counts
	c := Check{Pass: true}
	add := func(quantity, equation string, simulated, expected int64, decides bool) {
		row := Row{quantity, equation, simulated, expected, simulated - expected, decides}
		c.Rows = append(c.Rows, row)
		if decides && row.Difference != 0 {
			c.Pass = false
		}
	}
	add("forward reads", "11", int64(got.Forward.Reads), int64(want.Forward.Reads), true)
	add("forward writes", "11", int64(got.Forward.Writes), int64(want.Forward.Writes), true)
	add("forward additions", "15", got.Forward.Adds, want.Forward.Adds, !fromTensors)
	add("backward reads", "12, 14", int64(got.Backward.Reads), int64(want.Backward.Reads), true)
	add("backward writes", "13", int64(got.Backward.Writes), int64(want.Backward.Writes), true)
	add("backward additions", "16", got.Backward.Adds, want.Backward.Adds, !fromTensors)
	add("backward MACs", "17", got.Backward.MACs, want.Backward.MACs, true)
	return c, want, nil
}
