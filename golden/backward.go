package golden

// backwardStep computes errors and gradients of one step (Eqs. 4, 5 and 7) in
// all blocks, from the top layer down. last marks an interval's last step t_k,
// where the backward pass starts.
func (t *Trainer) backwardStep(slot int, last bool) {
	t.now.slot, t.now.last = slot, last
	for i := len(t.blocks) - 1; i >= 0; i-- {
		b := &t.blocks[i]
		c := b.classifier
		t.now.classifier = c
		t.phase(t.samples, (*Trainer).classifierError)
		if !c.synapses.frozen {
			t.gradient(c.synapses, c.in, c.neurons.gamma, 0)
		}
		for j := len(b.layers) - 1; j >= 0; j-- {
			l := b.layers[j]
			t.spatialError(l)
			t.now.layer = l
			t.phase(t.samples, (*Trainer).layerError)
			if l.norm != nil {
				t.normError()
			}
			t.gradient(l.synapses, l.in, l.err, l.own.border)
		}
	}
}

func (t *Trainer) classifierError(_, b int) {
	n := &t.now.classifier.neurons
	size := n.size()
	potentialError(n.gamma[b*size:(b+1)*size], t.now.classifier.delta[b*size:(b+1)*size], n.at(t.now.slot, t.batch, b), &t.lif, t.now.last)
}

// spatialError forms the error of l's output: the first term of Eq. 4 from the
// layers that read it, ascending, then the classifier, then an identity
// shortcut.
func (t *Trainer) spatialError(l *layer) {
	add := false
	for _, r := range l.readers {
		t.passError(l, r.synapses, r.err, r.own.border, add)
		add = true
	}
	if l.classifier != nil {
		t.passError(l, l.classifier.synapses, l.classifier.neurons.gamma, 0, add)
		add = true
	}
	t.now.layer, t.now.add = l, add
	if l.joined != nil || l.errorFrom != nil {
		t.phase(t.samples, (*Trainer).passIdentity)
	}
}

// joinError is the error at a residual addition: of the output, or of what is
// pooled.
func (l *layer) joinError() []float32 {
	if l.pool != nil {
		return l.before
	}
	return l.spatial
}

// passIdentity hands the error of a residual addition to an operand.
func (t *Trainer) passIdentity(_, b int) {
	l := t.now.layer
	size := l.output.size()
	to := l.spatial[b*size : (b+1)*size]
	if l.joined != nil { // nobody else reads it
		copy(to, l.joined.joinError()[b*size:(b+1)*size])
		return
	}
	add(to, l.errorFrom.joinError()[b*size:(b+1)*size])
}

// passError passes errors of the synaptic sums of a reader down to l's output.
func (t *Trainer) passError(l *layer, s *synapses, err []float32, border int, add bool) {
	t.now.layer, t.now.synapses, t.now.err, t.now.border, t.now.add = l, s, err, border, add
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
	rows := s.kernel * s.kernel * s.out.channels
	size := s.in.size()
	for b := first; b < end; b++ {
		g := gather{
			in: s.out, out: s.in, kernel: s.kernel, stride: 1, pad: s.kernel - 1 - s.pad,
			rows: s.turned[columns.first*rows : (columns.first+columns.width)*rows], columns: columns,
		}
		g.start = t.errors.start[b*t.errors.positions:][:s.out.positions()+1]
		n := int(g.start[s.out.positions()])
		g.index = t.errors.index[b*t.errors.capacity:][:n]
		g.value = t.errors.value[b*t.errors.capacity:][:n]
		to := t.now.layer.spatial[b*size : (b+1)*size]
		if s.stride == 1 {
			g.run(to, t.scratch[worker].accumulator, t.now.add)
		} else {
			g.runStrided(to, t.scratch[worker].accumulator, t.now.add, s.stride, s.pad)
		}
	}
}

// runStrided is run for the errors of a convolution with a stride: the outputs
// that read an input are not adjacent taps.
func (g *gather) runStrided(sums, accumulator []float32, addTo bool, stride, pad int) {
	width := g.columns.width
	acc := accumulator[:width]
	for y := range g.out.height {
		for x := range g.out.width {
			clear(acc)
			for oy := max(0, (y+pad-g.kernel+stride)/stride); oy < g.in.height && oy*stride <= y+pad; oy++ {
				for ox := max(0, (x+pad-g.kernel+stride)/stride); ox < g.in.width && ox*stride <= x+pad; ox++ {
					ky, kx := y+pad-oy*stride, x+pad-ox*stride
					position := oy*g.in.width + ox
					from, to := int(g.start[position]), int(g.start[position+1])
					tap := (g.kernel-1-ky)*g.kernel + g.kernel - 1 - kx
					g.add(acc, (tap-position)*g.in.channels*width, from, to)
				}
			}
			at := (y*g.out.width+x)*g.out.channels + g.columns.first
			if addTo {
				add(sums[at:at+width], acc)
			} else {
				copy(sums[at:at+width], acc)
			}
		}
	}
}

// layerError takes sample b's error of the output through the pooling neurons
// and the layer's own (Eqs. 4 and 5).
func (t *Trainer) layerError(_, b int) {
	l := t.now.layer
	size := l.own.size()
	spatial := l.spatial[b*l.output.size() : (b+1)*l.output.size()]
	if l.pool != nil {
		n := l.pool
		gamma := n.gamma[b*n.size() : (b+1)*n.size()]
		t.potentialError(gamma, spatial, n.at(t.now.slot, t.batch, b))
		spatial = l.before[b*size : (b+1)*size]
		spreadError(spatial, gamma, l)
	}
	if l.mask != nil {
		// Another layer or an identity shortcut needs the error as it is.
		masked := t.masked[b*size : (b+1)*size]
		for i, keep := range l.mask[b*size : (b+1)*size] {
			masked[i] = spatial[i] * float32(keep)
		}
		spatial = masked
	}
	u := l.own.at(t.now.slot, t.batch, b)
	gamma := l.own.gamma[b*l.own.gammaSize() : (b+1)*l.own.gammaSize()]
	row, border := l.own.width*l.own.channels, l.own.border*l.own.channels
	if border == 0 {
		t.potentialError(gamma, spatial, u)
		return
	}
	for y := range l.own.height {
		t.potentialError(gamma[y*l.own.gammaRow()+border:][:row], spatial[y*row:][:row], u[y*row:][:row])
	}
}

func (t *Trainer) potentialError(gamma, spatial, u []float32) {
	potentialError(gamma, spatial, u, &t.lif, t.now.last)
}

// spreadError passes pooling neurons' errors back to the window they average;
// neurons in a remainder that no window covers get none.
func spreadError(before, gamma []float32, l *layer) {
	channels := l.own.channels
	area := float32(l.Pool.Window.Height * l.Pool.Window.Width)
	row := l.own.width * channels
	covered := l.pool.width * l.Pool.Window.Width
	for y := range l.own.height {
		to := before[y*row : (y+1)*row]
		py := y / l.Pool.Window.Height
		if py >= l.pool.height {
			clear(to)
			continue
		}
		for px := range l.pool.width {
			from := gamma[(py*l.pool.width+px)*channels:][:channels]
			x := px * l.Pool.Window.Width
			first := to[x*channels:][:channels]
			for c, g := range from {
				first[c] = g / area
			}
			for dx := 1; dx < l.Pool.Window.Width; dx++ {
				copy(to[(x+dx)*channels:][:channels], first)
			}
		}
		clear(to[covered*channels:])
	}
}
