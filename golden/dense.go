package golden

import "github.com/accelsim-dev/accelsim/network"

// Directly encoded input has few zeros, and a first layer few input channels
// and often few output ones: too few neurons to hide an addition's latency
// behind each other. So positions and taps go side by side instead.

// convolvePositions is how many output positions go side by side.
const convolvePositions = 8

// denseInput is direct input with a border of zeros, [batch][height][width]
// [channels], wide enough for a run of positions to end beyond the map, and the
// errors of the neurons that read it.
type denseInput struct {
	values    []float32
	row, size int // values of a row and of a sample

	errors channelLists // by output channel
}

// usesDense tells whether s reads direct input and is narrow: in accumulators
// of one register only.
func (s *synapses) usesDense(in *output) bool {
	k := &s.kernel
	return in.static && !s.isFlat() && s.out.channels == lanes && k.Dilation == network.Square(1) && k.Groups == 1
}

// hasTapKernel tells whether the gradient of dense input can put all taps of a kernel
// in registers: a tap row fits in one.
func (s *synapses) hasTapKernel() bool {
	k := s.kernel.Size
	return k.Width*s.in.channels <= lanes && (k.Height == 3 || k.Height == 5)
}

func (s *synapses) newDenseInput(batch int) *denseInput {
	k := &s.kernel
	width := max((s.out.width+convolvePositions)*k.Stride.Width+k.Size.Width+lanes, s.in.width+2*k.Pad.Width)
	height := s.in.height + 2*k.Pad.Height
	d := &denseInput{row: width * s.in.channels}
	d.size = height * d.row
	d.values = make([]float32, batch*d.size)
	d.errors = channelLists{
		index: make([]int32, batch*s.out.size()), value: make([]float32, batch*s.out.size()), next: make([]int32, batch*lanes),
	}
	return d
}

// padInput copies sample b of the input into the border of zeros.
func (s *synapses) padInput(from []float32, b int) {
	d, k, channels := s.dense, &s.kernel, s.in.channels
	row := s.in.width * channels
	for y := range s.in.height {
		copy(d.values[b*d.size+(y+k.Pad.Height)*d.row+k.Pad.Width*channels:][:row], from[y*row:])
	}
}

// sumDense forms sample b's synaptic sums.
func (s *synapses) sumDense(acc, sums []float32, b int) {
	d, k := s.dense, &s.kernel
	x := d.values[b*d.size : (b+1)*d.size]
	step := k.Stride.Width * s.in.channels
	for oy := range s.out.height {
		for ox := 0; ox < s.out.width; ox += convolvePositions {
			convolve(acc, x[oy*k.Stride.Height*d.row+ox*step:], s.weights, step, d.row, k.Size.Height, k.Size.Width*s.in.channels)
			n := min(convolvePositions, s.out.width-ox)
			copy(sums[(oy*s.out.width+ox)*lanes:][:n*lanes], acc)
		}
	}
}

// listErrorsByChannel lists, for every output channel of the narrow layer, the
// non-zero errors of sample b, as where their window starts in the input.
func (t *Trainer) listErrorsByChannel(worker, b int) {
	s := t.now.synapses
	by, positions := &s.dense.errors, s.out.positions()
	next := by.next[b*lanes:][:lanes]
	clear(next)
	index, value := by.index[b*positions*lanes:], by.value[b*positions*lanes:]
	t.listErrors(worker, b)
	errors, values := t.errors.index[b*t.errors.capacity:], t.errors.value[b*t.errors.capacity:]
	start := t.errors.start[b*t.errors.positions:]
	stride := s.kernel.Stride
	for y := range s.out.height {
		for e := start[y*s.out.width]; e < start[(y+1)*s.out.width]; e++ {
			i := int(errors[e])
			c, x := i%lanes, i/lanes-y*s.out.width
			at := c*positions + int(next[c])
			index[at], value[at] = int32(y*stride.Height*s.dense.row+x*stride.Width*s.in.channels), values[e]
			next[c]++
		}
	}
}

// tapGradient adds the gradient of one output channel's filter: a register per
// row of taps, lanes being the taps of the row.
func (t *Trainer) tapGradient(worker, c int) {
	s := t.now.synapses
	d, positions := s.dense, s.out.positions()
	by, height := &d.errors, s.kernel.Size.Height
	acc := t.scratch[worker].accumulator[:height*lanes]
	taps := s.kernel.Size.Width * s.in.channels
	for b := range t.samples {
		n := int(by.next[b*lanes+c])
		if n == 0 {
			continue
		}
		first := (b*lanes + c) * positions
		clear(acc)
		addScaledTaps(acc, d.values[b*d.size:], 0, 1, d.row, by.index[first:first+n], by.value[first:first+n])
		for ky := range height {
			for tap := range taps {
				s.gradient[(ky*taps+tap)*lanes+c] += acc[ky*lanes+tap]
			}
		}
	}
}
