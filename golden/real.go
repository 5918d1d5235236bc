package golden

// Spikes are real numbers in two cases: when a network that was trained with
// dropout predicts, its spikes count 1-p, as Srivastava et al. (2014) scale
// weights; and when a smooth firing function is plugged in, of which the
// rectangle of Eq. 6 is the exact derivative, so that gradients can be checked
// against finite differences.

// fires is the value that a neuron at u emits and is reset by.
func (t *Trainer) fires(u float32) float32 {
	if t.smooth != nil {
		return t.smooth(u)
	}
	if u >= t.lif.threshold {
		return 1
	}
	return 0
}

// fireReals is one step of neurons whose spikes are real numbers (Eq. 1).
func (t *Trainer) fireReals(u, previous, sum, spikes []float32) {
	p := &t.lif
	for i, up := range previous {
		u[i] = float32(float32(float32(p.leak*up)+sum[i]) - float32(p.reset*t.fires(up)))
		spikes[i] = t.fires(u[i])
	}
}

// fireReal is fireLayer for spikes that are real numbers.
func (t *Trainer) fireReal(worker, b int, sum, u, previous []float32) {
	l := t.now.layer
	spikes := t.scratch[worker].reals[:l.own.size()]
	t.fireReals(u, previous, sum, spikes)
	for _, s := range spikes {
		if s > 0 {
			l.spikes[b]++
		}
	}
	if t.smooth == nil {
		keep := float32(1 - t.dropout)
		for i := range spikes {
			spikes[i] *= keep
		}
	}
	if l.joinWith != nil {
		t.join(spikes, l.joinWith, b)
	}
	out := l.output.floatsAt(t.now.slot, t.batch, b)
	if l.pool == nil {
		copy(out, spikes)
	} else {
		pooled := t.scratch[worker].pooled[:l.pool.size()]
		poolReals(pooled, spikes, l)
		t.fireReals(l.pool.at(t.now.slot, t.batch, b), l.pool.at(t.now.previous, t.batch, b), pooled, out)
	}
	l.output.nonZero[b] += t.list(&l.output, b)
}

// join adds the other operand of a residual addition, which may be the binary
// input.
func (t *Trainer) join(spikes []float32, with *output, b int) {
	if with.scaled {
		add(spikes, with.floatsAt(t.now.slot, t.batch, b))
		return
	}
	for i, v := range with.bytesAt(t.now.slot, t.batch, b) {
		spikes[i] += float32(v)
	}
}

// poolReals averages real spikes over windows.
func poolReals(pooled, spikes []float32, l *layer) {
	channels := l.own.channels
	area := float32(l.Pool.Window.Height * l.Pool.Window.Width)
	clear(pooled)
	for y := range l.pool.height * l.Pool.Window.Height {
		for x := range l.pool.width * l.Pool.Window.Width {
			to := pooled[(y/l.Pool.Window.Height*l.pool.width+x/l.Pool.Window.Width)*channels:][:channels]
			add(to, spikes[(y*l.own.width+x)*channels:][:channels])
		}
	}
	for i := range pooled {
		pooled[i] /= area
	}
}

// fireRealClassifier is fireClassifier for a smooth firing function.
func (t *Trainer) fireRealClassifier(worker, b int) {
	c := t.now.classifier
	size := c.neurons.size()
	spikes := t.scratch[worker].reals[:size]
	t.fireReals(c.neurons.at(t.now.slot, t.batch, b), c.neurons.at(t.now.previous, t.batch, b), t.now.sum[b*size:(b+1)*size], spikes)
	add(c.reals[b*size:(b+1)*size], spikes)
}

// realRates returns the firing rates of sample b.
func (t *Trainer) realRates(c *classifier, b int, rates []float64) {
	for i := range rates {
		rates[i] = float64(c.reals[b*c.neurons.size()+i]) / float64(t.k)
	}
}
