package pe

import (
	"fmt"
	"math"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/elementary"
	"github.com/accelsim-dev/accelsim/units"
)

// Dataflow is how the array goes about a matrix product.
type Dataflow uint8

const (
	// Gated is the default: rows and columns are buses, a PE owns one output and
	// takes one term per clock. A zero input spends the clock, not the addition.
	Gated Dataflow = iota
	// WeightStationary is a systolic array whose PEs hold a weight each while
	// inputs pass from the left and sums downwards.
	WeightStationary
	// OutputStationary is a systolic array whose PEs own an output each while
	// inputs pass from the left and weights from above.
	OutputStationary
	// EventDriven is like Gated, but a row goes through its non-zero inputs only.
	// The rows of a tile start together and wait for the one with most events.
	EventDriven
	numDataflows
)

var dataflowNames = [numDataflows]string{"gated", "weight-stationary", "output-stationary", "event-driven"}

// String returns the name that hardware files use.
func (d Dataflow) String() string { return dataflowNames[d] }

// Dataflows returns the names that hardware files may use.
func Dataflows() []string { return dataflowNames[:] }

// ParseDataflow returns the dataflow of that name; "" is the default.
func ParseDataflow(name string) (Dataflow, error) {
	if name == "" {
		return Gated, nil
	}
	for d, n := range dataflowNames {
		if n == name {
			return Dataflow(d), nil
		}
	}
	return 0, fmt.Errorf("%q is not a dataflow; write one of %s", name, strings.Join(Dataflows(), ", "))
}

// weightStationary executes a product on a systolic array. A fold holds Rows
// terms of Columns outputs: its weights shift in, one row per clock; then the
// product's rows stream through, each PE row one clock behind the one above it.
// With R rows and C columns, m rows take R + (m - 1) + (R - 1) + (C - 1) + 1
// clocks until the last sum leaves. Folds of the same output add to its partial
// sum. The clock in which the first fold's first weights enter is the one
// before the product starts.
//
// This is the timing of SCALE-Sim (Samajdar et al., ISPASS 2020), edge folds
// taking as long as full ones.
func (a Array) weightStationary(m Matrix) Cost {
	r, c := int64(a.Rows), int64(a.Columns)
	fold := 2*r + c + m.Rows - 2 + m.Drain
	var cost Cost
	for i, depth := range cut(m.Depth, r) {
		for _, columns := range cut(m.Columns, c) {
			tile := Cost{
				Cycles:  units.Cycles(fold),
				Slots:   m.Rows * columns.size * depth.size,
				Reads:   units.Words(columns.size*depth.size + m.Rows*depth.size),
				Columns: units.Words(columns.size * depth.size),
				Writes:  units.Words(m.Rows * columns.size),
			}
			folds := depth.count * columns.count * m.Repeats
			cost.add(tile, folds)
			// Partial sums come back for every fold but an output's first.
			later := folds
			if i == 0 {
				later -= columns.count * m.Repeats
			}
			cost.Sums += units.Words(m.Rows*columns.size) * units.Words(later)
		}
	}
	cost.Reads += cost.Sums
	cost.Outputs = m.Rows * m.Columns * m.Repeats
	cost.Cycles += a.Pipeline - 1
	return cost
}

// outputStationary executes a product on a systolic array. A fold owns Rows x
// Columns outputs; after the depth of terms has passed with a skew of R + C - 2
// clocks, the sums shift out, one row per clock.
func (a Array) outputStationary(m Matrix) Cost {
	r, c := int64(a.Rows), int64(a.Columns)
	fold := 2*r + c + m.Depth - 2 + m.Drain
	var cost Cost
	for _, rows := range cut(m.Rows, r) {
		for _, columns := range cut(m.Columns, c) {
			cost.add(Cost{
				Cycles:  units.Cycles(fold),
				Slots:   rows.size * columns.size * m.Depth,
				Outputs: rows.size * columns.size,
				Reads:   units.Words((rows.size + columns.size) * m.Depth),
				Columns: units.Words(columns.size * m.Depth),
				Writes:  units.Words(rows.size * columns.size),
			}, rows.count*columns.count*m.Repeats)
		}
	}
	cost.Cycles += a.Pipeline - 1
	return cost
}

// Fold returns how many rows, columns and terms of a matrix product the array
// takes on at a time; what streams through is 1. A product of multiples of them
// leaves no PE without work.
func (a Array) Fold() (rows, columns, terms int64) {
	if a.Dataflow == WeightStationary {
		return 1, int64(a.Columns), int64(a.Rows)
	}
	return int64(a.Rows), int64(a.Columns), 1
}

// slowest returns the clocks of a tile whose rows have depth inputs each, of
// which a fraction is not zero: the expected largest number of events among
// rows that are independent of each other.
//
// The number of events of a row is binomial; its normal approximation and
// Blom's (1958) expected largest of r normal values give
// depth a + sqrt(depth a (1-a)) Phi^-1((r - 3/8) / (r + 1/4)).
func slowest(depth, rows int64, density float64) int64 {
	n := float64(depth)
	mean := float64(n * density)
	largest := mean
	if rows > 1 {
		p := (float64(rows) - 0.375) / (float64(rows) + 0.25)
		largest += float64(math.Sqrt(mean*(1-density)) * elementary.NormalQuantile(p))
	}
	return min(depth, int64(math.Ceil(largest)))
}
