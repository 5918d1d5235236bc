package op

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/tensors"
	"github.com/accelsim-dev/accelsim/units"
)

// record is what a functional simulation has to tell: the tensors of
// CONTRACT.md's dump, and counts of spikes.
type record struct {
	set              tensors.Set
	spikes           []int64                   // by layer: fired by its own neurons
	spikesClassifier []int64                   // by block
	inputs           int64                     // of the network, that were not zero
	outputs          []int64                   // by layer: outputs that were not zero
	late             late                      // of them, at the last step: no delayed projection reads those
	losses           []float64                 // by block, of the interval that is under way: sums
	gradients        map[role.Tensor]*gathered // that the optimizer has not read all of
	workload         *network.Workload
	blocks           []network.Block
}

func newRecord(w *network.Workload, blocks []network.Block) *record {
	n := w.Net.N()
	return &record{
		set: tensors.Set{}, workload: w, blocks: blocks,
		spikes: make([]int64, n), outputs: make([]int64, n), spikesClassifier: make([]int64, len(blocks)),
		late:   late{outputs: make([]int64, n), spikes: make([]int64, n)},
		losses: make([]float64, len(blocks)), gradients: map[role.Tensor]*gathered{},
	}
}

func (r *record) loss(block, interval int, value float64) {
	r.set[fmt.Sprintf("loss%d_i%d", block, interval)] = tensors.Scalar(value)
}

// nonzero counts the values that are not zero.
func nonzero(values []float32) (n int64) {
	for _, v := range values {
		if v != 0 {
			n++
		}
	}
	return n
}

// late is what was not zero at step T.
type late struct {
	inputs          int64   // of the network
	outputs, spikes []int64 // by layer
}

// projected returns how many of the values that a projection read were not zero.
func (r *record) projected(layer int, p *network.Projection) int64 {
	n := r.read(p.From)
	if p.From == layer {
		n = r.spikes[layer-1]
	}
	switch {
	case p.Delay == 0:
		return n
	case p.From == layer:
		return n - r.late.spikes[layer-1]
	}
	if p.From == network.InputLayer {
		return n - r.late.inputs
	}
	return n - r.late.outputs[p.From-1]
}

// read returns how many of the values that readers of a layer, or of the
// network's input, saw were not zero.
func (r *record) read(layer int) int64 {
	if layer == network.InputLayer {
		return r.inputs
	}
	return r.outputs[layer-1]
}

// gradient keeps a gradient, or a tile of one, that the optimizer read from
// DRAM.
func (r *record) gradient(k schedule.Kernel, interval int, box role.Region, dw []float32) {
	if !box.All() {
		key := role.Tensor{Class: k.Of, Index: k.Index}
		g := r.gradients[key]
		if g == nil {
			g = &gathered{values: make([]float32, box.Total()), missing: box.Total()}
			r.gradients[key] = g
		}
		gather(g.values, box, dw)
		if g.missing -= box.Size(); g.missing > 0 {
			return
		}
		dw = g.values
		delete(r.gradients, key)
	}
	recorded[k.Of](r, k.Index, interval, dw)
}

// recorded enters the gradient of each kind of parameters under its names in files.
var recorded = map[role.Role]func(r *record, index, interval int, dw []float32){
	role.Weight: func(r *record, index, interval int, dw []float32) {
		l, p := r.workload.Net.Projection(index)
		r.set[fmt.Sprintf("d%s_i%d", l.WeightName(p), interval)] = tensors.Floats(fileWeights(pe.Connect(p, l.Out), dw), tensors.WeightShape(l, p)...)
	},
	role.Bias: func(r *record, index, interval int, dw []float32) {
		r.set[fmt.Sprintf("db%d_i%d", index, interval)] = tensors.Floats(clone(dw), len(dw))
	},
	role.NormParameter: func(r *record, index, interval int, dw []float32) {
		channels := len(dw) / 2
		r.set[fmt.Sprintf("dbn%d_gain_i%d", index, interval)] = tensors.Floats(clone(dw[:channels]), channels)
		r.set[fmt.Sprintf("dbn%d_bias_i%d", index, interval)] = tensors.Floats(clone(dw[channels:]), channels)
	},
	role.ClassifierWeight: func(r *record, index, interval int, dw []float32) {
		net, b := r.workload.Net, r.blocks[index-1]
		c := pe.Full(net.Layer(b.Last).Pooled, net.Classes)
		r.set[fmt.Sprintf("dwc%d_i%d", index, interval)] = tensors.Floats(fileWeights(c, dw), tensors.ClassifierShape(net, b)...)
	},
	role.ClassifierBias: func(r *record, index, interval int, dw []float32) {
		r.set[fmt.Sprintf("dbc%d_i%d", index, interval)] = tensors.Floats(clone(dw), len(dw))
	},
}

// activity returns the measured densities, as exact ratios.
func (r *record) activity() (*network.Activity, error) {
	w, net := r.workload, r.workload.Net
	steps := int64(w.Timesteps) * int64(w.Batch)
	a := &network.Activity{}
	var err error
	ratio := func(n int64, perSample int) units.Density {
		d, ratioErr := units.Ratio(n, steps*int64(perSample))
		if ratioErr != nil && err == nil {
			err = ratioErr
		}
		return d
	}
	for i := range net.Layers {
		l := &net.Layers[i]
		if l.Inputs[0].From == network.InputLayer {
			a.Input = ratio(r.inputs, net.Input.Size())
		}
		n := r.outputs[i]
		if net.OnlyAdded(i + 1) {
			n = r.spikes[i] // an operand of a sum: nobody else reads it
		}
		a.Layers = append(a.Layers, ratio(n, l.Pooled.Size()))
	}
	for _, b := range r.blocks {
		a.Classifiers = append(a.Classifiers, ratio(r.read(b.Last), net.ClassifierInputs(b)))
	}
	return a, err
}

func clone(values []float32) []float32 { return append([]float32(nil), values...) }
