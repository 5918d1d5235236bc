package plain

import (
	"fmt"
	"math"

	"github.com/accelsim-dev/accelsim/internal/elementary"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// kept is what the optimizer keeps of a tensor: momentum, RMSprop's mean
// square, or Adam's two moments.
type kept struct{ first, second []float32 }

// step is one step of the optimizer, the number-th from 1.
func (k *kept) step(w, dw []float32, h *network.Training, number int) {
	if k.first == nil {
		k.first, k.second = make([]float32, len(w)), make([]float32, len(w))
	}
	switch h.Optimizer {
	case network.SGD:
		rate := float32(h.LearningRate)
		for i, d := range dw {
			k.first[i] = float32(float32(h.Momentum)*k.first[i]) + d
			w[i] -= float32(rate * k.first[i])
		}
		return
	case network.RMSprop:
		for i, d := range dw {
			g := float64(d)
			k.first[i] = float32(float64(h.Rho*float64(k.first[i])) + float64((1-h.Rho)*g*g))
			w[i] = float32(float64(w[i]) - h.LearningRate*g/(math.Sqrt(float64(k.first[i]))+h.Epsilon))
		}
		return
	}
	correction1, correction2 := 1-elementary.Power(h.Beta1, number), 1-elementary.Power(h.Beta2, number)
	for i, d := range dw {
		g := float64(d)
		k.first[i] = float32(float64(h.Beta1*float64(k.first[i])) + float64((1-h.Beta1)*g))
		k.second[i] = float32(float64(h.Beta2*float64(k.second[i])) + float64((1-h.Beta2)*g*g))
		m, v := float64(k.first[i])/correction1, float64(k.second[i])/correction2
		w[i] = float32(float64(w[i]) - h.LearningRate*m/(math.Sqrt(v)+h.Epsilon))
	}
}

// parameters visits everything that learns, with the shape that files give it.
func (t *trainer) parameters(visit func(name, gradient string, w, dw []float32, k *kept, shape []int)) {
	for _, l := range t.layers {
		for j, s := range l.inputs {
			if s != nil {
				visit(s.name, "d"+s.name, s.w, s.dw, &s.kept, tensors.WeightShape(l.Layer, &l.Inputs[j]))
			}
		}
		if v := l.bias; v != nil {
			visit(v.name, "d"+v.name, v.w, v.dw, &v.kept, []int{len(v.w)})
		}
		if n := l.norm; n != nil {
			visit(fmt.Sprintf("bn%d_gain", l.Index), fmt.Sprintf("dbn%d_gain", l.Index), n.Gain, n.dGain, &n.keptGain, []int{len(n.Gain)})
			visit(fmt.Sprintf("bn%d_bias", l.Index), fmt.Sprintf("dbn%d_bias", l.Index), n.Bias, n.dBias, &n.keptBias, []int{len(n.Gain)})
		}
	}
	if t.w.Training.Classifier == network.Random {
		return
	}
	for _, h := range t.heads {
		visit(h.synapses.name, "d"+h.synapses.name, h.synapses.w, h.synapses.dw, &h.synapses.kept, tensors.ClassifierShape(t.net, h.block))
		if v := h.bias; v != nil {
			visit(v.name, "d"+v.name, v.w, v.dw, &v.kept, []int{len(v.w)})
		}
	}
}

func (t *trainer) clearGradients() {
	t.parameters(func(_, _ string, _, dw []float32, _ *kept, _ []int) { clear(dw) })
}

// update is the optimizer's pass, and records the gradients.
func (t *trainer) update() {
	t.number++
	t.parameters(func(_, gradient string, w, dw []float32, k *kept, shape []int) {
		t.out[fmt.Sprintf("%s_i%d", gradient, t.number)] = tensors.Floats(append([]float32(nil), dw...), shape...)
		k.step(w, dw, &t.w.Training, t.number)
	})
}

// finish records what the iteration leaves.
func (t *trainer) finish() {
	t.parameters(func(name, _ string, w, _ []float32, _ *kept, shape []int) { t.out[name] = tensors.Floats(w, shape...) })
	w, steps := t.w, t.w.Timesteps
	maps := func(x batch, s network.Shape, flat bool) tensors.Tensor {
		if flat {
			return tensors.Floats(toFile(x, s), w.Batch, s.Channels)
		}
		return tensors.Floats(toFile(x, s), w.Batch, s.Channels, s.Height, s.Width)
	}
	for _, l := range t.layers {
		n := l.Index
		for _, s := range l.inputs {
			if s != nil {
				t.out[s.counted] = tensors.Count(s.nonZero)
			}
		}
		if l.norm != nil {
			t.out[fmt.Sprintf("bn%d_mean", n)] = tensors.Floats(l.norm.Mean, len(l.norm.Mean))
			t.out[fmt.Sprintf("bn%d_var", n)] = tensors.Floats(l.norm.Variance, len(l.norm.Mean))
		}
		t.out[fmt.Sprintf("u%d", n)] = maps(l.cells.u[steps], l.Out, l.First().Kind == network.FC)
		if l.pools != nil {
			t.out[fmt.Sprintf("up%d", n)] = maps(l.pools.u[steps], l.Pooled, false)
		}
		t.out[fmt.Sprintf("spikes%d", n)] = tensors.Count(l.fired)
	}
	for _, h := range t.heads {
		t.out[h.synapses.name] = tensors.Floats(h.synapses.w, tensors.ClassifierShape(t.net, h.block)...)
		t.out[fmt.Sprintf("uc%d", h.block.Index)] = maps(h.cells.u[steps], h.synapses.out, true)
		if !h.cells.silent {
			t.out[fmt.Sprintf("spikes_c%d", h.block.Index)] = tensors.Count(h.fired)
		}
	}
}

// fromFile turns maps [B,C,H,W] into a batch, toFile back.
func fromFile(values []float32, samples int, s network.Shape) batch {
	x := newBatch(samples, s.Size())
	for b := range x {
		for i := range x[b] {
			c, position := i%s.Channels, i/s.Channels
			x[b][i] = values[(b*s.Channels+c)*s.Positions()+position]
		}
	}
	return x
}

func toFile(x batch, s network.Shape) []float32 {
	values := make([]float32, len(x)*s.Size())
	for b := range x {
		for i, v := range x[b] {
			c, position := i%s.Channels, i/s.Channels
			values[(b*s.Channels+c)*s.Positions()+position] = v
		}
	}
	return values
}
