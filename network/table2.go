package network

import (
	"fmt"
	"strings"
)

// Beyond lists what of the workload Table 2's notation cannot write, or the paper's
// neuron and rule do not have: some parts of the program know those only. It is
// empty for the paper's networks.
func (w *Workload) Beyond() (list []string) {
	for i := range w.Net.Layers {
		if l := &w.Net.Layers[i]; !l.InTable2() || l.Adds() && l.Unit == "" {
			list = append(list, fmt.Sprintf("layer %d (%s)", l.Index, strings.Join(l.beyond(), ", ")))
			break
		}
	}
	if !w.Neuron.IsPaper() {
		list = append(list, "neurons other than Eqs. 1 and 2's")
	}
	if w.Training.Readout != RateReadout {
		list = append(list, "readout: "+string(w.Training.Readout))
	}
	if w.Training.ClassifierBias {
		list = append(list, "classifier_bias")
	}
	if rule := w.Training.Rule; !rule.IsPaper() {
		list = append(list, "rule: "+rule.String())
	}
	return list
}

// beyond lists what of a layer is more than Table 2's.
func (l *Layer) beyond() (list []string) {
	p := l.Inputs[0]
	for _, x := range []struct {
		has  bool
		name string
	}{
		{len(l.Inputs) > 1, "several inputs"},
		{p.Delay > 0, "a delay"},
		{l.Bias, "a bias"},
		{l.Neuron != nil, "neurons of its own"},
		{l.HasPool() && !l.Pool.Fires(), string(l.Pool.Kind) + " pooling"},
		{p.Kind == Conv && p.Kernel.Groups > 1, "groups"},
		{l.Adds() && l.Unit == "", "an addition outside a residual block"},
	} {
		if x.has {
			list = append(list, x.name)
		}
	}
	if len(list) == 0 {
		list = append(list, "its kernel, padding or pooling")
	}
	return list
}

// InTable2 tells whether Table 2's notation has the layer's parts, and its neuron
// is the workload's.
func (l *Layer) InTable2() bool {
	p := l.Inputs[0]
	k := p.Kernel
	plain := p.Kind == FC || k.Size == Square(k.Size.Height) && k.Stride == Square(k.Stride.Height) &&
		k.Pad == Square(k.Pad.Height) && k.Dilation == Square(1) && k.Groups == 1
	pools := !l.HasPool() || l.Pool.Fires() && l.Pool.Stride == l.Pool.Window && l.Pool.Pad == Pair{}
	return len(l.Inputs) == 1 && p.Delay == 0 && plain && !l.Bias && l.Neuron == nil && pools && l.Scale == 1
}
