package tiling

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/schedule"
)

// view is how an operand's values lie along the dimensions of a stage.
type view struct {
	whole schedule.Region
	along [4]int // the stage's dimension, or none
}

const none = -1

// region returns the box that a tile needs of an operand.
func (o *operand) region(from, to extent) schedule.Region {
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
func (t *Cursor) operandRegion(o *operand, from, to extent) schedule.Region {
	if t.Unboxed {
		return schedule.Region{}
	}
	return o.region(from, to)
}

// box is the part of a stage's results between two places.
func box(dims, from, to extent) (r schedule.Region) {
	for i := range r.Of { // a region has the first four dimensions, in their order
		r.Of[i], r.From[i], r.To[i] = int32(dims[i]), int32(from[i]), int32(to[i])
	}
	return r
}

// mapView is a batch of maps, cut in samples and places.
func mapView(batchSize int, s network.Shape) view {
	return view{schedule.Whole(batchSize, s.Height, s.Width, s.Channels), [4]int{batch, rows, columns, none}}
}

// rowView is a batch of what a fully connected layer reads or makes.
func rowView(batchSize, values int, along int) view {
	return view{schedule.Whole(batchSize, 1, 1, values), [4]int{batch, none, none, along}}
}

// shapes returns what the step's layer or classifier reads and makes, before
// pooling, and how large its kernel is. What is fully connected reads one row.
func (t *placed) shapes() (in, out network.Shape, kernel network.Pair) {
	w := t.program.Workload()
	if t.step.Layer == 0 {
		return flat(w.Net.ClassifierInputs(t.program.Blocks[t.step.Block-1])), flat(w.Net.Classes), network.Square(1)
	}
	l := w.Net.Layer(t.step.Layer)
	p := l.First()
	if p.Kind == network.FC {
		return flat(p.In.Size()), l.Out, network.Square(1)
	}
	return p.In, l.Out, p.Kernel.Size
}

func flat(n int) network.Shape { return network.Shape{Channels: n, Height: 1, Width: 1} }

// weightView is the weights of a forward step.
func (t *placed) weightView() view {
	in, out, kernel := t.shapes()
	v := view{schedule.Whole(kernel.Height, kernel.Width, in.Channels, out.Channels), [4]int{none, none, none, channels}}
	if t.isRow() {
		v.along[2] = depth
	}
	return v
}

// isRow tells whether the step's layer is fully connected.
func (t *placed) isRow() bool {
	return t.step.Layer == 0 || t.program.Workload().Net.Layer(t.step.Layer).First().Kind == network.FC
}

// inputView is what a forward step reads.
func (t *placed) inputView() view {
	in, _, _ := t.shapes()
	if t.isRow() {
		return rowView(t.program.Workload().Batch, in.Channels, depth)
	}
	return mapView(t.program.Workload().Batch, in)
}

// readerViews are the errors and weights of a layer, or of the block's classifier
// if it is 0, that reads the step's layer.
func (t *placed) readerViews(reader int) (errors, weights view) {
	w := t.program.Workload()
	if reader != 0 && w.Net.Layer(reader).First().Kind != network.FC {
		m := w.Net.Layer(reader)
		size := m.First().Kernel.Size
		weights = view{schedule.Whole(size.Height, size.Width, m.First().In.Channels, m.Out.Channels), [4]int{none, none, channels, none}}
		return mapView(w.Batch, m.Out), weights
	}
	outputs, in := w.Net.Classes, w.Net.Layer(t.step.Layer).Pooled
	if reader != 0 {
		outputs = w.Net.Layer(reader).Out.Channels
	}
	weights = view{schedule.Whole(in.Height, in.Width, in.Channels, outputs), [4]int{rows, columns, channels, none}}
	if !t.cutsErrors(reader) {
		return rowView(w.Batch, outputs, none), weights
	}
	weights.along[3] = depth
	return rowView(w.Batch, outputs, depth), weights
}

// cutsErrors tells whether the terms of W^T gamma may be cut: where they come
// from one fully connected reader, in the order of its outputs. Those of a
// convolution come position by position.
func (t *placed) cutsErrors(reader int) bool {
	sums := 0
	for _, k := range t.step.Kernels {
		if k.Op == schedule.BackProject {
			sums++
		}
	}
	return sums == 1 && reader != 0 && t.program.Workload().Net.Layer(reader).First().Kind == network.FC
}

// gradientViews are gamma, spikes and dW of a gradient.
func (t *placed) gradientViews() (gamma, spikes, dw view) {
	b := t.program.Workload().Batch
	in, out, kernel := t.shapes()
	gamma = view{schedule.Whole(b, out.Height, out.Width, out.Channels), [4]int{batch, none, none, rows}}
	spikes = view{schedule.Whole(b, in.Height, in.Width, in.Channels), [4]int{batch, none, none, channels}}
	dw = view{schedule.Whole(kernel.Height, kernel.Width, in.Channels, out.Channels), [4]int{none, none, channels, rows}}
	return gamma, spikes, dw
}

// boxes are a tile: of the step's neurons, of what they are after pooling, and of
// the weights of a gradient.
type boxes struct{ neurons, pooled, weights schedule.Region }

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
	}
	return b
}

// regionOf returns the box of a tensor that comes or goes with a tile's results,
// value by value.
func (t *Cursor) regionOf(x schedule.Tensor, s *stage) schedule.Region {
	if t.Unboxed {
		return schedule.Region{}
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
	case x.Class == schedule.OutputError && !own && t.has(schedule.JoinBackward): // of a sum that reads the layer's output
		return t.tile.pooled
	}
	return t.tile.neurons
}
