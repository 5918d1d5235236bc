package golden

import "slices"

// gradient adds one step's gradient of s (Eq. 7): in holds the inputs, err the
// errors of the synaptic sums, with a border left and right of each row.
func (t *Trainer) gradient(s *synapses, in *reading, err []float32, border int) {
	t.now.synapses, t.now.in, t.now.err, t.now.border = s, in, err, border
	if s.dense != nil && in == &t.input.now && s.hasTapKernel() {
		t.phase(t.samples, (*Trainer).listErrorsByChannel)
		t.phase(s.out.used, (*Trainer).tapGradient)
		return
	}
	t.listAgain(in)
	if s.isFlat() {
		t.listByInput()
		t.now.chunks = max(1, min(s.rows/minRows, 4*t.crew.workers/len(s.blocks)))
		t.phase(len(s.blocks)*t.now.chunks, (*Trainer).flatGradient)
		return
	}
	t.phase(t.samples, (*Trainer).listByChannel)
	t.now.chunks = max(1, min(s.in.channels, 4*t.crew.workers/len(s.blocks)))
	t.phase(len(s.blocks)*t.now.chunks, (*Trainer).gradientTask)
}

// minRows is the least number of weight rows worth a task.
const minRows = 32

// listByInput lists, for every input of a fully connected layer, the samples
// in which it is not zero, ascending.
func (t *Trainer) listByInput() {
	s, in, by := t.now.synapses, t.now.in, &t.byInput
	start := by.start[:s.rows+1]
	clear(start)
	for b := range t.samples {
		index, _, _ := in.listed(b, t.batch)
		last := int32(-1)
		for _, i := range index {
			if i != last { // a value v stands v times
				start[i+1]++
				last = i
			}
		}
	}
	for i := range s.rows {
		start[i+1] += start[i]
	}
	next := by.next[:s.rows]
	copy(next, start)
	by.index = slices.Grow(by.index[:0], int(start[s.rows]))[:start[s.rows]]
	by.value = slices.Grow(by.value[:0], int(start[s.rows]))[:start[s.rows]]
	for b := range t.samples {
		index, value, _ := in.listed(b, t.batch)
		for e := 0; e < len(index); {
			i, from := index[e], e
			for e++; e < len(index) && index[e] == i; e++ {
			}
			v := float32(e - from)
			if value != nil {
				v = value[from]
			}
			by.index[next[i]], by.value[next[i]] = int32(b), v
			next[i]++
		}
	}
}

// flatGradient adds the samples' errors to the rows of some inputs, ascending.
func (t *Trainer) flatGradient(_, task int) {
	s, by := t.now.synapses, &t.byInput
	columns := s.blocks[task/t.now.chunks]
	first, end := share(s.rows, task%t.now.chunks, t.now.chunks)
	gradient := s.gradient[columns.first*s.rows:]
	apart := (1 + 2*t.now.border) * s.out.channels // of samples' errors
	for row := first; row < end; row++ {
		from, to := by.start[row], by.start[row+1]
		if from == to {
			continue
		}
		acc := gradient[row*columns.width:][:columns.width]
		if t.now.in.weighted() {
			addScaledRows(acc, t.now.err, columns.first+t.now.border*s.out.channels, apart, by.index[from:to], by.value[from:to])
		} else {
			addRows(acc, t.now.err, columns.first+t.now.border*s.out.channels, apart, by.index[from:to])
		}
	}
}

// listByChannel lists, for every channel of sample b's input, the non-zero
// values in order, as positions in the map of errors for the first tap.
func (t *Trainer) listByChannel(_, b int) {
	s, in, by := t.now.synapses, t.now.in, &t.byChannel
	channels, width := s.in.channels, s.in.width
	size := s.in.size()
	index := by.index[b*by.capacity:][:size]
	value := by.value[b*by.capacity:][:size]
	rows := s.in.height + 1
	start := by.start[b*by.starts:][:channels*rows] // [channel][row]
	positions := s.in.positions()
	errorRow := s.out.width + 2*t.now.border
	if s.strides() {
		errorRow = width // positions of the input itself
	}
	for c := range channels {
		start[c*rows] = int32(c * positions)
	}
	next := by.next[b*by.channels:][:channels]
	for c := range channels {
		next[c] = int32(c * positions)
	}
	events, values, starts := in.listed(b, t.batch)
	for y := range s.in.height {
		for x := range width {
			at, position := int32(y*errorRow+x), y*width+x
			first := int32(position * channels)
			for e, end := int(starts[position]), int(starts[position+1]); e < end; {
				c, from := events[e]-first, e
				for e++; e < end && events[e]-first == c; e++ { // a value v stands v times
				}
				v := float32(e - from)
				if values != nil {
					v = values[from]
				}
				index[next[c]], value[next[c]] = at, v
				next[c]++
			}
		}
		for c := range channels {
			start[c*rows+y+1] = next[c]
		}
	}
}

