package op

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

func weightsOf(c pe.Connection) role.Region {
	return role.Whole(c.Height, c.Width, c.In.Channels/max(c.Groups, 1), c.Out.Channels)
}

// connection is what a kernel's weights connect: a layer's or a classifier's.
type connection struct {
	pe.Connection
	full    bool // fully connected
	batch   int
	weights role.Tensor
	index   int // of the weights: the projection's, or the classifier's block
	input   role.Tensor
	trace   role.Tensor // that stands for the input in gradients
	err     role.Tensor // of its synaptic sums
}

// connection is that of one of a layer's inputs, or of a classifier.
func (d *Chip) connection(s *schedule.Step, classifier bool, index, input int) connection {
	net := d.workload.Net
	if classifier {
		c := connection{
			Connection: d.classifier(index), full: true, batch: d.workload.Batch, index: index,
			weights: role.Tensor{Class: role.ClassifierWeight, Index: index, Step: d.program.Version(s.Interval)},
			input:   d.output(s, d.program.Blocks[index-1].Last),
			trace:   role.ClassifierTrace.At(index, s.Time),
			err:     role.Tensor{Class: role.ClassifierError, Index: index, Step: s.Time},
		}
		if !d.workload.ClassifierNeuron().PassesOn() {
			c.err.Class = role.ClassifierSynapticError
		}
		if !d.program.Trainable() {
			c.weights = role.Tensor{Class: role.RandomWeight, Index: index}
		}
		return c
	}
	l := net.Layer(index)
	p := &l.Inputs[input]
	c := connection{
		Connection: pe.Connect(p, l.Out), full: p.Kind == network.FC, batch: d.workload.Batch, index: p.Index,
		weights: role.Weight.At(p.Index, d.program.Version(s.Interval)),
		input:   d.program.Source(index, p, s.Time),
		trace:   role.Trace.At(p.Index, s.Time),
		err:     role.Tensor{Class: role.PotentialError, Index: index, Step: s.Time},
	}
	if l.BatchNorm || !d.workload.NeuronOf(l).PassesOn() {
		c.err.Class = role.SynapticError
	}
	return c
}

// flat is the connection with a fully connected layer's input as one row.
func (c connection) flat() pe.Connection {
	if c.full {
		return c.Flat()
	}
	return c.Connection
}

func span(r role.Region, dimension int) pe.Span {
	return pe.Span{From: int(r.From[dimension]), To: int(r.To[dimension])}
}

func windowOf(r role.Region) pe.Window {
	return pe.Window{Rows: span(r, 1), Columns: span(r, 2), Channels: span(r, 3)}
}

// samplesOf is a window of a map for the samples of a box.
func samplesOf(box role.Region, s network.Shape, w pe.Window) role.Region {
	r := role.Whole(int(box.Of[0]), s.Height, s.Width, s.Channels)
	r.From = [4]int32{box.From[0], int32(w.Rows.From), int32(w.Columns.From), int32(w.Channels.From)}
	r.To = [4]int32{box.To[0], int32(w.Rows.To), int32(w.Columns.To), int32(w.Channels.To)}
	return r
}

// weightsIn are the weights of some rows and columns of the kernel between some
// channels.
func weightsIn(c pe.Connection, kernel pe.Window, out pe.Span) role.Region {
	r := weightsOf(c)
	if c.Groups > 1 { // not cut
		return r
	}
	r.From = [4]int32{int32(kernel.Rows.From), int32(kernel.Columns.From), int32(kernel.Channels.From), int32(out.From)}
	r.To = [4]int32{int32(kernel.Rows.To), int32(kernel.Columns.To), int32(kernel.Channels.To), int32(out.To)}
	return r
}

// kernelOf is all of the kernel, for some input channels.
func kernelOf(c pe.Connection, in pe.Span) pe.Window {
	return pe.Window{Rows: pe.Span{To: c.Height}, Columns: pe.Span{To: c.Width}, Channels: in}
}

