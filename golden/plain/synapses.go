package plain

import "github.com/accelsim-dev/accelsim/network"

// newSynapses are a projection's or a classifier's; a fully connected one is a kernel
// as large as its input.
func newSynapses(name string, in, out network.Shape, kernel network.Kernel, w []float32) *synapses {
	return &synapses{name: name, in: in, out: out, kernel: kernel, w: append([]float32(nil), w...), dw: make([]float32, len(w))}
}

// whole is the kernel of a fully connected layer.
func whole(in network.Shape) network.Kernel {
	return network.Kernel{
		Size: network.Pair{Height: in.Height, Width: in.Width}, Stride: network.Square(1), Dilation: network.Square(1), Groups: 1,
	}
}

// perGroup are the input and output channels of a group.
func (s *synapses) perGroup() (in, out int) {
	return s.in.Channels / s.kernel.Groups, s.out.Channels / s.kernel.Groups
}

// taps visits the synapses of an output in the order of what they read, with the
// index of the input and of the weight.
func (s *synapses) taps(oy, ox, channel int, visit func(in, weight int)) {
	k := s.kernel
	inputs, outputs := s.perGroup()
	first := channel / outputs * inputs
	for ky := range k.Size.Height {
		y := oy*k.Stride.Height + ky*k.Dilation.Height - k.Pad.Height
		if y < 0 || y >= s.in.Height {
			continue
		}
		for kx := range k.Size.Width {
			x := ox*k.Stride.Width + kx*k.Dilation.Width - k.Pad.Width
			if x < 0 || x >= s.in.Width {
				continue
			}
			for c := range inputs {
				visit((y*s.in.Width+x)*s.in.Channels+first+c, ((channel*inputs+c)*k.Size.Height+ky)*k.Size.Width+kx)
			}
		}
	}
}

// each visits the outputs in order.
func (s *synapses) each(visit func(out, oy, ox, channel int)) {
	out := 0
	for oy := range s.out.Height {
		for ox := range s.out.Width {
			for c := range s.out.Channels {
				visit(out, oy, ox, c)
				out++
			}
		}
	}
}

// add adds the currents of what the synapses read to sums.
func (s *synapses) add(sums batch, v value) {
	for b := range sums {
		s.each(func(out, oy, ox, channel int) {
			sum := sums[b][out]
			s.taps(oy, ox, channel, func(in, weight int) {
				x, times := v.at(b, in)
				switch {
				case x == 0:
				case times == 0:
					sum += float32(s.w[weight] * x)
				default:
					for range times {
						sum += s.w[weight]
					}
				}
			})
			sums[b][out] = sum
		})
	}
}

// back returns W^T err, terms in the order of the outputs.
func (s *synapses) back(err batch) batch {
	sums := newBatch(len(err), s.in.Size())
	for b := range err {
		s.each(func(out, oy, ox, channel int) {
			g := err[b][out]
			if g == 0 {
				return
			}
			s.taps(oy, ox, channel, func(in, weight int) { sums[b][in] += float32(g * s.w[weight]) })
		})
	}
	return sums
}

// gradient adds a step's part to dW: of each sample a register for each weight, over
// positions in order.
func (s *synapses) gradient(err batch, v value) {
	for b := range err {
		register := make([]float32, len(s.dw))
		s.each(func(out, oy, ox, channel int) {
			g := err[b][out]
			s.taps(oy, ox, channel, func(in, weight int) {
				if x := v.number(b, in); x != 0 {
					register[weight] += float32(g * x)
				}
			})
		})
		for i, r := range register {
			s.dw[i] += r
		}
	}
}

// follow takes the trace of what is read one step on, and returns it.
func (s *synapses) follow(v value) value {
	if s.trace == nil {
		s.trace = newBatch(len(v.counts), s.in.Size())
	}
	for b := range s.trace {
		for i, before := range s.trace[b] {
			s.trace[b][i] = float32(s.decay*before) + v.number(b, i)
		}
	}
	return value{s.trace, 1, true}
}
