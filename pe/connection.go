package pe

import "github.com/accelsim-dev/accelsim/network"

// Connection is the geometry of synapses from one map to another: what the PE
// array executes when it has data. A fully connected layer is a kernel as large
// as its input.
//
// Every sum is one float32 accumulator whose terms come in ascending order of
// (row, column, channel) of the neuron they come from, each operation rounded
// on its own (docs/numerics.md). Terms of zero inputs are gated: they are not
// executed. Loops scatter a term to all sums that it belongs to where that
// keeps each sum's order.
//
// A tile of a layer is a Connection, too: to some of its outputs, or from some of
// its inputs, with what lies between them.
type Connection struct {
	In, Out       network.Shape
	Height, Width int // of the kernel
	Stride        int
	// Top and Left say how far the first output's kernel reaches out of the
	// input: its padding. They are negative where inputs before it are no tap of
	// any output that is there.
	Top, Left int
}

// Connect returns the connection of a layer's weights.
func Connect(l *network.Layer) Connection {
	c := Connection{In: l.In, Out: l.Out, Height: l.Kernel, Width: l.Kernel, Stride: l.Stride, Top: l.Pad, Left: l.Pad}
	if l.Kind == network.FC {
		c.Height, c.Width, c.Stride, c.Top, c.Left = l.In.Height, l.In.Width, 1, 0, 0
	}
	return c
}

// ConnectClassifier returns the connection of a classifier to the map that it
// flattens.
func ConnectClassifier(in network.Shape, classes int) Connection {
	return Connection{
		In: in, Out: network.Shape{Channels: classes, Height: 1, Width: 1},
		Height: in.Height, Width: in.Width, Stride: 1,
	}
}

// Span is a run of rows, columns or channels.
type Span struct{ From, To int }

// Len returns how many there are.
func (s Span) Len() int { return s.To - s.From }

// Window is a part of a map.
type Window struct{ Rows, Columns, Channels Span }

func (w Window) shape() network.Shape {
	return network.Shape{Channels: w.Channels.Len(), Height: w.Rows.Len(), Width: w.Columns.Len()}
}

// To returns the connection to some outputs, and the part of the input that
// their kernels look at.
func (c Connection) To(out Window) (part Connection, in Window) {
	in.Channels = Span{0, c.In.Channels}
	in.Rows = under(out.Rows, c.Height, c.Stride, c.Top, c.In.Height)
	in.Columns = under(out.Columns, c.Width, c.Stride, c.Left, c.In.Width)
	part = c
	part.In, part.Out = in.shape(), out.shape()
	part.Top = in.Rows.From + c.Top - out.Rows.From*c.Stride
	part.Left = in.Columns.From + c.Left - out.Columns.From*c.Stride
	return part, in
}

// Of returns the connection of a fully connected layer that has some outputs only.
func (c Connection) Of(out Span) Connection {
	c.Out.Channels = out.Len()
	return c
}

// From returns the connection from some inputs, the part of the output that they
// are taps of, and the kernel's rows and columns that they meet if the kernel
// does not move, as that of a fully connected layer.
func (c Connection) From(in Window) (part Connection, out Window, kernel Window) {
	out.Channels = Span{0, c.Out.Channels}
	out.Rows = over(in.Rows, c.Height, c.Stride, c.Top, c.Out.Height)
	out.Columns = over(in.Columns, c.Width, c.Stride, c.Left, c.Out.Width)
	kernel = Window{Span{0, c.Height}, Span{0, c.Width}, in.Channels}
	part = c
	part.In, part.Out = in.shape(), out.shape()
	part.Top = in.Rows.From + c.Top - out.Rows.From*c.Stride
	part.Left = in.Columns.From + c.Left - out.Columns.From*c.Stride
	if c.Height == c.In.Height && c.Width == c.In.Width && c.Out.Positions() == 1 && c.Top == 0 && c.Left == 0 {
		kernel.Rows, kernel.Columns = in.Rows, in.Columns
		part.Height, part.Width, part.Top, part.Left = in.Rows.Len(), in.Columns.Len(), 0, 0
	}
	return part, out, kernel
}

