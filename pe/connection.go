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
	Stride        network.Pair
	Dilation      network.Pair // between taps; the zero pair stands for 1
	// Groups cuts the channels of both maps into as many parts, each connected to
	// its own; 0 stands for 1. Weights are [row][column][input channel of a
	// group][output channel].
	Groups int
	// Top and Left say how far the first output's kernel reaches out of the
	// input: its padding. They are negative where inputs before it are no tap of
	// any output that is there.
	Top, Left int
}

// Connect returns the connection of a projection to a map.
func Connect(p *network.Projection, out network.Shape) Connection {
	if p.Kind != network.Conv {
		return Full(p.In, out.Channels)
	}
	k := p.Kernel
	return Connection{
		In: p.In, Out: out, Height: k.Size.Height, Width: k.Size.Width, Stride: k.Stride, Dilation: k.Dilation, Groups: k.Groups,
		Top: k.Pad.Height, Left: k.Pad.Width,
	}
}

// Full returns the connection of a fully connected layer or classifier to the map
// that it flattens.
func Full(in network.Shape, outputs int) Connection {
	return Connection{
		In: in, Out: network.Shape{Channels: outputs, Height: 1, Width: 1},
		Height: in.Height, Width: in.Width, Stride: network.Square(1),
	}
}

// Dense returns the connection of so many values to so many.
func Dense(inputs, outputs int) Connection {
	return Full(network.Shape{Channels: inputs, Height: 1, Width: 1}, outputs)
}

func (c Connection) groups() int { return max(c.Groups, 1) }

// group returns the output channels that an input channel is connected to.
func (c Connection) group(channel int) Span {
	if c.Groups <= 1 {
		return Span{0, c.Out.Channels}
	}
	g, n := channel/(c.In.Channels/c.Groups), c.Out.Channels/c.Groups
	return Span{g * n, (g + 1) * n}
}

// axis is the geometry of a kernel along one axis.
type axis struct{ kernel, stride, dilation, pad, inputs, outputs int }

func (c Connection) vertical() axis {
	return axis{c.Height, c.Stride.Height, max(c.Dilation.Height, 1), c.Top, c.In.Height, c.Out.Height}
}

func (c Connection) horizontal() axis {
	return axis{c.Width, c.Stride.Width, max(c.Dilation.Width, 1), c.Left, c.In.Width, c.Out.Width}
}

// extent is how far a kernel's last tap is from its first, and one.
func (a axis) extent() int { return (a.kernel-1)*a.dilation + 1 }

// tap returns the tap of output o that lies on input i, and whether there is one.
func (a axis) tap(i, o int) (int, bool) {
	d := i + a.pad - o*a.stride
	return d / a.dilation, d >= 0 && d%a.dilation == 0 && d/a.dilation < a.kernel
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
	in.Rows = c.vertical().under(out.Rows)
	in.Columns = c.horizontal().under(out.Columns)
	part = c
	part.In, part.Out = in.shape(), out.shape()
	part.Top = in.Rows.From + c.Top - out.Rows.From*c.Stride.Height
	part.Left = in.Columns.From + c.Left - out.Columns.From*c.Stride.Width
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
	out.Rows = c.vertical().over(in.Rows)
	out.Columns = c.horizontal().over(in.Columns)
	kernel = Window{Span{0, c.Height}, Span{0, c.Width}, in.Channels}
	part = c
	part.In, part.Out = in.shape(), out.shape()
	part.Top = in.Rows.From + c.Top - out.Rows.From*c.Stride.Height
	part.Left = in.Columns.From + c.Left - out.Columns.From*c.Stride.Width
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
	return Dense(c.In.Size(), c.Out.Channels)
}

// under returns the inputs along one axis under the kernels of some outputs.
func (a axis) under(out Span) Span {
	from, to := max(0, out.From*a.stride-a.pad), min(a.inputs, (out.To-1)*a.stride-a.pad+a.extent())
	if to <= from || out.Len() == 0 {
		return Span{} // padding
	}
	return Span{from, to}
}

// over returns the outputs along one axis that some inputs are taps of.
func (a axis) over(in Span) Span {
	if in.Len() == 0 {
		return Span{}
	}
	first, _ := a.reach(in.From)
	_, last := a.reach(in.To - 1)
	if last < first {
		return Span{}
	}
	return Span{first, last + 1}
}

