package golden

// Directly encoded input has few zeros, and a first layer few input channels
// and often few output ones: too few neurons to hide an addition's latency
// behind each other. So positions and taps go side by side instead.

// convolvePositions is how many output positions go side by side.
const convolvePositions = 8

// paddedInput is direct input with a border of zeros, [batch][height][width]
// [channels], wide enough for a run of positions to end beyond the map.
type paddedInput struct {
	values    []float32
	row, size int // values of a row and of a sample
	pad       int
}

// usesDense tells whether s reads direct input and is narrow: in accumulators
// of one register only.
func (s *synapses) usesDense(in *output) bool {
	return in.static && !s.isFlat() && s.out.channels == lanes
}

// usesTaps tells whether the gradient of s can put all taps of a kernel in
// registers: a tap row fits in one.
func (s *synapses) usesTaps(in *output) bool {
	return s.usesDense(in) && s.kernel*s.in.channels <= lanes && (s.kernel == 3 || s.kernel == 5)
}

func (l *layer) newPaddedInput(batch int) *paddedInput {
	s := l.synapses
	width := max((s.out.width+convolvePositions)*s.stride+s.kernel+lanes, s.in.width+2*s.pad)
	height := s.in.height + 2*s.pad
	p := &paddedInput{row: width * s.in.channels, pad: s.pad}
	p.size = height * p.row
	p.values = make([]float32, batch*p.size)
	return p
}

// padInput copies sample b of the input into the border of zeros.
func (l *layer) padInput(t *Trainer, b int) {
	p, channels := l.padded, l.in.channels
	from := l.in.floatsAt(0, t.batch, b)
	row := l.in.width * channels
	for y := range l.in.height {
		copy(p.values[b*p.size+(y+p.pad)*p.row+p.pad*channels:][:row], from[y*row:])
	}
}

// sumDense forms sample b's synaptic sums.
func (t *Trainer) sumDense(l *layer, acc, sums []float32, b int) {
	s, p := l.synapses, l.padded
	x := p.values[b*p.size : (b+1)*p.size]
	step := s.stride * s.in.channels
	for oy := range s.out.height {
		for ox := 0; ox < s.out.width; ox += convolvePositions {
			convolve(acc, x[oy*s.stride*p.row+ox*step:], s.weights, step, p.row, s.kernel, s.kernel*s.in.channels)
			n := min(convolvePositions, s.out.width-ox)
			copy(sums[(oy*s.out.width+ox)*lanes:][:n*lanes], acc)
		}
	}
}

// listErrorsByChannel lists, for every output channel of the narrow layer, the
// non-zero errors of sample b, as where their window starts in the input.
func (t *Trainer) listErrorsByChannel(worker, b int) {
	l, s := t.now.layer, t.now.synapses
	by, positions := &l.byOutput, s.out.positions()
	next := by.next[b*lanes:][:lanes]
	clear(next)
	index, value := by.index[b*positions*lanes:], by.value[b*positions*lanes:]
	t.listErrors(worker, b)
	errors, values := t.errors.index[b*t.errors.capacity:], t.errors.value[b*t.errors.capacity:]
	start := t.errors.start[b*t.errors.positions:]
	for y := range s.out.height {
		for e := start[y*s.out.width]; e < start[(y+1)*s.out.width]; e++ {
			i := int(errors[e])
			c, x := i%lanes, i/lanes-y*s.out.width
			at := c*positions + int(next[c])
			index[at], value[at] = int32(y*s.stride*l.padded.row+x*s.stride*s.in.channels), values[e]
			next[c]++
		}
	}
}

// tapGradient adds the gradient of one output channel's filter: a register per
// row of taps, lanes being the taps of the row.
func (t *Trainer) tapGradient(worker, c int) {
	l, s := t.now.layer, t.now.synapses
	by, positions, p := &l.byOutput, s.out.positions(), l.padded
	acc := t.scratch[worker].accumulator[:s.kernel*lanes]
	taps := s.kernel * s.in.channels
	for b := range t.samples {
		n := int(by.next[b*lanes+c])
		if n == 0 {
			continue
		}
		first := (b*lanes + c) * positions
		clear(acc)
		addScaledTaps(acc, p.values[b*p.size:], 0, 1, p.row, by.index[first:first+n], by.value[first:first+n])
		for ky := range s.kernel {
			for tap := range taps {
				s.gradient[(ky*taps+tap)*lanes+c] += acc[ky*lanes+tap]
			}
		}
	}
}
