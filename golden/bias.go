package golden

// addBias adds each channel's bias to the current synaptic sums, [batch][positions]
// [channels].
func (t *Trainer) addBias(p *parameter, e extent) {
	t.now.bias, t.now.extent = p, e
	t.phase(t.samples, (*Trainer).addBiasTask)
}

func (t *Trainer) addBiasTask(_, b int) {
	e := &t.now.extent
	sums := t.now.sum[b*e.size():][:e.size()]
	for at := 0; at < len(sums); at += e.channels {
		add(sums[at:at+e.channels], t.now.bias.values)
	}
}

// biasGradient adds one step's gradient: of each sample a register over positions,
// ascending.
func (t *Trainer) biasGradient(p *parameter, n *neurons, err []float32) {
	t.now.bias, t.now.neurons, t.now.err = p, n, err
	t.phase(n.channels/lanes, (*Trainer).biasGradientTask)
}

func (t *Trainer) biasGradientTask(_, group int) {
	n, first := t.now.neurons, group*lanes
	gradient := t.now.bias.gradient[first : first+lanes]
	for b := range t.samples {
		var register [lanes]float32
		for y := range n.height {
			at := b*n.gammaSize() + y*n.gammaRow() + n.border*n.channels + first
			for range n.width {
				for c, g := range t.now.err[at : at+lanes] {
					register[c] += g
				}
				at += n.channels
			}
		}
		for c, r := range register {
			gradient[c] += r
		}
	}
}
