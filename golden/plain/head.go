package plain

import (
	"fmt"
	"slices"

	"github.com/accelsim-dev/accelsim/internal/elementary"
	"github.com/accelsim-dev/accelsim/network"
)

// head is a block's classifier.
type head struct {
	block    network.Block
	synapses *synapses
	bias     *vector
	cells    *cells
	counted  batch // spikes, or sums of what is read out, of the interval
	delta    batch
	fired    int64
}

func (t *trainer) newHead(i int, b network.Block) *head {
	w, in := t.w, t.net.Layer(b.Last).Pooled
	out := network.Shape{Channels: t.net.Classes, Height: 1, Width: 1}
	h := &head{block: b, cells: newCells(w.ClassifierNeuron(), w.Batch, t.net.Classes, w.Timesteps)}
	h.synapses = newSynapses(fmt.Sprintf("wc%d", b.Index), in, out, whole(in), t.in.Classifiers[i])
	h.synapses.decay = float32(t.rule.Decay(w.Neuron.Leak))
	if w.Training.ClassifierBias {
		h.bias = newVector(fmt.Sprintf("bc%d", b.Index), t.in.ClassifierBiases[i])
	}
	return h
}

func (h *head) begin() { h.counted = newBatch(len(h.cells.u[0]), len(h.cells.u[0][0])) }

// read takes a classifier one step on.
func (t *trainer) read(h *head, step int) {
	sums := newBatch(t.w.Batch, t.net.Classes)
	h.synapses.add(sums, t.output(h.block.Last, step))
	if h.bias != nil {
		h.bias.add(sums)
	}
	h.cells.fire(step, sums)
	h.fired += h.cells.spikes[step].nonZero()
	what := h.cells.spikes[step]
	if h.cells.silent {
		what = h.cells.u[step]
	}
	for b := range what {
		for i, v := range what[b] {
			h.counted[b][i] += v
		}
	}
}

// loss returns the interval's loss, and makes its error.
func (t *trainer) loss(h *head) float64 {
	classes, k, samples := float64(t.net.Classes), float64(t.k), float64(t.w.Batch)
	h.delta = newBatch(t.w.Batch, t.net.Classes)
	total := 0.0
	for b := range h.counted {
		logits := make([]float64, t.net.Classes)
		for i, v := range h.counted[b] {
			logits[i] = float64(v) / k
		}
		target := func(i int) float64 {
			if i == t.in.Y[b] {
				return 1
			}
			return 0
		}
		if t.w.Training.Loss == network.MSE {
			for i, logit := range logits {
				d := logit - target(i)
				total += float64(d * d)
				h.delta[b][i] = float32(2 / (classes * k * samples) * d)
			}
			continue
		}
		top, sum := slices.Max(logits), 0.0
		e := make([]float64, len(logits))
		for i, logit := range logits {
			e[i] = elementary.Exp(logit - top)
			sum += e[i]
		}
		for i := range logits {
			h.delta[b][i] = float32((e[i]/sum - target(i)) / (k * samples))
		}
		total += elementary.Log(sum) - (logits[t.in.Y[b]] - top)
	}
	if t.w.Training.Loss == network.MSE {
		return total / classes / samples
	}
	return total / samples
}

func (t *trainer) headBackward(h *head, step int, last bool) {
	h.cells.back(step, h.delta.copy(), last)
	if t.w.Training.Classifier == network.Random {
		return
	}
	t.gradient(h.synapses, h.cells.sum, t.output(h.block.Last, step))
	if h.bias != nil {
		h.bias.gradient(h.cells.sum)
	}
}
