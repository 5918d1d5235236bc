package golden

import (
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
)

// initialize draws weights uniformly within InitScale/sqrt(fan-in), in the
// file's order, from the seed.
func (t *Trainer) initialize() {
	for i, l := range t.layers {
		t.draw(l.synapses, weightStream+uint64(i))
	}
	for i := range t.blocks {
		t.draw(t.blocks[i].classifier.synapses, classifierStream+uint64(i))
	}
}

func (t *Trainer) draw(s *synapses, stream uint64) {
	values := make([]float32, s.fileSize())
	random := rand.New(rand.NewPCG(t.options.Seed, stream))
	height, width := s.fileKernel()
	bound := t.options.InitScale / math.Sqrt(float64(s.source.used*height*width))
	for i := range values {
		values[i] = float32((float64(random.Float64()) - 0.5) * (2 * bound))
	}
	s.load(values)
	t.turn(s)
}

// SetParameters replaces weights, classifiers and batch norms, in the layouts
// of CONTRACT.md, and forgets the optimizer's state. Sizes must be those of
// the network, as [tensors.Set.Input] checks.
func (t *Trainer) SetParameters(p *tensors.Parameters) {
	for i, l := range t.layers {
		l.synapses.load(p.Weights[i])
		t.turn(l.synapses)
		t.forget(l.synapses)
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
		s := t.blocks[i].classifier.synapses
		s.load(p.Classifiers[i])
		t.turn(s)
		t.forget(s)
	}
	t.updates = 0
}

func (t *Trainer) forget(s *synapses) {
	clear(s.first)
	clear(s.second)
}

// Parameters returns copies of weights, classifiers and batch norms.
func (t *Trainer) Parameters() *tensors.Parameters {
	p := &tensors.Parameters{}
	for _, l := range t.layers {
		p.Weights = append(p.Weights, l.synapses.unload(l.synapses.weights))
		if l.norm == nil {
			p.Norms = append(p.Norms, nil)
			continue
		}
		n, used := l.norm, l.own.used
		p.Norms = append(p.Norms, &tensors.Norm{
			Gain: clone(n.gain[:used]), Bias: clone(n.bias[:used]),
			Mean: clone(n.mean[:used]), Variance: clone(n.variance[:used]),
		})
	}
	for i := range t.blocks {
		s := t.blocks[i].classifier.synapses
		p.Classifiers = append(p.Classifiers, s.unload(s.weights))
	}
	return p
}

func clone(values []float32) []float32 { return append([]float32(nil), values...) }