// Between returns the connection of some input channels and some output
// channels.
func (c Connection) Between(in, out Span) Connection {
	c.In.Channels, c.Out.Channels = in.Len(), out.Len()
	return c
}

// Flat returns a fully connected layer's connection with its input as one row of
// channels: the same terms in the same order.
func (c Connection) Flat() Connection {
	return Connection{
		In: network.Shape{Channels: c.In.Size(), Height: 1, Width: 1}, Out: c.Out,
		Height: 1, Width: 1, Stride: 1,
	}
}

// under returns the inputs along one axis under the kernels of some outputs.
func under(out Span, kernel, stride, pad, inputs int) Span {
	from, to := max(0, out.From*stride-pad), min(inputs, (out.To-1)*stride-pad+kernel)
	if to <= from || out.Len() == 0 {
		return Span{} // padding
	}
	return Span{from, to}
}

// over returns the outputs along one axis that some inputs are taps of.
func over(in Span, kernel, stride, pad, outputs int) Span {
	if in.Len() == 0 {
		return Span{}
	}
	first, _ := reach(in.From, kernel, stride, pad, outputs)
	_, last := reach(in.To-1, kernel, stride, pad, outputs)
	if last < first {
		return Span{}
	}
	return Span{first, last + 1}
}

// Weights returns the number of weights.
func (c Connection) Weights() int {
	return c.Height * c.Width * c.In.Channels * c.Out.Channels
}

// Input is one sample's map and the list of its values that are not zero, in
// ascending order.
type Input struct {
	Values []float32
	Events []Event
	// Real tells that values are real numbers, to be multiplied; otherwise a
	// value v is v spikes.
	Real bool
}

// Event is an input that is not zero.
type Event struct {
	Index int
	Value float32
}

// List finds the events of a map.
func (in *Input) List(values []float32) {
	in.Values, in.Events = values, in.Events[:0]
	for i, v := range values {
		if v != 0 {
			in.Events = append(in.Events, Event{i, v})
		}
	}
}

// reach returns the outputs first..last along one axis that the input at the
// given coordinate is a tap of; none if last < first.
func reach(at, kernel, stride, pad, outputs int) (first, last int) {
	if at+pad < 0 {
		return 0, -1
	}
	if low := at + pad - kernel + 1; low > 0 {
		first = (low + stride - 1) / stride
	}
	return first, min((at+pad)/stride, outputs-1)
}

// row returns the weights of one tap and input channel, by output channel.
func (c Connection) row(weights []float32, ky, kx, channel int) []float32 {
	n := c.Out.Channels
	first := ((ky*c.Width+kx)*c.In.Channels + channel) * n
	return weights[first : first+n : first+n]
}

// Sum adds to the synaptic sums of one sample (Eq. 1) and returns how many terms
// were added: a spike adds its weight to every output that it reaches, a value
// v does so v times, and a real input is multiplied first.
func (c Connection) Sum(sums, weights []float32, in *Input) (terms int64) {
	channels, n := c.In.Channels, c.Out.Channels
	for _, e := range in.Events {
		position, channel := e.Index/channels, e.Index%channels
		y, x := position/c.In.Width, position%c.In.Width
		y0, y1 := reach(y, c.Height, c.Stride, c.Top, c.Out.Height)
		x0, x1 := reach(x, c.Width, c.Stride, c.Left, c.Out.Width)
		times := 1
		if !in.Real {
			times = int(e.Value)
		}
		for oy := y0; oy <= y1; oy++ {
			for ox := x0; ox <= x1; ox++ {
				w := c.row(weights, y+c.Top-oy*c.Stride, x+c.Left-ox*c.Stride, channel)
				sum := sums[(oy*c.Out.Width+ox)*n:][:len(w)]
				terms += int64(times) * int64(n)
				if in.Real {
					for i, v := range w {
						sum[i] += float32(v * e.Value)
					}
					continue
				}
				for range times {
					for i, v := range w {
						sum[i] += v
					}
				}
			}
		}
	}
	return terms
}

