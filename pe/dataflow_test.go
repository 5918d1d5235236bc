package pe

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/units"
)

// The compute cycles that SCALE-Sim v3 reports for a dense weight-stationary
// 32x32 array, layer by layer of an all-padded AlexNet, one image.
func TestWeightStationaryCyclesEqualSCALESim(t *testing.T) {
	array := Array{Rows: 32, Columns: 32, Dataflow: WeightStationary}
	for _, c := range []struct {
		name                          string
		side, channels, kernel, width int64
		want                          units.Cycles
	}{
		{"34x34x3 to 96", 34, 3, 3, 96, 3353},
		{"34x34x96 to 256", 34, 96, 3, 256, 241487},
		{"18x18x256 to 384", 18, 256, 3, 384, 302399},
		{"10x10x384 to 512", 10, 384, 3, 512, 273023},
		{"10x10x512 to 384", 10, 512, 3, 384, 273023},
		{"10x10x384 to 256", 10, 384, 3, 256, 136511},
		{"FC 16384 to 4096", 1, 16384, 1, 4096, 6225919},
	} {
		out := c.side - c.kernel + 1
		got := array.Matrix(Matrix{
			Rows: out * out, Columns: c.width, Depth: c.channels * c.kernel * c.kernel, Repeats: 1, Density: 1,
		})
		if got.Cycles != c.want {
			t.Errorf("%s: %d cycles, SCALE-Sim has %d", c.name, got.Cycles, c.want)
		}
	}
}

// clockWeightStationary runs one fold clock by clock: weights shift in from
// above, then row i of the input enters PE row r at clock i + r, and sums move
// down one PE a clock. It returns the clocks until the last sum has left, and
// the product.
func clockWeightStationary(in, weights [][]float64) (clocks int, out [][]float64) {
	m, r, c := len(in), len(weights), len(weights[0])
	out = make([][]float64, m)
	for i := range out {
		out[i] = make([]float64, c)
	}
	held := make([][]float64, r)
	for i := range held {
		held[i] = make([]float64, c)
	}
	for step := range r { // shift down, the last row of weights first
		for i := r - 1; i > 0; i-- {
			copy(held[i], held[i-1])
		}
		copy(held[0], weights[r-1-step])
		clocks++
	}
	x := make([][]float64, r)  // inputs, moving right
	ps := make([][]float64, r) // sums, moving down
	for i := range x {
		x[i], ps[i] = make([]float64, c), make([]float64, c)
	}
	left := m * c
	for clock := 0; left > 0; clock++ {
		for i := r - 1; i >= 0; i-- {
			for j := c - 1; j >= 0; j-- {
				switch {
				case j > 0:
					x[i][j] = x[i][j-1]
				case clock-i >= 0 && clock-i < m:
					x[i][j] = in[clock-i][i]
				default:
					x[i][j] = 0
				}
				above := 0.0
				if i > 0 {
					above = ps[i-1][j]
				}
				ps[i][j] = above + x[i][j]*held[i][j]
			}
		}
		clocks++
		for j := range c {
			if row := clock - (r - 1) - j; row >= 0 && row < m {
				out[row][j] = ps[r-1][j]
				left--
			}
		}
	}
	return clocks, out
}

func TestWeightStationaryFoldTakesWhatTheClockedArrayTakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.IntRange(1, 6).Draw(t, "rows")
		c := rapid.IntRange(1, 6).Draw(t, "columns")
		m := rapid.IntRange(1, 12).Draw(t, "m")
		value := func() float64 { return float64(rapid.IntRange(-3, 3).Draw(t, "v")) }
		in, weights := grid(m, r, value), grid(r, c, value)
		clocks, out := clockWeightStationary(in, weights)
		for i := range out {
			for j := range out[i] {
				want := 0.0
				for k := range r {
					want += in[i][k] * weights[k][j]
				}
				if out[i][j] != want {
					t.Fatalf("output %d,%d is %v, not %v: the clocked array is wrong", i, j, out[i][j], want)
				}
			}
		}
		array := Array{Rows: r, Columns: c, Dataflow: WeightStationary}
		got := array.Matrix(Matrix{Rows: int64(m), Columns: int64(c), Depth: int64(r), Repeats: 1, Density: 1})
		if int(got.Cycles) != clocks-1 { // the first clock overlaps what was before
			t.Errorf("%d cycles, the clocked array takes %d", got.Cycles, clocks)
		}
	})
}