// Weights returns the number of weights.
func (c Connection) Weights() int {
	return c.Height * c.Width * (c.In.Channels / c.groups()) * c.Out.Channels
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

// reach returns the outputs first..last along one axis under whose kernels the
// input at a coordinate lies; none if last < first.
func (a axis) reach(at int) (first, last int) {
	if at+a.pad < 0 {
		return 0, -1
	}
	if low := at + a.pad - a.extent() + 1; low > 0 {
		first = (low + a.stride - 1) / a.stride
	}
	return first, min((at+a.pad)/a.stride, a.outputs-1)
}

// row returns the weights of one tap and input channel, by output channel: all,
// of which those of the channel's group are connected.
func (c Connection) row(weights []float32, ky, kx, channel int) []float32 {
	n, inputs := c.Out.Channels, c.In.Channels/c.groups()
	first := ((ky*c.Width+kx)*inputs + channel%inputs) * n
	return weights[first : first+n : first+n]
}

// Sum adds to the synaptic sums of one sample (Eq. 1) and returns how many terms
// were added: a spike adds its weight to every output that it reaches, a value
// v does so v times, and a real input is multiplied first.
func (c Connection) Sum(sums, weights []float32, in *Input) (terms int64) {
	channels, n := c.In.Channels, c.Out.Channels
	rows, columns := c.vertical(), c.horizontal()
	for _, e := range in.Events {
		position, channel := e.Index/channels, e.Index%channels
		y, x := position/c.In.Width, position%c.In.Width
		y0, y1 := rows.reach(y)
		x0, x1 := columns.reach(x)
		times := 1
		if !in.Real {
			times = int(e.Value)
		}
		to := c.group(channel)
		for oy := y0; oy <= y1; oy++ {
			ky, hit := rows.tap(y, oy)
			if !hit {
				continue
			}
			for ox := x0; ox <= x1; ox++ {
				kx, hit := columns.tap(x, ox)
				if !hit {
					continue
				}
				w := c.row(weights, ky, kx, channel)[to.From:to.To]
				sum := sums[(oy*c.Out.Width+ox)*n+to.From:][:len(w)]
				terms += int64(times) * int64(len(w))
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
				c.spread(sums, weights, events, oy*c.Stride.Height-c.Top, ox*c.Stride.Width-c.Left)
			}
		}
	}
	return events
}

// spread adds the errors of one output position, a channel after the other, to
// the inputs under its kernel, whose first tap is at (top, left).
func (c Connection) spread(sums, weights []float32, gamma []Event, top, left int) {
	channels := c.In.Channels
	dy, dx := max(c.Dilation.Height, 1), max(c.Dilation.Width, 1)
	for ky := range c.Height {
		y := top + ky*dy
		if y < 0 || y >= c.In.Height {
			continue
		}
		for kx := range c.Width {
			x := left + kx*dx
			if x < 0 || x >= c.In.Width {
				continue
			}
			to := sums[(y*c.In.Width+x)*channels:][:channels]
			for channel, sum := range to {
				w := c.row(weights, ky, kx, channel)
				for _, g := range c.ofGroup(gamma, channel) {
					sum += float32(g.Value * w[g.Index])
				}
				to[channel] = sum
			}
		}
	}
}

// ofGroup returns the errors of the output channels that an input channel is
// connected to.
func (c Connection) ofGroup(gamma []Event, channel int) []Event {
	if c.Groups <= 1 {
		return gamma
	}
	to := c.group(channel)
	first := 0
	for first < len(gamma) && gamma[first].Index < to.From {
		first++
	}
	last := first
	for last < len(gamma) && gamma[last].Index < to.To {
		last++
	}
	return gamma[first:last]
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
	channels := c.In.Channels
	rows, columns := c.vertical(), c.horizontal()
	for ky := range c.Height {
		y0, y1 := rows.inside(ky)
		for kx := range c.Width {
			x0, x1 := columns.inside(kx)
			for channel := range channels {
				to := c.group(channel)
				n := to.Len()
				register := register[:n]
				reached := false
				for oy := y0; oy <= y1; oy++ {
					y := oy*rows.stride + ky*rows.dilation - c.Top
					for ox := x0; ox <= x1; ox++ {
						v := in.Values[(y*c.In.Width+ox*columns.stride+kx*columns.dilation-c.Left)*channels+channel]
						if v == 0 {
							continue
						}
						if !reached {
							reached = true
							clear(register)
						}
						took.Terms += int64(n)
						g := gamma[(oy*c.Out.Width+ox)*c.Out.Channels+to.From:][:n]
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
					addTo(c.row(dw, ky, kx, channel)[to.From:to.To], register)
				}
			}
		}
	}
	return took
}

// inside returns the outputs first..last along one axis whose tap k is not
// padding; none if last < first.
func (a axis) inside(k int) (first, last int) {
	k *= a.dilation
	if k < a.pad {
		first = (a.pad - k + a.stride - 1) / a.stride
	}
	if a.inputs-1+a.pad < k {
		return 0, -1
	}
	return first, min((a.inputs-1+a.pad-k)/a.stride, a.outputs-1)
}

func addTo(sums, terms []float32) {
	sums = sums[:len(terms)]
	for i, v := range terms {
		sums[i] += v
	}
}
