package tiling

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// view is how an operand's values lie along the dimensions of a stage.
type view struct {
	whole role.Region
	along [4]int // the stage's dimension, or none
}

const none = -1

// region returns the box that a tile needs of an operand.
func (o *operand) region(from, to extent) role.Region {
	r := o.view.whole
	for i, d := range o.view.along {
		if d != none {
			first, last := o.span(d, from[d], to[d])
			r = r.Slice(i, first, last)
		}
	}
	return r
}

// operandRegion is the box that a tile's part of an operand has.
func (t *Cursor) operandRegion(o *operand, from, to extent) role.Region {
	if t.Unboxed {
		return role.Region{}
	}
	return o.region(from, to)
}

// box is the part of a stage's results between two places.
func box(dims, from, to extent) (r role.Region) {
	for i := range r.Of { // a region has the first four dimensions, in their order
		r.Of[i], r.From[i], r.To[i] = int32(dims[i]), int32(from[i]), int32(to[i])
	}
	return r
}

func flat(n int) network.Shape { return network.Shape{Channels: n, Height: 1, Width: 1} }

// boxes are a tile: of the step's neurons, of what they are after pooling, and of
// the weights of a gradient.
type boxes struct{ neurons, pooled, weights role.Region }

// boxesOf returns a tile's boxes.
func (t *Cursor) boxesOf(s *stage, from, to extent) (b boxes) {
	b.neurons = box(s.dims, from, to)
	if s.gradient {
		b.weights = (&operand{view: s.weights}).region(from, to)
		return b
	}
	b.pooled = b.neurons
	if s.pools == nil {
		return b
	}
	for i, of := range [2]int{s.pools.Pooled.Height, s.pools.Pooled.Width} {
		d, window := 1+i, int32(s.pools.Pool.Window.Height)
		if d == 2 {
			window = int32(s.pools.Pool.Window.Width)
		}
		b.pooled.Of[d] = int32(of)
		b.pooled.From[d] = min(b.neurons.From[d]/window, int32(of))
		b.pooled.To[d] = min(b.neurons.To[d]/window, int32(of))
		if b.neurons.To[d] == b.neurons.Of[d] { // windows that overlap are more
			b.pooled.To[d] = int32(of)
		}
	}
	return b
}

// regionOf returns the box of a tensor that comes or goes with a tile's results,
// value by value.
func (t *Cursor) regionOf(x role.Tensor, s *stage) role.Region {
	if t.Unboxed {
		return role.Region{}
	}
	if s.gradient {
		return t.tile.weights
	}
	own := x.Index == t.step.Layer
	switch row := x.Class.Row(); {
	case row.Kept:
		r, moments := t.tile.neurons, int32(t.program.Workload().Training.Moments())
		r.Of[2], r.To[2] = moments, moments
		return r
	case row.AfterPool && own: // others' are operands of an addition, before pooling
		return t.tile.pooled
	case x.Class == role.OutputError && !own && t.has(schedule.JoinBackward): // of a sum that reads the layer's output
		return t.tile.pooled
	}
	return t.tile.neurons
}