// gradientTask adds the gradient of some input channels' weights: for each
// sample a register sums over output positions, then goes to dW.
func (t *Trainer) gradientTask(worker, task int) {
	s, by := t.now.synapses, &t.byChannel
	columns := s.blocks[task/t.now.chunks]
	first, end := share(s.in.channels, task%t.now.chunks, t.now.chunks)
	gradient := s.gradient[columns.first*s.rows:]
	acc := t.scratch[worker].accumulator[:columns.width]
	k := &s.kernel
	kernelRow := !s.strides() && k.Size.Width > 1 && k.Size.Width*columns.width <= maxTaps*lanes
	taps := t.scratch[worker].accumulator
	if kernelRow {
		taps = taps[:k.Size.Width*columns.width]
	}
	errorRow := s.out.width + 2*t.now.border
	errorSize := s.out.height * errorRow * s.out.channels
	rows := s.in.height + 1
	for b := range t.samples {
		err := t.now.err[b*errorSize : (b+1)*errorSize]
		start := by.start[b*by.starts:]
		index, value := by.index[b*by.capacity:], by.value[b*by.capacity:]
		for ci := first; ci < end; ci++ {
			for ky := range k.Size.Height {
				// Input rows that tap ky reads: oy = (y + pad - dilation ky) / stride.
				reach := ky*k.Dilation.Height - k.Pad.Height
				top := min(max(reach, 0), s.in.height)
				bottom := max(min(reach+(s.out.height-1)*k.Stride.Height+1, s.in.height), top)
				from, to := start[ci*rows+top], start[ci*rows+bottom]
				if from == to {
					continue
				}
				if kernelRow && !t.now.in.weighted() {
					// All taps of the row side by side: kx = K-1 reads the first row.
					clear(taps)
					at := (-reach*errorRow+k.Pad.Width-k.Dilation.Width*(k.Size.Width-1)+t.now.border)*s.out.channels + columns.first
					addTaps(taps, err, at, s.out.channels, k.Dilation.Width*s.out.channels, k.Size.Width, index[from:to])
					for kx := range k.Size.Width {
						add(gradient[((ky*k.Size.Width+kx)*s.in.channels+ci)*columns.width:][:columns.width], taps[(k.Size.Width-1-kx)*columns.width:][:columns.width])
					}
					continue
				}
				for kx := range k.Size.Width {
					clear(acc)
					list, values := index[from:to], value[from:to]
					offset := -reach*errorRow + k.Pad.Width - kx*k.Dilation.Width + t.now.border
					if s.strides() {
						list, values = s.strided(list, values, ky, kx, errorRow, &t.scratch[worker])
						offset = t.now.border
					}
					at := offset*s.out.channels + columns.first
					if t.now.in.weighted() {
						addScaledRows(acc, err, at, s.out.channels, list, values)
					} else {
						addRows(acc, err, at, s.out.channels, list)
					}
					add(gradient[((ky*k.Size.Width+kx)*s.in.channels+ci)*columns.width:][:columns.width], acc)
				}
			}
		}
	}
}

// strided keeps the inputs that a tap of a strided convolution reads, as
// output positions in rows of errors.
func (s *synapses) strided(list []int32, values []float32, ky, kx, errorRow int, scratch *scratch) ([]int32, []float32) {
	k := &s.kernel
	n := 0
	for i, p := range list {
		y, x := int(p)/s.in.width+k.Pad.Height-ky*k.Dilation.Height, int(p)%s.in.width+k.Pad.Width-kx*k.Dilation.Width
		if y < 0 || x < 0 || y%k.Stride.Height != 0 || x%k.Stride.Width != 0 {
			continue
		}
		if oy, ox := y/k.Stride.Height, x/k.Stride.Width; oy < s.out.height && ox < s.out.width {
			scratch.index[n], scratch.value[n] = int32(oy*errorRow+ox), values[i]
			n++
		}
	}
	return scratch.index[:n], scratch.value[:n]
}
