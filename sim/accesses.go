package sim

import (
	"accelsim/pe"
	"accelsim/schedule"
	"accelsim/units"
)

// accesses are words that PEs read from and wrote to the layer buffer, by the
// kind of tensor that they are of.
type accesses [schedule.NumBuffers]Traffic

// matrix adds those of a matrix product, by the kinds of its operands and
// results.
func (a *accesses) matrix(c pe.Cost, rows, columns, results schedule.Buffer) {
	a[rows].Reads += c.Reads - c.Columns - c.Sums
	a[columns].Reads += c.Columns
	a[results].Reads += c.Sums
	a[results].Writes += c.Writes
}

// operands are the words that a vector lane reads and writes for an element, by
// the kind of tensor that they are of.
type operands struct{ reads, writes [schedule.NumBuffers]int }

// total returns the words of all kinds.
func (o operands) total() (reads, writes int) {
	for b := range o.reads {
		reads, writes = reads+o.reads[b], writes+o.writes[b]
	}
	return reads, writes
}

// vector adds those of a vector kernel.
func (a *accesses) vector(elements int64, o operands) {
	for b := range a {
		a[b].Reads += units.Words(elements * int64(o.reads[b]))
		a[b].Writes += units.Words(elements * int64(o.writes[b]))
	}
}

type perKind = [schedule.NumBuffers]int

const (
	weights   = schedule.WeightBuffer
	states    = schedule.StateBuffer
	gradients = schedule.GradientBuffer
	spikes    = schedule.SpikeBuffer
)

// The operands of the vector kernels.
var (
	fireOperands          = operands{perKind{states: 2}, perKind{states: 1, spikes: 1}} // I and u; u and s
	normOperands          = operands{perKind{states: 1}, perKind{states: 2}}            // I; what the backward pass needs, and I
	joinOperands          = operands{perKind{spikes: 2}, perKind{spikes: 1}}
	windowOperands        = operands{perKind{spikes: 1}, perKind{}} // of a pooling neuron, into its register
	countOperands         = operands{perKind{spikes: 2}, perKind{spikes: 1}}
	lossOperands          = operands{perKind{spikes: 2}, perKind{gradients: 1}} // count and label; delta_c
	regenerateOperands    = operands{perKind{}, perKind{weights: 1}}
	joinBackwardOperands  = operands{perKind{gradients: 2}, perKind{gradients: 1}}
	poolBackwardOperands  = operands{perKind{gradients: 2, states: 1}, perKind{gradients: 1}} // delta, gamma and u
	temporalErrorOperands = operands{perKind{gradients: 2}, perKind{gradients: 1}}
	spatialErrorOperands  = operands{perKind{gradients: 1, states: 1}, perKind{gradients: 1}} // delta and u
	normBackwardOperands  = operands{perKind{gradients: 1, states: 1}, perKind{gradients: 1}}
	adamOperands          = operands{perKind{weights: 1, gradients: 3}, perKind{weights: 1, gradients: 2}} // w, dw, two moments
	momentumOperands      = operands{perKind{weights: 1, gradients: 2}, perKind{weights: 1, gradients: 1}} // w, dw, v
	plainOperands         = operands{perKind{weights: 1, gradients: 1}, perKind{weights: 1}}
)
