package golden

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/accelsim-dev/accelsim/tensors"
)

// Streams of random numbers, one per purpose, so that none depends on how many
// another drew.
const (
	weightStream     = 1 << 40
	classifierStream = 2 << 40
	dropoutStream    = 3 << 40
	shuffleStream    = 4 << 40
	feedbackStream   = 5 << 40
)

// weighted calls do with all synapses: by the projection's index-1 those of layers,
// by block those of classifiers, by layer those of feedback.
func (t *Trainer) weighted(layers, classifiers, feedback func(i int, s *synapses)) {
	for _, l := range t.layers {
		for _, p := range l.inputs {
			if p.synapses != nil {
				layers(p.Index-1, p.synapses)
			}
		}
	}
	for i := range t.blocks {
		classifiers(i, t.blocks[i].classifier.synapses)
	}
	for i, l := range t.layers {
		if l.feedback != nil {
			feedback(i, l.feedback)
		}
	}
}

// initialize draws weights uniformly within InitScale/sqrt(fan-in), in the
// file's order, from the seed; the fan-in of feedback is the classes. Biases are 0.
func (t *Trainer) initialize() {
	t.weighted(
		func(i int, s *synapses) { t.draw(s, weightStream+uint64(i), s.fanIn()) },
		func(i int, s *synapses) { t.draw(s, classifierStream+uint64(i), s.fanIn()) },
		func(i int, s *synapses) { t.draw(s, feedbackStream+uint64(i), t.net.Classes) },
	)
}

func (t *Trainer) draw(s *synapses, stream uint64, fanIn int) {
	values := make([]float32, s.fileSize())
	random := rand.New(rand.NewPCG(t.options.Seed, stream))
	bound := t.options.InitScale / math.Sqrt(float64(fanIn))
	for i := range values {
		values[i] = float32((float64(random.Float64()) - 0.5) * (2 * bound))
	}
	s.load(values)
	t.turn(s)
}

// SetParameters replaces weights, classifiers, batch norms, biases and feedback, in
// the layouts of CONTRACT.md, and forgets the optimizer's state. Sizes must be those
// of the network, as [tensors.Set.Input] checks.
func (t *Trainer) SetParameters(p *tensors.Parameters) {
	replace := func(from [][]float32) func(i int, s *synapses) {
		return func(i int, s *synapses) {
			s.load(from[i])
			t.turn(s)
			clear(s.first)
			clear(s.second)
		}
	}
	t.weighted(replace(p.Weights), replace(p.Classifiers), replace(p.Feedback))
	for i, l := range t.layers {
		if l.bias != nil {
			l.bias.replace(p.Biases[i])
		}
		if n := l.norm; n != nil {
			copy(n.gain, p.Norms[i].Gain)
			copy(n.bias, p.Norms[i].Bias)
			copy(n.mean, p.Norms[i].Mean)
			copy(n.variance, p.Norms[i].Variance)
			for _, state := range [][]float32{n.gainFirst, n.biasFirst, n.gainSecond, n.biasSecond} {
				clear(state)
			}
		}
	}
	for i := range t.blocks {
		if c := t.blocks[i].classifier; c.bias != nil {
			c.bias.replace(p.ClassifierBiases[i])
		}
	}
	t.updates = 0
}

// StartFrom begins with given parameters, by which a checkpoint then tells the training
// from others.
func (t *Trainer) StartFrom(p *tensors.Parameters) error {
	t.SetParameters(p)
	sum := sha256.New()
	var err error
	t.states(func(_ string, values []float32) {
		err = errors.Join(err, binary.Write(sum, binary.LittleEndian, values))
	})
	t.started = fmt.Sprintf(", weights of SHA-256 %x", sum.Sum(nil)[:8])
	return err
}

// replace sets the values, and forgets the optimizer's state.
func (p *parameter) replace(values []float32) {
	copy(p.values, values)
	clear(p.first)
	clear(p.second)
}

// Parameters returns copies of all that [Trainer.SetParameters] sets.
func (t *Trainer) Parameters() *tensors.Parameters {
	layers, blocks := len(t.layers), len(t.blocks)
	p := &tensors.Parameters{
		Weights: make([][]float32, t.net.Projections()), Classifiers: make([][]float32, blocks), Norms: make([]*tensors.Norm, layers),
		Biases: make([][]float32, layers), ClassifierBiases: make([][]float32, blocks), Feedback: make([][]float32, layers),
	}
	take := func(to [][]float32) func(i int, s *synapses) {
		return func(i int, s *synapses) { to[i] = s.unload(s.weights) }
	}
	t.weighted(take(p.Weights), take(p.Classifiers), take(p.Feedback))
	for i, l := range t.layers {
		used := l.own.used
		if l.bias != nil {
			p.Biases[i] = clone(l.bias.values[:used])
		}
		if n := l.norm; n != nil {
			p.Norms[i] = &tensors.Norm{
				Gain: clone(n.gain[:used]), Bias: clone(n.bias[:used]),
				Mean: clone(n.mean[:used]), Variance: clone(n.variance[:used]),
			}
		}
	}
	for i := range t.blocks {
		if c := t.blocks[i].classifier; c.bias != nil {
			p.ClassifierBiases[i] = clone(c.bias.values[:c.neurons.used])
		}
	}
	return p
}

func clone(values []float32) []float32 { return append([]float32(nil), values...) }
