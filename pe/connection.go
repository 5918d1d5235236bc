package pe

import "accelsim/network"

// Connection is the geometry of synapses from one map to another: what the PE
// array executes when it has data. A fully connected layer is a kernel as large
// as its input.
//
// Every sum is one float32 accumulator whose terms come in ascending order of
// (row, column, channel) of the neuron they come from, each operation rounded
// on its own (docs/numerics.md). Terms of zero inputs are gated: they are not
// executed. Loops scatter a term to all sums that it belongs to where that
// keeps each sum's order.
type Connection struct {
	In, Out       network.Shape
	Height, Width int // of the kernel
	Stride, Pad   int
}

// Connect returns the connection of a layer's weights.
func Connect(l *network.Layer) Connection {
	c := Connection{In: l.In, Out: l.Out, Height: l.Kernel, Width: l.Kernel, Stride: l.Stride, Pad: l.Pad}
	if l.Kind == network.FC {
		c.Height, c.Width, c.Stride, c.Pad = l.In.Height, l.In.Width, 1, 0
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

// Sum forms the synaptic sums of one sample (Eq. 1) and returns how many terms
// were added: a spike adds its weight to every output that it reaches, a value
// v does so v times, and a real input is multiplied first.
func (c Connection) Sum(sums, weights []float32, in *Input) (terms int64) {
	clear(sums)
	channels, n := c.In.Channels, c.Out.Channels
	for _, e := range in.Events {
		position, channel := e.Index/channels, e.Index%channels
		y, x := position/c.In.Width, position%c.In.Width
		y0, y1 := reach(y, c.Height, c.Stride, c.Pad, c.Out.Height)
		x0, x1 := reach(x, c.Width, c.Stride, c.Pad, c.Out.Width)
		times := 1
		if !in.Real {
			times = int(e.Value)
		}
		for oy := y0; oy <= y1; oy++ {
			for ox := x0; ox <= x1; ox++ {
				w := c.row(weights, y+c.Pad-oy*c.Stride, x+c.Pad-ox*c.Stride, channel)
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

// Errors forms the sums of W^T gamma of one sample (Eq. 4), for every input.
func (c Connection) Errors(sums, weights, gamma []float32, events []Event) []Event {
	clear(sums)
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
				c.spread(sums, weights, events, oy*c.Stride-c.Pad, ox*c.Stride-c.Pad)
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
		y0, y1 := inside(ky, c.In.Height, c.Stride, c.Pad, c.Out.Height)
		for kx := range c.Width {
			x0, x1 := inside(kx, c.In.Width, c.Stride, c.Pad, c.Out.Width)
			for channel := range channels {
				reached := false
				for oy := y0; oy <= y1; oy++ {
					y := oy*c.Stride + ky - c.Pad
					for ox := x0; ox <= x1; ox++ {
						v := in.Values[(y*c.In.Width+ox*c.Stride+kx-c.Pad)*channels+channel]
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