// clockOutputStationary runs one fold clock by clock: inputs enter from the
// left and weights from above, skewed; a PE adds their product to its sum. Then
// sums shift down and out.
func clockOutputStationary(r, c, depth int) (clocks int) {
	terms := make([][]int, r)
	for i := range terms {
		terms[i] = make([]int, c)
	}
	for left := r * c; left > 0; clocks++ {
		for i := range r {
			for j := range c {
				if k := clocks - i - j; k >= 0 && k < depth {
					if terms[i][j]++; terms[i][j] == depth {
						left--
					}
				}
			}
		}
	}
	return clocks + r // one row leaves per clock
}

func TestOutputStationaryFoldTakesWhatTheClockedArrayTakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.IntRange(1, 8).Draw(t, "rows")
		c := rapid.IntRange(1, 8).Draw(t, "columns")
		depth := rapid.IntRange(1, 30).Draw(t, "depth")
		array := Array{Rows: r, Columns: c, Dataflow: OutputStationary}
		got := array.Matrix(Matrix{Rows: int64(r), Columns: int64(c), Depth: int64(depth), Repeats: 1, Density: 1})
		if want := clockOutputStationary(r, c, depth) - 1; int(got.Cycles) != want {
			t.Errorf("%d cycles, the clocked array takes %d", got.Cycles, want)
		}
	})
}

// An event-driven tile takes as long as its busiest row: the closed form stays
// within 3 % (and a clock) of the mean over arrays of random spikes.
func TestEventDrivenTileWaitsForItsBusiestRow(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		depth, rows int64
		density     float64
	}{{864, 32, 0.1}, {864, 32, 0.5}, {2304, 16, 0.05}, {100, 32, 0.2}, {9216, 64, 0.02}, {500, 1, 0.1}, {64, 8, 1}} {
		const trials = 400
		sum := 0.0
		for range trials {
			busiest := 0
			for range c.rows {
				events := 0
				for range c.depth {
					if random.Float64() < c.density {
						events++
					}
				}
				busiest = max(busiest, events)
			}
			sum += float64(busiest)
		}
		mean := sum / trials
		if got := float64(slowest(c.depth, c.rows, c.density)); math.Abs(got-mean) > 0.03*mean+1 {
			t.Errorf("%d inputs, %d rows, density %v: %v clocks, spikes take %v", c.depth, c.rows, c.density, got, mean)
		}
	}
}

// Whatever the dataflow, the same terms are executed and the same results come
// out; only clocks and buffer accesses differ.
func TestDataflowsExecuteTheSameTerms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Matrix{
			Rows: rapid.Int64Range(1, 200).Draw(t, "rows"), Columns: rapid.Int64Range(1, 200).Draw(t, "columns"),
			Depth: rapid.Int64Range(1, 200).Draw(t, "depth"), Repeats: rapid.Int64Range(1, 4).Draw(t, "repeats"),
			Density: rapid.Float64Range(0, 1).Draw(t, "density"),
		}
		array := Array{Rows: rapid.IntRange(1, 40).Draw(t, "r"), Columns: rapid.IntRange(1, 40).Draw(t, "c")}
		gated := array.Matrix(m)
		for d := range numDataflows {
			array.Dataflow = d
			got := array.Matrix(m)
			if got.Slots != m.Rows*m.Columns*m.Depth*m.Repeats || got.Outputs != m.Rows*m.Columns*m.Repeats {
				t.Errorf("%v: %d terms, %d results", d, got.Slots, got.Outputs)
			}
			if d == EventDriven && got.Cycles > gated.Cycles {
				t.Errorf("event-driven takes %d clocks, gated %d", got.Cycles, gated.Cycles)
			}
		}
	})
}

func grid(rows, columns int, value func() float64) [][]float64 {
	g := make([][]float64, rows)
	for i := range g {
		g[i] = make([]float64, columns)
		for j := range g[i] {
			g[i][j] = value()
		}
	}
	return g
}
