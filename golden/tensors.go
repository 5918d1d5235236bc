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
	return t.dump(in.Batch)
}

// dump trains one iteration and returns everything.
func (t *Trainer) dump(batch tensors.Batch) (tensors.Set, error) {
	out := tensors.Set{}
	t.interval = func(i int, losses []float64) {
		for b, loss := range losses {
			out[fmt.Sprintf("loss%d_i%d", b+1, i)] = tensors.Scalar(loss)
		}
	}
	t.update = func(i int) { t.dumpGradients(out, i) }
	defer func() { t.interval, t.update = nil, nil }()
	if _, err := t.Train(batch); err != nil {
		return nil, err
	}
	t.dumpFinal(out)
	return out, nil
}

// dumpGradients takes the gradients of the i-th update.
func (t *Trainer) dumpGradients(out tensors.Set, i int) {
	dump := func(name string, values []float32, shape ...int) {
		out[fmt.Sprintf("d%s_i%d", name, i)] = tensors.Floats(values, shape...)
	}
	for n := range t.blocks {
		b := &t.blocks[n]
		if s := b.classifier.synapses; !s.frozen {
			dump(s.name, s.unload(s.gradient), tensors.ClassifierShape(t.net, b.Block)...)
		}
		if p := b.classifier.bias; p != nil {
			dump(p.name, clone(p.gradient[:t.net.Classes]), t.net.Classes)
		}
	}
	for _, l := range t.layers {
		for _, p := range l.inputs {
			if s := p.synapses; s != nil {
				dump(s.name, s.unload(s.gradient), tensors.WeightShape(l.Layer, p.Projection)...)
			}
		}
		used := l.own.used
		if p := l.bias; p != nil {
			dump(p.name, clone(p.gradient[:used]), used)
		}
		if n := l.norm; n != nil {
			dump(fmt.Sprintf("bn%d_gain", l.Index), clone(n.gainGradient[:used]), used)
			dump(fmt.Sprintf("bn%d_bias", l.Index), clone(n.biasGradient[:used]), used)
		}
	}
}

func (t *Trainer) dumpFinal(out tensors.Set) {
	p := t.Parameters()
	slot := (t.workload.Timesteps - 1) % t.slots
	for i, l := range t.layers {
		for _, in := range l.inputs {
			if in.synapses != nil {
				out[in.synapses.name] = tensors.Floats(p.Weights[in.Index-1], tensors.WeightShape(l.Layer, in.Projection)...)
				out[l.InputName(in.Projection)] = tensors.Count(t.nonZeros(in.in))
			}
		}
		if l.bias != nil {
			out[l.bias.name] = tensors.Floats(p.Biases[i], l.own.used)
		}
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
	}
	for i := range t.blocks {
		t.dumpClassifier(out, p, i, slot)
	}
}

func (t *Trainer) dumpClassifier(out tensors.Set, p *tensors.Parameters, i, slot int) {
	b := &t.blocks[i]
	c := b.classifier
	out[c.synapses.name] = tensors.Floats(p.Classifiers[i], tensors.ClassifierShape(t.net, b.Block)...)
	if c.bias != nil {
		out[c.bias.name] = tensors.Floats(p.ClassifierBiases[i], t.net.Classes)
	}
	out[fmt.Sprintf("uc%d", b.Index)] = tensors.Floats(t.potentials(&c.neurons, slot), t.samples, c.neurons.used)
	if c.neurons.kind.Silent {
		return
	}
	spikes := int64(0)
	for _, n := range c.total[:t.samples*c.neurons.channels] {
		spikes += int64(n)
	}
	out[fmt.Sprintf("spikes_c%d", b.Index)] = tensors.Count(spikes)
}

func (l *layer) fileFC() bool { return l.First().Kind == network.FC }

func total(perSample []int64) int64 {
	n := int64(0)
	for _, v := range perSample {
		n += v
	}
	return n
}

// nonZeros returns how many values of what is read were not zero in the batch's T
// steps.
func (t *Trainer) nonZeros(r *reading) int64 {
	n := total(r.nonZero)
	if r.static { // read once
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