func mapWindow(s network.Shape) pe.Window {
	return pe.Window{Rows: pe.Span{To: s.Height}, Columns: pe.Span{To: s.Width}, Channels: pe.Span{To: s.Channels}}
}

// to returns the connection to a box of neurons, from the inputs of a fully
// connected layer that a tile goes through, with the input and weights it takes.
func (c connection) to(box role.Region, p schedule.Part) (tile pe.Connection, input, weights role.Region) {
	whole, out := c.flat(), windowOf(box)
	tile, in := whole.To(out)
	if p.Last > 0 {
		in.Channels = pe.Span{From: int(p.First), To: int(p.Last)}
		tile = tile.Between(in.Channels, out.Channels)
	}
	return tile, samplesOf(box, whole.In, in), weightsIn(whole, kernelOf(whole, in.Channels), out.Channels)
}

// from returns the connection from a box of what the connection reads, with the
// errors and weights it takes.
func (c connection) from(box role.Region, part schedule.Part) (tile pe.Connection, errors, weights role.Region) {
	tile, out, kernel := c.From(windowOf(box))
	if part.Last > 0 { // some outputs of a fully connected layer
		out.Channels = pe.Span{From: int(part.First), To: int(part.Last)}
		tile = tile.Of(out.Channels)
	}
	return tile, samplesOf(box, c.Out, out), weightsIn(c.Connection, kernel, out.Channels)
}

// between returns the connection of a box of a gradient, with the errors and the
// input it takes, and the weights it is for.
func (c connection) between(box role.Region) (tile pe.Connection, errors, input, weights role.Region) {
	whole, out, in := c.flat(), span(box, 1), span(box, 3)
	o, i := mapWindow(whole.Out), mapWindow(whole.In)
	o.Channels, i.Channels = out, in
	return whole.Between(in, out), samplesOf(box, whole.Out, o), samplesOf(box, whole.In, i), weightsIn(whole, kernelOf(whole, in), out)
}

// neurons is the box of the step's neurons that a kernel works on.
func (d *Chip) neurons(s *schedule.Step, k schedule.Kernel) role.Region {
	if k.Part.Is {
		return k.Part.Box
	}
	if k.Classifier {
		return d.mapOf(network.Shape{Channels: d.workload.Net.Classes, Height: 1, Width: 1})
	}
	return d.mapOf(d.workload.Net.Layer(k.Index).Out)
}

// pooled is the box of pooling neurons over a box of a layer's neurons. The last
// windows' box has the remainder that no window covers.
func (d *Chip) pooled(l *network.Layer, box role.Region) role.Region {
	if !l.HasPool() {
		return box
	}
	r := d.mapOf(l.Pooled)
	r.From, r.To = box.From, box.To
	cut := func(d int, window, windows int) {
		r.From[d] /= int32(window) // windows that are cut do not overlap
		r.To[d] /= int32(window)
		if box.To[d] == box.Of[d] {
			r.To[d] = int32(windows)
		}
	}
	cut(1, l.Pool.Stride.Height, l.Pooled.Height)
	cut(2, l.Pool.Stride.Width, l.Pooled.Width)
	return r
}

// pooling is the geometry of a tile's pooling.
func (d *Chip) pooling(l *network.Layer, box role.Region) pe.Pooling {
	scale := 1
	if l.Adds() {
		_, scale = d.workload.Net.ValueOf(l.Add)
	}
	p := pe.ConnectPool(l, scale)
	p.In, p.Out = shapeOf(box), shapeOf(d.pooled(l, box))
	return p
}

func shapeOf(box role.Region) network.Shape {
	return network.Shape{Channels: box.Extent(3), Height: box.Extent(1), Width: box.Extent(2)}
}

// channelsOf are some rows of values by channel for the channels of a box.
func channelsOf(box role.Region, rows int) role.Region {
	r := role.Whole(1, 1, rows, int(box.Of[3]))
	r.From[3], r.To[3] = box.From[3], box.To[3]
	return r
}
