package golden

import "math/rand/v2"

// dropNeurons draws which neurons of each trainable layer are silent in this
// iteration (Srivastava et al. 2014): one mask per sample, fixed over its T
// steps, applied to the layer's spikes before addition and pooling. The
// neuron itself integrates, fires and resets as usual.
func (t *Trainer) dropNeurons() {
	if t.dropout == 0 {
		return
	}
	for i, l := range t.layers {
		random := rand.New(rand.NewPCG(t.options.Seed, dropoutStream+uint64(t.iterations)*uint64(len(t.layers))+uint64(i)))
		for j := range l.mask {
			l.mask[j] = 1
			if random.Float64() < t.dropout {
				l.mask[j] = 0
			}
		}
	}
}