// Errors adds W^T gamma of one sample (Eq. 4) to the sums, one for every input.
func (c Connection) Errors(sums, weights, gamma []float32, events []Event) []Event {
	n := c.Out.Channels
	for oy := range c.Out.Height {
		for ox := range c.Out.Width {
			events = events[:0]
			for i, g := range gamma[(oy*c.Out.Width+ox)*n:][:n] {
				if g != 0 {
					events = append(events, Event{i, g})
				}
			}
			if len(events) > 0 {
				c.spread(sums, weights, events, oy*c.Stride-c.Top, ox*c.Stride-c.Left)
			}
		}
	}
	return events
}

// spread adds the errors of one output position, a channel after the other, to
// the inputs under its kernel, whose first tap is at (top, left).
func (c Connection) spread(sums, weights []float32, gamma []Event, top, left int) {
	channels := c.In.Channels
	for ky := max(0, -top); ky < min(c.Height, c.In.Height-top); ky++ {
		for kx := max(0, -left); kx < min(c.Width, c.In.Width-left); kx++ {
			to := sums[((top+ky)*c.In.Width+left+kx)*channels:][:channels]
			for channel, sum := range to {
				w := c.row(weights, ky, kx, channel)
				for _, g := range gamma {
					sum += float32(g.Value * w[g.Index])
				}
				to[channel] = sum
			}
		}
	}
}

// GradientEvents counts what executing Eq. 7 took.
type GradientEvents struct {
	Weights int64 // additions of a register to dW: weights that a non-zero input reached
	Terms   int64 // additions within registers
	Scaled  int64 // of these, multiplied by an input other than one spike
}

// Gradient adds one sample's gradient to dW (Eq. 7): a register per weight sums
// gamma s over output positions, then goes to dW. register has room for one
// value per output channel. A register that no input event reached is gated:
// nothing is added to it, nor it to dW.
func (c Connection) Gradient(dw, gamma, register []float32, in *Input) (took GradientEvents) {
	n, channels := c.Out.Channels, c.In.Channels
	for ky := range c.Height {
		y0, y1 := inside(ky, c.In.Height, c.Stride, c.Top, c.Out.Height)
		for kx := range c.Width {
			x0, x1 := inside(kx, c.In.Width, c.Stride, c.Left, c.Out.Width)
			for channel := range channels {
				reached := false
				for oy := y0; oy <= y1; oy++ {
					y := oy*c.Stride + ky - c.Top
					for ox := x0; ox <= x1; ox++ {
						v := in.Values[(y*c.In.Width+ox*c.Stride+kx-c.Left)*channels+channel]
						if v == 0 {
							continue
						}
						if !reached {
							reached = true
							clear(register)
						}
						took.Terms += int64(n)
						g := gamma[(oy*c.Out.Width+ox)*n:][:n]
						if v == 1 {
							addTo(register, g)
							continue
						}
						took.Scaled += int64(n)
						for i, g := range g {
							register[i] += float32(g * v)
						}
					}
				}
				if reached {
					took.Weights += int64(n)
					addTo(c.row(dw, ky, kx, channel), register)
				}
			}
		}
	}
	return took
}

// inside returns the outputs first..last along one axis whose tap k is not
// padding; none if last < first.
func inside(k, inputs, stride, pad, outputs int) (first, last int) {
	if k < pad {
		first = (pad - k + stride - 1) / stride
	}
	if inputs-1+pad < k {
		return 0, -1
	}
	return first, min((inputs-1+pad-k)/stride, outputs-1)
}

func addTo(sums, terms []float32) {
	sums = sums[:len(terms)]
	for i, v := range terms {
		sums[i] += v
	}
}
