package golden

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// RunTensors runs one iteration from given parameters on a given batch,
// without dropout, and returns what CONTRACT.md lists: losses and gradients of
// every interval, then weights, potentials and counts.
func (t *Trainer) RunTensors(in *tensors.Input) (tensors.Set, error) {
	if t.dropout > 0 {
		return nil, fmt.Errorf("tensors need a trainer without dropout; set Options.NoDropout")
	}
	t.SetParameters(&in.Parameters)
	out := tensors.Set{}
	t.interval = func(i int, losses []float64) { t.dumpInterval(out, i+1, losses) }
	defer func() { t.interval = nil }()
	if _, err := t.Train(in.Batch); err != nil {
		return nil, err
	}
	t.dumpFinal(out)
	return out, nil
}

func (t *Trainer) dumpInterval(out tensors.Set, i int, losses []float64) {
	for n := range t.blocks {
		b := &t.blocks[n]
		out[fmt.Sprintf("loss%d_i%d", b.Index, i)] = tensors.Scalar(losses[n])
		if s := b.classifier.synapses; !s.frozen {
			out[fmt.Sprintf("dwc%d_i%d", b.Index, i)] = tensors.Floats(s.unload(s.gradient), tensors.ClassifierShape(t.net, b.Block)...)
		}
	}
	for _, l := range t.layers {
		out[fmt.Sprintf("dw%d_i%d", l.Index, i)] = tensors.Floats(l.synapses.unload(l.synapses.gradient), tensors.WeightShape(l.Layer, l.First())...)
		if n := l.norm; n != nil {
			out[fmt.Sprintf("dbn%d_gain_i%d", l.Index, i)] = tensors.Floats(clone(n.gainGradient[:l.own.used]), l.own.used)
			out[fmt.Sprintf("dbn%d_bias_i%d", l.Index, i)] = tensors.Floats(clone(n.biasGradient[:l.own.used]), l.own.used)
		}
	}
}

func (t *Trainer) dumpFinal(out tensors.Set) {
	p := t.Parameters()
	slot := t.slots - 1
	for i, l := range t.layers {
		out[fmt.Sprintf("w%d", l.Index)] = tensors.Floats(p.Weights[i], tensors.WeightShape(l.Layer, l.First())...)
		if norm := p.Norms[i]; norm != nil {
			for j, values := range norm.Slices() {
				out[fmt.Sprintf("bn%d_%s", l.Index, tensors.NormNames[j])] = tensors.Floats(*values, len(*values))
			}
		}
		out[fmt.Sprintf("u%d", l.Index)] = tensors.Floats(t.potentials(&l.own, slot), t.potentialShape(l.own.extent, l.fileFC())...)
		if l.pool != nil {
			out[fmt.Sprintf("up%d", l.Index)] = tensors.Floats(t.potentials(l.pool, slot), t.potentialShape(l.pool.extent, false)...)
		}
		out[fmt.Sprintf("spikes%d", l.Index)] = tensors.Count(total(l.spikes))
		out[fmt.Sprintf("nonzero_in%d", l.Index)] = tensors.Count(t.nonZeros(l.in))
	}
	for i := range t.blocks {
		b := &t.blocks[i]
		c := b.classifier
		out[fmt.Sprintf("wc%d", b.Index)] = tensors.Floats(p.Classifiers[i], tensors.ClassifierShape(t.net, b.Block)...)
		out[fmt.Sprintf("uc%d", b.Index)] = tensors.Floats(t.potentials(&c.neurons, slot), t.samples, c.neurons.used)
		spikes := int64(0)
		for _, n := range c.total[:t.samples*c.neurons.channels] {
			spikes += int64(n)
		}
		out[fmt.Sprintf("spikes_c%d", b.Index)] = tensors.Count(spikes)
	}
}

func (l *layer) fileFC() bool { return l.First().Kind == network.FC }

func total(perSample []int64) int64 {
	n := int64(0)
	for _, v := range perSample {
		n += v
	}
	return n
}

// nonZeros returns how many values of o were not zero in the batch's T steps.
func (t *Trainer) nonZeros(o *output) int64 {
	n := total(o.nonZero)
	if o.static { // read once
		n *= int64(t.workload.Timesteps)
	}
	return n
}

// potentialShape is [B,out] after a fully connected layer, else [B,C,H,W].
func (t *Trainer) potentialShape(e extent, fc bool) []int {
	if fc {
		return []int{t.samples, e.used}
	}
	return []int{t.samples, e.used, e.height, e.width}
}

// potentials returns the potentials of a slot as [B][C][H][W].
func (t *Trainer) potentials(n *neurons, slot int) []float32 {
	values := make([]float32, 0, t.samples*n.used*n.positions())
	for b := range t.samples {
		u := n.at(slot, t.batch, b)
		for c := range n.used {
			for p := range n.positions() {
				values = append(values, u[p*n.channels+c])
			}
		}
	}
	return values
}
