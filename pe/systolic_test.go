package pe

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/units"
)

// folds calls do for every fold of a product: the part of two of its sides that
// the array's rows and columns take on, and whether it is the first of the one
// along the rows.
func folds(alongRows, alongColumns int64, a Array, do func(rows, columns int64, first bool)) {
	for r := int64(0); r < alongRows; r += int64(a.Rows) {
		for c := int64(0); c < alongColumns; c += int64(a.Columns) {
			do(min(int64(a.Rows), alongRows-r), min(int64(a.Columns), alongColumns-c), r == 0)
		}
	}
}

// walkWeightStationary counts fold by fold, word by word: weights enter once a
// fold, every row's inputs enter from the left, and every row's sums leave at
// the bottom; they come back as partial sums for the next terms.
func walkWeightStationary(a Array, m Matrix) (cost Cost) {
	for range m.Repeats {
		folds(m.Depth, m.Columns, a, func(terms, columns int64, first bool) {
			for range terms * columns { // a weight
				cost.Reads++
				cost.Columns++
			}
			for range m.Rows {
				for range terms { // an input
					cost.Reads++
				}
				for range columns { // a sum
					if !first {
						cost.Reads++
						cost.Sums++
					}
					cost.Writes++
					cost.Slots += terms
				}
			}
			r, c := int64(a.Rows), int64(a.Columns)
			cost.Cycles += units.Cycles(r + (m.Rows - 1) + (r - 1) + (c - 1) + 1 + m.Drain)
		})
	}
	cost.Cycles += a.Pipeline - 1 // the first weights enter in the clock before
	cost.Outputs = m.Rows * m.Columns * m.Repeats
	return cost
}

// walkOutputStationary counts fold by fold: a row's and a column's operand enter
// for every term, and each output leaves once.
func walkOutputStationary(a Array, m Matrix) (cost Cost) {
	for range m.Repeats {
		folds(m.Rows, m.Columns, a, func(rows, columns int64, _ bool) {
			for range m.Depth {
				for range rows {
					cost.Reads++
				}
				for range columns {
					cost.Reads++
					cost.Columns++
				}
				cost.Slots += rows * columns
			}
			for range rows * columns {
				cost.Writes++
				cost.Outputs++
			}
			r, c := int64(a.Rows), int64(a.Columns)
			cost.Cycles += units.Cycles(m.Depth + (r - 1) + (c - 1) + r + m.Drain)
		})
	}
	cost.Cycles += a.Pipeline - 1
	return cost
}

func TestSystolicArraysAccessWhatALiteralWalkDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := func(low, high int, what string) int { return rapid.IntRange(low, high).Draw(t, what) }
		a := Array{Rows: number(1, 5, "PE rows"), Columns: number(1, 5, "PE columns"), Pipeline: units.Cycles(number(1, 9, "pipeline"))}
		m := Matrix{
			Rows: int64(number(1, 12, "rows")), Columns: int64(number(1, 12, "columns")), Depth: int64(number(1, 12, "depth")),
			Repeats: int64(number(1, 3, "repeats")), Drain: int64(number(0, 2, "drain")),
		}
		a.Dataflow = WeightStationary
		if got, want := a.Matrix(m), walkWeightStationary(a, m); got != want {
			t.Errorf("%v: %+v on %+v: %+v, want %+v", a.Dataflow, m, a, got, want)
		}
		a.Dataflow = OutputStationary
		if got, want := a.Matrix(m), walkOutputStationary(a, m); got != want {
			t.Errorf("%v: %+v on %+v: %+v, want %+v", a.Dataflow, m, a, got, want)
		}
	})
}

// The expected largest of n independent standard normal values (Harter 1961,
// table 1), which Blom's form has to a hundredth.
func TestTheSlowestRowIsTheLargestOfNormalValues(t *testing.T) {
	const depth, density = 1 << 40, 0.25
	deviation := math.Sqrt(depth * density * (1 - density))
	for _, c := range []struct {
		rows int64
		want float64
	}{{1, 0}, {10, 1.53875}, {20, 1.86748}, {50, 2.24907}, {100, 2.50759}} {
		got := (float64(slowest(depth, c.rows, density)) - depth*density) / deviation
		if math.Abs(got-c.want) > 0.01 {
			t.Errorf("%d rows: the slowest is %v deviations above the mean, not %v", c.rows, got, c.want)
		}
	}
}

func TestNoRowTakesMoreClocksThanItHasInputs(t *testing.T) {
	for _, c := range []struct {
		depth, rows int64
		density     float64
		want        int64
	}{
		{100, 1, 0, 0},
		{100, 64, 0, 0},
		{100, 64, 1, 100},
		{10, 1 << 20, 0.9, 10},
		{100, 1, 0.101, 11}, // a part of a clock is a clock
	} {
		if got := slowest(c.depth, c.rows, c.density); got != c.want {
			t.Errorf("%d inputs, %d rows, density %v: %d clocks, not %d", c.depth, c.rows, c.density, got, c.want)
		}
	}
}

// TestAFoldIsWhatTheArrayTakesOnAtATime: one row, column or term less than full
// folds is no faster, one more is slower. What streams through has no folds.
func TestAFoldIsWhatTheArrayTakesOnAtATime(t *testing.T) {
	for d := range numDataflows {
		a := Array{Rows: 6, Columns: 5, Dataflow: d, Pipeline: 1}
		rows, columns, terms := a.Fold()
		full := Matrix{Rows: 2 * rows, Columns: 3 * columns, Depth: 4 * terms, Repeats: 1, Density: 1}
		for _, side := range []struct {
			name string
			fold int64
			of   func(*Matrix) *int64
		}{
			{"row", rows, func(m *Matrix) *int64 { return &m.Rows }},
			{"column", columns, func(m *Matrix) *int64 { return &m.Columns }},
			{"term", terms, func(m *Matrix) *int64 { return &m.Depth }},
		} {
			less, more := full, full
			*side.of(&less)--
			*side.of(&more)++
			clocks := a.Matrix(full).Cycles
			if faster := a.Matrix(less).Cycles < clocks; faster != (side.fold == 1) {
				t.Errorf("%v, fold of %d: a %s less than full takes %d clocks, full %d", d, side.fold, side.name, a.Matrix(less).Cycles, clocks)
			}
			if a.Matrix(more).Cycles <= clocks {
				t.Errorf("%v: a %s more than full folds takes no time", d, side.name)
			}
		}
	}
}
