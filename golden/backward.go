package golden

import "github.com/accelsim-dev/accelsim/network"

// backwardStep computes errors and gradients of one step (Eqs. 4, 5 and 7) in
// all blocks, from the top layer down. last marks an interval's last step t_k,
// where the backward pass starts.
func (t *Trainer) backwardStep(slot int, last bool) {
	t.now.slot, t.now.previous, t.now.last = slot, (slot+t.slots-1)%t.slots, last
	for i := len(t.blocks) - 1; i >= 0; i-- {
		b := &t.blocks[i]
		t.classifierBackward(b.classifier)
		for j := len(b.layers) - 1; j >= 0; j-- {
			t.layerBackward(b.layers[j])
		}
	}
}

func (t *Trainer) classifierBackward(c *classifier) {
	t.now.classifier = c
	t.phase(t.samples, (*Trainer).classifierError)
	if c.synapses.frozen {
		return
	}
	t.gradient(c.synapses, t.traced(c.trace, c.in), c.neurons.err, 0)
	if c.bias != nil {
		t.biasGradient(c.bias, &c.neurons, c.neurons.err)
	}
}

func (t *Trainer) classifierError(_, b int) {
	c := t.now.classifier
	size := c.neurons.size()
	c.neurons.back(t, b, c.delta[b*size:(b+1)*size])
}

// traced is what the gradient takes for what is read: its trace, if the rule has one.
func (t *Trainer) traced(tr *trace, of *reading) *reading {
	if tr == nil {
		return of
	}
	return t.follow(tr, of)
}

func (t *Trainer) layerBackward(l *layer) {
	if l.later != nil && !t.now.last {
		copy(l.later, l.err)
	}
	t.spatialError(l)
	t.now.layer = l
	if l.fromSelf == nil {
		t.phase(t.samples, (*Trainer).layerError)
	} else {
		t.phase(t.samples, (*Trainer).joinedError)
		t.receive(l.fromSelf, l, l.delta, true)
		t.now.layer = l
		t.phase(t.samples, (*Trainer).recurrentError)
	}
	if l.norm != nil {
		t.normError()
	}
	for _, p := range l.inputs {
		if p.synapses != nil {
			t.gradient(p.synapses, t.traced(p.trace, p.in), l.err, l.own.border)
		}
	}
	if l.bias != nil {
		t.biasGradient(l.bias, &l.own, l.err)
	}
}

// spatialError forms the error of l's output, the first term of Eq. 4.
func (t *Trainer) spatialError(l *layer) {
	if l.feedback != nil {
		t.passError(l.spatial, l.feedback, l.block.classifier.neurons.gamma, 0, false)
		return
	}
	if !t.receive(l.from, l, l.spatial, false) {
		clear(l.spatial[:t.samples*l.output.size()])
	}
}

// receive adds up contributions to the error of l's output or spikes, one after the
// other, and tells whether there is any.
func (t *Trainer) receive(list []contribution, l *layer, target []float32, add bool) bool {
	for i := range list {
		c := &list[i]
		switch {
		case c.late && t.now.last:
			continue
		case c.reader == nil:
			t.passError(target, c.synapses, l.classifier.neurons.err, 0, add)
		case c.synapses != nil:
			t.passError(target, c.synapses, c.error(), c.reader.own.border, add)
		default:
			t.now.reader, t.now.err, t.now.target, t.now.add = c.reader, c.error(), target, add
			if c.passed {
				t.phase(t.samples, (*Trainer).passAddition)
			} else {
				t.phase(t.samples, (*Trainer).passIdentity)
			}
		}
		add = true
	}
	return add
}

// error is that of the reader's synaptic sum.
func (c *contribution) error() []float32 {
	if c.late {
		return c.reader.later
	}
	return c.reader.err
}

// joinError is the error at a residual addition: of the output, or of what is
// pooled.
func (l *layer) joinError() []float32 {
	if l.HasPool() {
		return l.before
	}
	return l.spatial
}

// passAddition hands the error of a reader's addition to an operand.
func (t *Trainer) passAddition(_, b int) {
	size := t.now.reader.own.size()
	from, to := t.now.reader.joinError()[b*size:(b+1)*size], t.now.target[b*size:(b+1)*size]
	if t.now.add {
		add(to, from)
	} else {
		copy(to, from)
	}
}

// passIdentity hands the error of a reader's synaptic sum to what it adds to it.
func (t *Trainer) passIdentity(_, b int) {
	n := &t.now.reader.own
	row := n.width * n.channels
	for y := range n.height {
		from := t.now.err[b*n.gammaSize()+y*n.gammaRow()+n.border*n.channels:][:row]
		to := t.now.target[b*n.size()+y*row:][:row]
		if t.now.add {
			add(to, from)
		} else {
			copy(to, from)
		}
	}
}

// passError passes errors of the synaptic sums of a reader down to what it reads.
func (t *Trainer) passError(target []float32, s *synapses, err []float32, border int, add bool) {
	t.now.target, t.now.synapses, t.now.err, t.now.border, t.now.add = target, s, err, border, add
	t.phase(t.samples, (*Trainer).listErrors)
	t.now.chunks = t.chunksFor(len(s.inBlocks))
	t.phase(len(s.inBlocks)*t.now.chunks, (*Trainer).passTask)
}

