package golden

import "github.com/accelsim-dev/accelsim/network"

// Spikes are real numbers in two cases: when a network that was trained with
// dropout predicts, its spikes count 1-p, as Srivastava et al. (2014) scale
// weights; and when a smooth firing function is plugged in, of which the
// rectangle of Eq. 6 is the exact derivative, so that gradients can be checked
// against finite differences. Counts that bytes do not hold go the same way.

// passFloats takes sample b's spikes through dropout, addition and pooling as
// numbers.
func (t *Trainer) passFloats(worker, b int, spikes []byte) {
	l := t.now.layer
	t.drop(l, b, spikes)
	keep := float32(1)
	if t.real {
		keep = float32(1 - t.dropout)
	}
	values := t.scratch[worker].reals[:len(spikes)]
	for i, s := range spikes {
		values[i] = float32(s) * keep
	}
	t.passReals(worker, b, values)
}

// passReals takes what sample b's neurons emit through addition and pooling.
func (t *Trainer) passReals(worker, b int, values []float32) {
	l, scratch := t.now.layer, &t.scratch[worker]
	if l.self != nil && l.self != &l.output {
		t.keep(l.self, b, values)
	}
	scale := 1
	if l.joinWith != nil {
		if scale = l.joinWith.scale; t.real {
			scale = 1
		}
		for i := range values {
			values[i] *= float32(scale)
		}
		t.addCounts(values, l.joinWith, b)
	}
	out := values
	if l.HasPool() {
		out = scratch.pooled[:l.output.size()]
		t.poolFloats(l, b, out, values)
	}
	if l.Pool.Fires() || l.Pool.Kind == network.AveragePool && t.real {
		area := float32(l.Pool.Window.Area() * scale)
		for i := range out {
			out[i] /= area
		}
	}
	switch {
	case l.pool != nil && t.smooth != nil:
		t.fireSmooth(l.pool, b, out, out)
	case l.pool != nil:
		fired := scratch.fired[:len(out)]
		l.pool.fire(t, b, out, fired)
		for i, s := range fired {
			out[i] = float32(s)
		}
	}
	t.keep(&l.output, b, out)
	l.output.now.nonZero[b] += t.list(&l.output.now, b)
}

// keep stores sample b's values.
func (t *Trainer) keep(o *output, b int, values []float32) {
	if o.inFloats() {
		copy(o.floatsAt(t.now.slot, t.batch, b), values)
		return
	}
	to := o.bytesAt(t.now.slot, t.batch, b)
	for i, v := range values {
		to[i] = byte(v)
	}
}

// fireSmooth is one step of neurons with a smooth firing function (Eq. 1), by whose
// value they are reset.
func (t *Trainer) fireSmooth(n *neurons, b int, sum, spikes []float32) {
	u, p := n.at(t.now.slot, t.batch, b), &n.lif
	for i, up := range n.at(t.now.previous, t.batch, b) {
		u[i] = float32(float32(float32(p.leak*up)+sum[i]) - float32(p.reset*t.smooth(up)))
		spikes[i] = t.smooth(u[i])
	}
}

func countAbove0(values []float32) (n int64) {
	for _, v := range values {
		if v > 0 {
			n++
		}
	}
	return n
}

// readReals adds what is read of a classifier whose logits are no counts of spikes:
// potentials, currents, smooth spikes.
func (t *Trainer) readReals(worker, b int, sum []float32) {
	c := t.now.classifier
	size := c.neurons.size()
	what := t.scratch[worker].reals[:size]
	if t.smooth != nil {
		t.fireSmooth(&c.neurons, b, sum, what)
	} else {
		c.neurons.fire(t, b, sum, c.fired[b*size:(b+1)*size])
		what = c.neurons.at(t.now.slot, t.batch, b)
	}
	add(c.reals[b*size:(b+1)*size], what)
	add(c.totalReals[b*size:(b+1)*size], what)
}
