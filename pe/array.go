// Package pe models the processing elements: an array of rows x columns
// accumulators that executes matrix products, and vector lanes beside it that
// update neurons and weights.
//
// How the array goes about a product is its [Dataflow]. Additions of spikes are
// gated: a PE whose input is zero executes no addition. Convolutions are
// executed on padded tensors, padding taps included.
package pe

import "github.com/accelsim-dev/accelsim/units"

// Array is the processing hardware.
type Array struct {
	Rows, Columns int
	Lanes         int          // vector lanes: elements per clock
	Pipeline      units.Cycles // clocks from the last operand to the result
	Clock         units.Hertz
	Dataflow      Dataflow
	Precision     Precision
}

// PEs returns the number of processing elements.
func (a Array) PEs() int { return a.Rows * a.Columns }

// Matrix is the work of a matrix product: Rows x Columns outputs of Depth terms
// each, Repeats times one after the other.
type Matrix struct {
	Rows, Columns, Depth, Repeats int64
	// Drain is the clocks that a PE spends on handing over each output.
	Drain int64
	// Density is the fraction of terms that are not zero. An event-driven array
	// spends clocks on those only, the others spend them on all.
	Density float64
}

// Cost is what executing some work took.
type Cost struct {
	Cycles units.Cycles
	// Slots is the number of terms that PEs were given: additions, or MACs.
	// A gated PE executes the non-zero fraction of them.
	Slots int64
	// Outputs is the number of results that PEs handed over.
	Outputs int64
	// Reads and Writes are accesses to the layer buffer. Of the reads of a matrix
	// product, Columns are of the operand that enters by columns (weights; inputs
	// of a gradient), Sums of partial sums, all others of the one that enters by
	// rows.
	Reads, Writes units.Words
	Columns, Sums units.Words
}

// Synapses is the synaptic sum of a connection (Eq. 1): a PE owns one neuron of
// one sample and goes through its synapses, one group after the other.
func Synapses(c Connection, batch int) Matrix {
	groups := int64(c.groups())
	return Matrix{
		Rows: int64(batch) * int64(c.Out.Positions()), Columns: int64(c.Out.Channels) / groups,
		Depth: int64(c.In.Channels) / groups * int64(c.Height) * int64(c.Width), Repeats: groups,
	}
}

// Errors is W^T gamma of a connection (Eq. 4), to the inputs under every position
// of its kernel: a PE owns one tap of one output position and goes through the
// channels.
func Errors(c Connection, batch int) Matrix {
	m := Synapses(c, batch)
	m.Columns, m.Depth = m.Depth, m.Columns
	return m
}

// Gradients is gamma s^T of a connection (Eq. 7): sample after sample a PE owns
// one weight and goes through the output positions in its register, then adds it
// to dW.
func Gradients(c Connection, batch int) Matrix {
	m := Synapses(c, batch)
	return Matrix{
		Rows: m.Columns, Columns: m.Depth, Depth: int64(c.Out.Positions()), Repeats: int64(batch) * m.Repeats, Drain: 1,
	}
}

// Matrix executes a matrix product and returns what it took.
//
// Outputs are cut into tiles of the array's size. All tiles but those of the
// last row and column are full, so they are executed four kinds at a time.
func (a Array) Matrix(m Matrix) Cost {
	if m.Rows == 0 || m.Columns == 0 || m.Depth == 0 || m.Repeats == 0 {
		return Cost{}
	}
	switch a.Dataflow {
	case WeightStationary:
		return a.weightStationary(m)
	case OutputStationary:
		return a.outputStationary(m)
	case EventDriven:
		return a.broadcast(m, func(rows int64) int64 { return slowest(m.Depth, rows, m.Density) })
	}
	return a.broadcast(m, func(int64) int64 { return m.Depth })
}

// broadcast executes a product on an array whose rows and columns are buses: a
// PE owns an output and takes a term a clock. clocks tells how long a tile of
// so many rows takes.
func (a Array) broadcast(m Matrix, clocks func(rows int64) int64) Cost {
	var cost Cost
	for _, r := range cut(m.Rows, int64(a.Rows)) {
		busy := clocks(r.size)
		for _, c := range cut(m.Columns, int64(a.Columns)) {
			cost.add(Cost{
				Cycles:  units.Cycles(busy + m.Drain),
				Slots:   r.size * c.size * m.Depth,
				Outputs: r.size * c.size,
				Reads:   units.Words((r.size + c.size) * busy),
				Columns: units.Words(c.size * busy),
				Writes:  units.Words(r.size * c.size),
			}, r.count*c.count*m.Repeats)
		}
	}
	cost.Cycles += a.Pipeline // tiles follow each other without a gap
	return cost
}

// add adds a tile's cost as often as it is executed.
func (c *Cost) add(tile Cost, times int64) {
	c.Cycles += tile.Cycles * units.Cycles(times)
	c.Slots += tile.Slots * times
	c.Outputs += tile.Outputs * times
	c.Reads += tile.Reads * units.Words(times)
	c.Writes += tile.Writes * units.Words(times)
	c.Columns += tile.Columns * units.Words(times)
}

// run is a number of tiles of equal extent.
type run struct{ size, count int64 }

// cut splits a length into full tiles and a remainder.
func cut(length, tile int64) []run {
	runs := make([]run, 0, 2)
	if full := length / tile; full > 0 {
		runs = append(runs, run{tile, full})
	}
	if rest := length % tile; rest > 0 {
		runs = append(runs, run{rest, 1})
	}
	return runs
}

// Vector passes elements through the lanes, each reading and writing the given
// words of the layer buffer.
func (a Array) Vector(elements int64, reads, writes int) Cost {
	if elements == 0 {
		return Cost{}
	}
	return Cost{
		Cycles:  units.Cycles(units.CeilDiv(elements, int64(a.Lanes))) + a.Pipeline,
		Slots:   elements,
		Outputs: elements,
		Reads:   units.Words(elements * int64(reads)),
		Writes:  units.Words(elements * int64(writes)),
	}
}