// listErrors lists the non-zero errors of sample b: most are gated by the
// surrogate.
func (t *Trainer) listErrors(_, b int) {
	s := t.now.synapses
	capacity := s.out.size()
	row := s.out.width * s.out.channels
	stride := row + 2*t.now.border*s.out.channels
	err := t.now.err[b*s.out.height*stride:]
	index := t.errors.index[b*t.errors.capacity:][:capacity]
	value := t.errors.value[b*t.errors.capacity:][:capacity]
	start := t.errors.start[b*t.errors.positions:]
	n := 0
	for y := range s.out.height {
		values := err[y*stride+t.now.border*s.out.channels:][:row]
		n += listFloats(index[n:], value[n:], start[y*s.out.width:], values, s.out.channels, y*row, n)
	}
	start[s.out.positions()] = int32(n)
}

func (t *Trainer) passTask(worker, task int) {
	s := t.now.synapses
	columns := s.inBlocks[task/t.now.chunks]
	first, end := share(t.samples, task%t.now.chunks, t.now.chunks)
	k := s.kernel
	kernel := network.Kernel{Size: k.Size, Stride: network.Square(1), Dilation: k.Dilation, Groups: 1}
	kernel.Pad = network.Pair{Height: k.Dilation.Height*(k.Size.Height-1) - k.Pad.Height, Width: k.Dilation.Width*(k.Size.Width-1) - k.Pad.Width}
	rows := s.taps() * s.out.channels
	size := s.in.size()
	how := store
	if t.now.add {
		how = addTo
	}
	for b := first; b < end; b++ {
		g := gather{
			in: s.out, out: s.in, kernel: kernel,
			rows: s.turned[columns.first*rows : (columns.first+columns.width)*rows], columns: columns,
		}
		g.start = t.errors.start[b*t.errors.positions:][:s.out.positions()+1]
		n := int(g.start[s.out.positions()])
		g.index = t.errors.index[b*t.errors.capacity:][:n]
		g.value = t.errors.value[b*t.errors.capacity:][:n]
		to := t.now.target[b*size : (b+1)*size]
		if s.strides() {
			g.kernel = k
			g.runStrided(to, t.scratch[worker].accumulator, how)
		} else {
			g.run(to, t.scratch[worker].accumulator, how)
		}
	}
}

// runStrided is run for the errors of a convolution with a stride: the outputs
// that read an input are not adjacent taps.
func (g *gather) runStrided(sums, accumulator []float32, how into) {
	width := g.columns.width
	acc := accumulator[:width]
	for y := range g.out.height {
		for x := range g.out.width {
			clear(acc)
			g.readersOf(acc, y+g.kernel.Pad.Height, x+g.kernel.Pad.Width)
			at := (y*g.out.width+x)*g.out.channels + g.columns.first
			if how == addTo {
				add(sums[at:at+width], acc)
			} else {
				copy(sums[at:at+width], acc)
			}
		}
	}
}

// readersOf adds the errors of the outputs that read one position of the padded
// input, ascending.
func (g *gather) readersOf(acc []float32, y, x int) {
	k := &g.kernel
	for oy := firstReader(y, k.Dilation.Height*(k.Size.Height-1), k.Stride.Height); oy < g.in.height && oy*k.Stride.Height <= y; oy++ {
		ky := y - oy*k.Stride.Height
		if ky%k.Dilation.Height != 0 {
			continue
		}
		for ox := firstReader(x, k.Dilation.Width*(k.Size.Width-1), k.Stride.Width); ox < g.in.width && ox*k.Stride.Width <= x; ox++ {
			kx := x - ox*k.Stride.Width
			if kx%k.Dilation.Width != 0 {
				continue
			}
			position := oy*g.in.width + ox
			tap := k.Size.Area() - 1 - (ky/k.Dilation.Height*k.Size.Width + kx/k.Dilation.Width)
			g.add(acc, (tap-position)*g.in.channels*g.columns.width, int(g.start[position]), int(g.start[position+1]))
		}
	}
}

// firstReader is the first output whose window, reaching so far, ends at or behind a
// position.
func firstReader(position, reach, stride int) int { return max(0, (position-reach+stride-1)/stride) }

// layerError takes sample b's error of the output through the pooling and the
// layer's own neurons (Eqs. 4 and 5).
func (t *Trainer) layerError(worker, b int) {
	l := t.now.layer
	t.joinedError(worker, b)
	size := l.own.size()
	t.neuronError(b, l.joinError()[b*size:(b+1)*size])
}

// joinedError takes sample b's error of the output through the pooling.
func (t *Trainer) joinedError(_, b int) {
	l := t.now.layer
	size := l.own.size()
	if l.HasPool() {
		errors := l.spatial[b*l.output.size() : (b+1)*l.output.size()]
		if n := l.pool; n != nil {
			n.back(t, b, errors)
			errors = n.err[b*n.size() : (b+1)*n.size()]
		}
		t.unpool(l, b, l.before[b*size:(b+1)*size], errors)
	}
	if l.delta != nil {
		copy(l.delta[b*size:(b+1)*size], l.joinError()[b*size:])
	}
}

// recurrentError takes sample b's error of the spikes, to which the layer's own
// projections have added, through the neurons.
func (t *Trainer) recurrentError(_, b int) {
	size := t.now.layer.own.size()
	t.neuronError(b, t.now.layer.delta[b*size:(b+1)*size])
}

// neuronError takes sample b's error of the spikes through dropout and the neurons.
func (t *Trainer) neuronError(b int, spatial []float32) {
	l := t.now.layer
	if l.mask != nil {
		// Another layer or an addition needs the error as it is.
		masked := t.masked[b*len(spatial) : (b+1)*len(spatial)]
		for i, keep := range l.mask[b*len(spatial) : (b+1)*len(spatial)] {
			masked[i] = spatial[i] * float32(keep)
		}
		spatial = masked
	}
	l.own.back(t, b, spatial)
}
