package tensors

import (
	"fmt"
	"regexp"

	"github.com/accelsim-dev/accelsim/network"
)

// wanted lists the parameters of a workload. What p has not is made, without values.
func (p *Parameters) wanted(w *network.Workload, blocks []network.Block) (list []wanted) {
	net, classes := w.Net, w.Net.Classes
	grow := func(to *[][]float32, n int) {
		if *to == nil {
			*to = make([][]float32, n)
		}
	}
	grow(&p.Weights, net.Projections())
	for _, to := range []*[][]float32{&p.Biases, &p.Feedback} {
		grow(to, net.N())
	}
	for _, to := range []*[][]float32{&p.Classifiers, &p.ClassifierBiases} {
		grow(to, len(blocks))
	}
	if p.Neurons == nil {
		p.Neurons = make([][network.NumParameters][]float32, net.N())
	}
	if p.Norms == nil {
		p.Norms = make([]*Norm, net.N())
	}
	for i := range net.Projections() {
		l, projection := net.Projection(i + 1)
		list = append(list, wanted{name: l.WeightName(projection), shape: WeightShape(l, projection), values: &p.Weights[i]})
	}
	for i := range net.Layers {
		l := &net.Layers[i]
		if l.Bias {
			list = append(list, wanted{name: fmt.Sprintf("b%d", l.Index), shape: []int{l.Out.Channels}, values: &p.Biases[i]})
		}
		if w.Training.Rule.FeedsBack(l.Index, blocks) {
			list = append(list, wanted{name: fmt.Sprintf("fb%d", l.Index), shape: []int{classes, l.Pooled.Size()}, values: &p.Feedback[i]})
		}
		for _, parameter := range w.NeuronOf(l).Arrays.List() {
			list = append(list, wanted{name: fmt.Sprintf("%v%d", parameter, l.Index), shape: NeuronShape(l), values: &p.Neurons[i][parameter]})
		}
		if !l.BatchNorm {
			continue
		}
		if p.Norms[i] == nil {
			p.Norms[i] = &Norm{}
		}
		for j, to := range p.Norms[i].Slices() {
			list = append(list, wanted{name: fmt.Sprintf("bn%d_%s", l.Index, NormNames[j]), shape: []int{l.Out.Channels}, values: to})
		}
	}
	for i, b := range blocks {
		list = append(list, wanted{name: fmt.Sprintf("wc%d", b.Index), shape: ClassifierShape(net, b), values: &p.Classifiers[i]})
		if w.Training.ClassifierBias {
			list = append(list, wanted{name: fmt.Sprintf("bc%d", b.Index), shape: []int{classes}, values: &p.ClassifierBiases[i]})
		}
	}
	return list
}

// Set returns the parameters by their names.
func (p *Parameters) Set(w *network.Workload, blocks []network.Block) Set {
	s := Set{}
	for _, t := range p.wanted(w, blocks) {
		s[t.name] = Floats(*t.values, t.shape...)
	}
	return s
}

// ofIteration are the tensors of an iteration that are no parameters: its batch, and
// what it leaves.
var ofIteration = regexp.MustCompile(`^(x|y|loss\d+_i\d+|d(w|wc|b|bc|bn)\d+(_\w+)?|u[pc]?\d+|spikes(_c)?\d+|nonzero_in\d+(_\d+)?)$`)

// ReadParameters replaces those parameters of a workload that an NPZ file has, and
// returns the names of those that it has not. The batch of an iteration and what it
// leaves may be there, too; other tensors, other shapes and a file without parameters
// are errors.
func (p *Parameters) ReadParameters(path string, w *network.Workload, blocks []network.Block) (absent []string, err error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if absent, err = p.read(f, w, blocks); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return absent, nil
}

func (p *Parameters) read(from Arrays, w *network.Workload, blocks []network.Block) (absent []string, err error) {
	list := p.wanted(w, blocks)
	there := map[string]bool{}
	for _, name := range from.Names() {
		there[name] = true
	}
	var present []wanted
	for _, t := range list {
		if !there[t.name] {
			absent = append(absent, t.name)
			continue
		}
		delete(there, t.name)
		present = append(present, t)
		if err := t.check(from); err != nil {
			return nil, err
		}
	}
	for _, name := range from.Names() {
		if there[name] && !ofIteration.MatchString(name) {
			return nil, fmt.Errorf("%s is no parameter of this workload: it has %s", name, names(list))
		}
	}
	if len(present) == 0 {
		return nil, fmt.Errorf("has no parameter of this workload: it has %s", names(list))
	}
	for _, t := range present {
		if err := t.read(from); err != nil {
			return nil, err
		}
	}
	return absent, p.check(w)
}

// NeuronShape is that of a value for each neuron of a layer.
func NeuronShape(l *network.Layer) []int {
	if l.First().Kind == network.FC {
		return []int{l.Out.Channels}
	}
	return []int{l.Out.Channels, l.Out.Height, l.Out.Width}
}

// NeuronAt returns a neuron of a layer, numbered as the layer's maps [C,H,W] are, with
// its own values.
func (p *Parameters) NeuronAt(w *network.Workload, l *network.Layer, i int) network.Neuron {
	n := w.NeuronOf(l)
	for _, parameter := range n.Arrays.List() {
		n = n.With(parameter, float64(p.Neurons[l.Index-1][parameter][i]))
	}
	return n
}

// checkNeurons refuses values that no neuron can have.
func (p *Parameters) checkNeurons(w *network.Workload) error {
	for i := range w.Net.Layers {
		l := &w.Net.Layers[i]
		arrays := w.NeuronOf(l).Arrays.List()
		for _, parameter := range arrays {
			if p.Neurons[i][parameter] == nil {
				return nil // absent, which is told
			}
		}
		for at := range l.Out.Size() {
			if len(arrays) == 0 {
				break
			}
			n := p.NeuronAt(w, l, at)
			if n.InputGain == 0 && !w.NeuronOf(l).Arrays.Has(network.InputGainParameter) {
				n.InputGain = 1
			}
			if err := n.Check(); err != nil {
				return fmt.Errorf("neuron %d of layer %d: %w", at, l.Index, err)
			}
		}
	}
	return nil
}

// check refuses values that cannot be.
func (p *Parameters) check(w *network.Workload) error {
	if err := p.checkNeurons(w); err != nil {
		return err
	}
	for i, norm := range p.Norms {
		if norm == nil {
			continue
		}
		for channel, v := range norm.Variance {
			if v < 0 {
				return fmt.Errorf("bn%d_var: the running variance of channel %d is %g; it must not be negative", i+1, channel+1, v)
			}
		}
	}
	return nil
}
