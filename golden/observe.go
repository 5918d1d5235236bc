package golden

// Potentials returns the membrane potentials of layer l's neurons at the step
// that Observe was called for: [B,C,H,W].
func (t *Trainer) Potentials(l int) []float32 {
	return t.potentials(&t.layers[l-1].own, t.now.slot)
}

// PoolPotentials does the same for the pooling neurons after layer l, of which
// there must be some.
func (t *Trainer) PoolPotentials(l int) []float32 {
	return t.potentials(t.layers[l-1].pool, t.now.slot)
}

// ClassifierPotentials does the same for block b's classifier: [B,classes].
func (t *Trainer) ClassifierPotentials(b int) []float32 {
	return t.potentials(&t.blocks[b-1].classifier.neurons, t.now.slot)
}

// Spikes returns what readers of layer l see at that step: spikes after
// addition and pooling, [B,C,H,W].
func (t *Trainer) Spikes(l int) []float32 {
	o := &t.layers[l-1].output
	values := make([]float32, 0, t.samples*o.used*o.positions())
	sample := make([]float32, o.size())
	for b := range t.samples {
		clear(sample)
		t.addNumbers(sample, &o.now, b)
		for c := range o.used {
			for p := range o.positions() {
				values = append(values, sample[p*o.channels+c])
			}
		}
	}
	return values
}
