package pe_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/units"
)

// walk executes a matrix product tile by tile, output by output, clock by
// clock, as the default array does: every clock a row's and a column's operand
// enter, and meet in each PE of the tile.
func walk(a pe.Array, m pe.Matrix) pe.Cost {
	var cost pe.Cost
	for range m.Repeats {
		for row := int64(0); row < m.Rows; row += int64(a.Rows) {
			for column := int64(0); column < m.Columns; column += int64(a.Columns) {
				rows, columns := int64(0), int64(0)
				for r := row; r < min(row+int64(a.Rows), m.Rows); r++ {
					rows++
				}
				for c := column; c < min(column+int64(a.Columns), m.Columns); c++ {
					columns++
				}
				for range m.Depth {
					cost.Cycles++
					cost.Reads += units.Words(rows + columns)
					cost.Columns += units.Words(columns)
					for range rows {
						for range columns {
							cost.Slots++
						}
					}
				}
				for range rows {
					for range columns {
						cost.Outputs++
						cost.Writes++
					}
				}
				cost.Cycles += units.Cycles(m.Drain)
			}
		}
	}
	if cost.Slots > 0 {
		cost.Cycles += a.Pipeline
	}
	return cost
}

func TestMatrixEqualsALiteralWalkOverTiles(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		number := func(low, high int, what string) int { return rapid.IntRange(low, high).Draw(r, what) }
		a := pe.Array{Rows: number(1, 6, "PE rows"), Columns: number(1, 6, "PE columns"), Pipeline: units.Cycles(number(0, 9, "pipeline"))}
		m := pe.Matrix{
			Rows: int64(number(0, 20, "rows")), Columns: int64(number(0, 20, "columns")), Depth: int64(number(0, 7, "depth")),
			Repeats: int64(number(0, 3, "repeats")), Drain: int64(number(0, 2, "drain")),
		}
		want := walk(a, m)
		if want.Slots == 0 {
			want = pe.Cost{} // nothing to do takes no clock
		}
		if got := a.Matrix(m); got != want {
			r.Errorf("%+v on %+v: %+v, want %+v", m, a, got, want)
		}
	})
}

// TestEveryTermIsGivenToAPEOnce: whatever the array and its dataflow.
func TestEveryTermIsGivenToAPEOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		number := func(low, high int, what string) int { return rapid.IntRange(low, high).Draw(r, what) }
		a := pe.Array{
			Rows: number(1, 40, "PE rows"), Columns: number(1, 40, "PE columns"),
			Dataflow: rapid.SampledFrom([]pe.Dataflow{0, pe.WeightStationary, pe.OutputStationary, pe.EventDriven}).Draw(r, "dataflow"),
		}
		m := pe.Matrix{
			Rows: int64(number(1, 200, "rows")), Columns: int64(number(1, 200, "columns")), Depth: int64(number(1, 200, "depth")),
			Repeats: int64(number(1, 3, "repeats")), Drain: int64(number(0, 1, "drain")), Density: 0.1,
		}
		cost := a.Matrix(m)
		if want := m.Rows * m.Columns * m.Depth * m.Repeats; cost.Slots != want {
			r.Errorf("%+v on %+v: %d terms, want %d", m, a, cost.Slots, want)
		}
		if want := m.Rows * m.Columns * m.Repeats; cost.Outputs != want {
			r.Errorf("%+v on %+v: %d outputs, want %d", m, a, cost.Outputs, want)
		}
	})
}

