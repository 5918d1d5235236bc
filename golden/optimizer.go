package golden

import (
	"math"

	"github.com/accelsim-dev/accelsim/internal/elementary"
	"github.com/accelsim-dev/accelsim/network"
)

// updateWeights is one step of the optimizer, at the end of an interval or iteration. It
// also turns the weights of layers that pass errors.
func (t *Trainer) updateWeights() {
	t.updates++
	for _, l := range t.layers {
		for _, p := range l.inputs {
			if p.synapses != nil {
				t.updateSynapses(p.synapses)
			}
		}
		t.updateParameter(l.bias)
		if n := l.norm; n != nil {
			used := l.own.used
			t.updateRange(n.gain[:used], n.gainGradient[:used], n.gainFirst[:used], n.gainSecond[:used])
			t.updateRange(n.bias[:used], n.biasGradient[:used], n.biasFirst[:used], n.biasSecond[:used])
		}
	}
	for i := range t.blocks {
		t.updateSynapses(t.blocks[i].classifier.synapses)
		t.updateParameter(t.blocks[i].classifier.bias)
	}
	t.newWeights = true
}

// updateParameter updates a bias, if there is one.
func (t *Trainer) updateParameter(p *parameter) {
	if p != nil {
		t.updateRange(p.values, p.gradient, p.first, p.second)
	}
}

// clearBetweenGroups takes out of the gradients what belongs to no weight.
func (t *Trainer) clearBetweenGroups() {
	for _, l := range t.layers {
		for _, p := range l.inputs {
			if p.synapses != nil && p.synapses.kernel.Groups > 1 {
				p.synapses.clearBetweenGroups(p.synapses.gradient)
			}
		}
	}
}

func (t *Trainer) updateSynapses(s *synapses) {
	if s.frozen {
		return
	}
	t.now.synapses = s
	t.phase(t.weightTasks(s), (*Trainer).updateTask)
	t.turn(s)
}

// weightTasks cuts elementwise work on weights into tasks.
func (t *Trainer) weightTasks(s *synapses) int {
	const least = 1 << 14
	return max(1, min(len(s.weights)/least, 4*t.crew.workers))
}

func (t *Trainer) updateTask(_, task int) {
	s := t.now.synapses
	first, end := share(len(s.weights), task, t.weightTasks(s))
	var second []float32
	if s.second != nil {
		second = s.second[first:end]
	}
	t.updateRange(s.weights[first:end], s.gradient[first:end], s.first[first:end], second)
}

// updateRange updates some weights: SGD with momentum, RMSprop, or Adam (Kingma and
// Ba, 2015).
func (t *Trainer) updateRange(w, dw, first, second []float32) {
	h := &t.workload.Training
	switch h.Optimizer {
	case network.SGD:
		momentum(w, first, dw, float32(h.Momentum), float32(t.learningRate))
		return
	case network.RMSprop:
		t.rmsprop(w, dw, first)
		return
	}
	correction1 := 1 - elementary.Power(h.Beta1, t.updates)
	correction2 := 1 - elementary.Power(h.Beta2, t.updates)
	for i, d := range dw {
		g := float64(d)
		first[i] = float32(float64(h.Beta1*float64(first[i])) + float64((1-h.Beta1)*g))
		second[i] = float32(float64(h.Beta2*float64(second[i])) + float64((1-h.Beta2)*g*g))
		mhat, vhat := float64(first[i])/correction1, float64(second[i])/correction2
		w[i] = float32(float64(w[i]) - t.learningRate*mhat/(math.Sqrt(vhat)+h.Epsilon))
	}
}

// rmsprop is RMSprop without momentum (Tieleman and Hinton, 2012): the step is the
// gradient over the root of its running mean square.
func (t *Trainer) rmsprop(w, dw, square []float32) {
	h := &t.workload.Training
	for i, d := range dw {
		g, before := float64(d), float64(square[i])
		square[i] = float32(float64(h.Rho*before) + float64((1-h.Rho)*g*g))
		w[i] = float32(float64(w[i]) - t.learningRate*g/(math.Sqrt(float64(square[i]))+h.Epsilon))
	}
}

// clearGradients starts what is summed for an update.
func (t *Trainer) clearGradients() {
	for _, l := range t.layers {
		for _, p := range l.inputs {
			if p.synapses != nil {
				t.clearGradient(p.synapses)
			}
		}
		if l.bias != nil {
			clear(l.bias.gradient)
		}
		if l.norm != nil {
			clear(l.norm.gainGradient)
			clear(l.norm.biasGradient)
		}
	}
	for i := range t.blocks {
		c := t.blocks[i].classifier
		t.clearGradient(c.synapses)
		if c.bias != nil {
			clear(c.bias.gradient)
		}
	}
}

func (t *Trainer) clearGradient(s *synapses) {
	if !s.frozen {
		t.now.synapses = s
		t.phase(t.weightTasks(s), (*Trainer).clearTask)
	}
}

func (t *Trainer) clearTask(_, task int) {
	s := t.now.synapses
	first, end := share(len(s.gradient), task, t.weightTasks(s))
	clear(s.gradient[first:end])
}

// turn renews the weights by input columns that pass errors down.
func (t *Trainer) turn(s *synapses) {
	if s.passes {
		t.now.synapses = s
		t.phase(len(s.inBlocks)*s.taps(), (*Trainer).turnTask)
	}
}

func (t *Trainer) turnTask(_, task int) {
	s := t.now.synapses
	taps := s.taps()
	in := s.inBlocks[task/taps]
	tap := task % taps
	for _, out := range s.blocks {
		for i := range in.width {
			row := tap*s.in.channels + in.first + i
			from := s.weights[out.first*s.rows+row*out.width:][:out.width]
			to := s.turned[in.first*taps*s.out.channels+((taps-1-tap)*s.out.channels+out.first)*in.width+i:]
			for c, w := range from {
				to[c*in.width] = w
			}
		}
	}
}