// parse returns the layers of a network on 2x9x7 events.
func parse(t *testing.T, layers string) *network.Network {
	t.Helper()
	net, err := network.Parse(layers, network.Shape{Channels: 2, Height: 9, Width: 7}, network.Event)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// loops counts what a convolution's or a fully connected layer's loops do, tap
// by tap over the padded input.
func loops(l *network.Layer, batch int) (terms, weights int64) {
	p := l.First()
	kernel, inputs, full := max(p.Kernel.Size.Height, 1), p.In.Channels, p.Kind == network.FC
	size, stride, pad := p.Kernel.Size.Height, p.Kernel.Stride.Height, p.Kernel.Pad.Height
	if full {
		inputs = p.In.Size()
	}
	for range batch {
		for range l.Out.Channels {
			for range inputs {
				for range kernel {
					for range kernel {
						weights++
						for y := 0; y+size <= p.In.Height+2*pad || full; y += stride {
							for x := 0; x+size <= p.In.Width+2*pad || full; x += stride {
								terms++
								if full {
									break
								}
							}
							if full {
								break
							}
						}
					}
				}
			}
		}
	}
	return terms, weights
}

// TestKernelsExecuteWhatTheirLoopsDo: Eqs. 1, 4 and 7 give PEs the same terms,
// and Eq. 7 hands over each weight once per sample.
func TestKernelsExecuteWhatTheirLoopsDo(t *testing.T) {
	a := pe.Array{Rows: 4, Columns: 3}
	net := parse(t, "3C3-4C2p0s2-4AP2-5RB-6C1-7FC-8FC-9FC")
	for _, batch := range []int{1, 3} {
		for i := range net.Layers {
			l := &net.Layers[i]
			terms, weights := loops(l, batch)
			if got := a.Matrix(pe.Synapses(pe.Connect(l.First(), l.Out), batch)).Slots; got != terms {
				t.Errorf("layer %d: Eq. 1 has %d terms, executed %d", l.Index, terms, got)
			}
			if got := a.Matrix(pe.Errors(pe.Connect(l.First(), l.Out), batch)).Slots; got != terms {
				t.Errorf("layer %d: Eq. 4 has %d terms, executed %d", l.Index, terms, got)
			}
			gradient := a.Matrix(pe.Gradients(pe.Connect(l.First(), l.Out), batch))
			if gradient.Slots != terms || gradient.Outputs != weights {
				t.Errorf("layer %d: Eq. 7 has %d terms and %d sums, executed %d and %d", l.Index, terms, weights, gradient.Slots, gradient.Outputs)
			}
		}
	}
}

func TestGradientsSpendAClockOnEachSum(t *testing.T) {
	a := pe.Array{Rows: 8, Columns: 8, Pipeline: 5}
	l := pe.Dense(8, 8)
	// 3 samples, each one position and one addition to dW.
	if got := a.Matrix(pe.Gradients(l, 3)).Cycles; got != 3*(1+1)+5 {
		t.Errorf("%d clocks, want 11", got)
	}
	if got := a.Matrix(pe.Synapses(l, 3)).Cycles; got != 8+5 {
		t.Errorf("%d clocks, want 13", got)
	}
}

// TestEventDrivenArrayFetchesOperandsOnlyWhenItWorks: no clock without a spike,
// and no word without a clock.
func TestEventDrivenArrayFetchesOperandsOnlyWhenItWorks(t *testing.T) {
	dense := pe.Array{Rows: 8, Columns: 4}
	sparse := dense
	sparse.Dataflow = pe.EventDriven
	m := pe.Matrix{Rows: 8, Columns: 4, Depth: 1000, Repeats: 1, Density: 0.1}
	got, all := sparse.Matrix(m), dense.Matrix(m)
	if got.Cycles >= all.Cycles/2 || got.Reads != (8+4)*units.Words(got.Cycles) {
		t.Errorf("%d clocks and %d reads, without gating %d and %d", got.Cycles, got.Reads, all.Cycles, all.Reads)
	}
}

func TestDenseIsAFullyConnectedLayer(t *testing.T) {
	l := pe.Dense(12, 5)
	if l.Weights() != 60 || l.Out.Size() != 5 || l.In.Size() != 12 {
		t.Errorf("%+v", l)
	}
}

func TestLanesTakeElementsAClockEach(t *testing.T) {
	a := pe.Array{Lanes: 10, Pipeline: 4}
	for _, c := range []struct {
		elements int64
		want     pe.Cost
	}{
		{0, pe.Cost{}},
		{1, pe.Cost{Cycles: 1 + 4, Slots: 1, Outputs: 1, Reads: 2, Writes: 3}},
		{10, pe.Cost{Cycles: 1 + 4, Slots: 10, Outputs: 10, Reads: 20, Writes: 30}},
		{11, pe.Cost{Cycles: 2 + 4, Slots: 11, Outputs: 11, Reads: 22, Writes: 33}},
	} {
		if got := a.Vector(c.elements, 2, 3); got != c.want {
			t.Errorf("%d elements: %+v, want %+v", c.elements, got, c.want)
		}
	}
}

func TestMatrixAllocatesNothing(t *testing.T) {
	a := pe.Array{Rows: 32, Columns: 32, Pipeline: 8}
	m := pe.Matrix{Rows: 1000, Columns: 70, Depth: 30, Repeats: 2}
	if n := testing.AllocsPerRun(100, func() { a.Matrix(m) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestEveryOperationHasAName(t *testing.T) {
	seen := map[string]bool{}
	for op := range pe.NumOps {
		name := pe.Op(op).String()
		if name == "" || seen[name] {
			t.Errorf("operation %d is called %q", op, name)
		}
		seen[name] = true
	}
}

func BenchmarkMatrix(b *testing.B) {
	a := pe.Array{Rows: 32, Columns: 32, Pipeline: 8}
	m := pe.Matrix{Rows: 128 * 1024, Columns: 256, Depth: 864, Repeats: 1}
	b.ReportAllocs()
	for b.Loop() {
		a.Matrix(m)
	}
}
