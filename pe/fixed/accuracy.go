package fixed

import (
	"fmt"
	"math"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
)

// Accuracy is how far a tensor in fixed point is from the same in float32.
type Accuracy struct {
	Tensor    string  `json:"tensor"`
	Values    int     `json:"values"`
	Largest   float64 `json:"largest"`    // magnitude in float32
	Worst     float64 `json:"worst"`      // difference
	RMS       float64 `json:"rms"`        // of the differences
	Saturated int     `json:"saturated"`  // values at an end of the format's range
	Different int     `json:"differ"`     // values that differ at all
	Relative  float64 `json:"of_largest"` // Worst / Largest
}

// Reference trains the block's twin in float32 with the simulator's kernels,
// beside it.
type Reference struct {
	workload    *network.Workload
	block       *Block
	neuron      pe.Neuron
	connections []pe.Connection // [layer-1]
	w, v, dw, u [][]float32
}

// NewReference returns the twin of a block as it is now.
func NewReference(w *network.Workload, b *Block) *Reference {
	r := &Reference{workload: w, block: b, neuron: pe.NewNeuron(w.Neuron)}
	decode := func(x []int64, f Format) []float32 {
		out := make([]float32, len(x))
		for i, v := range x {
			out[i] = float32(f.Value(v)) // at most 24 bits: exact
		}
		return out
	}
	for l := range b.Layers() {
		r.connections = append(r.connections, pe.Dense(b.Sizes[l], b.Sizes[l+1]))
		r.w = append(r.w, decode(b.W[l], b.Weight))
		r.v = append(r.v, make([]float32, len(b.W[l])))
		r.dw = append(r.dw, make([]float32, len(b.W[l])))
		r.u = append(r.u, decode(b.U[l], b.Potential))
	}
	return r
}

// Interval trains one truncation interval, as [Block.Interval] does.
func (r *Reference) Interval(inputs [][]bool, labels []int) {
	b, top := r.block, r.block.Layers()
	spikes := make([][][]float32, b.K+1) // [step][layer]
	states := make([][][]float32, b.K+1) // [step][layer-1]
	counts := make([]uint32, b.Batch*b.Sizes[top])
	var in pe.Input
	for t := 1; t <= b.K; t++ {
		spikes[t], states[t] = make([][]float32, top+1), make([][]float32, top)
		spikes[t][0] = make([]float32, len(inputs[t-1]))
		for i, s := range inputs[t-1] {
			if s {
				spikes[t][0][i] = 1
			}
		}
		for l := 1; l <= top; l++ {
			n, m := b.Sizes[l-1], b.Sizes[l]
			sums := make([]float32, b.Batch*m)
			for sample := range b.Batch {
				in.List(spikes[t][l-1][sample*n : (sample+1)*n])
				r.connections[l-1].Sum(sums[sample*m:(sample+1)*m], r.w[l-1], &in)
			}
			spikes[t][l] = make([]float32, b.Batch*m)
			r.neuron.Fire(pe.States{Potentials: r.u[l-1]}, sums, spikes[t][l])
			states[t][l-1] = append([]float32(nil), r.u[l-1]...)
		}
		for i, s := range spikes[t][top] {
			counts[i] += uint32(s)
		}
	}
	delta := make([]float32, len(counts))
	wanted := make([]uint32, len(labels))
	for i, label := range labels {
		wanted[i] = uint32(label)
	}
	rates := make([]float64, len(counts))
	for i, n := range counts {
		rates[i] = float64(n) / float64(b.K)
	}
	pe.Loss{Classes: b.Sizes[top], K: b.K, Batch: b.Batch}.MSE(0, delta, rates, wanted)
	gamma := make([][]float32, top)
	for l := range top {
		gamma[l] = make([]float32, b.Batch*b.Sizes[l+1])
		clear(r.dw[l])
	}
	var events []pe.Event
	for t := b.K; t >= 1; t-- {
		for l := top; l >= 1; l-- {
			n, m := b.Sizes[l-1], b.Sizes[l]
			spatial := append([]float32(nil), delta...)
			if l < top {
				above := b.Sizes[l+1]
				spatial = make([]float32, b.Batch*m)
				for sample := range b.Batch {
					events = r.connections[l].Errors(spatial[sample*m:(sample+1)*m], r.w[l], gamma[l][sample*above:(sample+1)*above], events)
				}
			}
			if t < b.K {
				r.neuron.Temporal(spatial, pe.StateErrors{Potentials: gamma[l-1]}, pe.States{})
			}
			r.neuron.Surrogate(pe.StateErrors{Potentials: gamma[l-1]}, spatial, pe.States{Potentials: states[t][l-1]}, nil)
			register := make([]float32, m)
			for sample := range b.Batch {
				in.List(spikes[t][l-1][sample*n : (sample+1)*n])
				r.connections[l-1].Gradient(r.dw[l-1], gamma[l-1][sample*m:(sample+1)*m], register, &in)
			}
		}
	}
	for l := range b.Trained {
		pe.SGD(r.w[l], r.dw[l], r.v[l], r.workload.Training)
	}
}

// Compare reports every tensor of the block against its twin: gradients of the
// last interval, weights and potentials after it.
func (r *Reference) Compare() []Accuracy {
	b := r.block
	var list []Accuracy
	scale := math.Ldexp(1, -b.ErrorShift) // gradients are carried times 2^ErrorShift
	for l := range b.Layers() {
		name := fmt.Sprint(l + 1)
		if l == b.Layers()-1 {
			name = "c1"
		}
		if l < b.Trained {
			list = append(list, accuracy("dw"+name, b.DW[l], r.dw[l], b.Gradient, scale))
		}
		list = append(list, accuracy("w"+name, b.W[l], r.w[l], b.Weight, 1), accuracy("u"+name, b.U[l], r.u[l], b.Potential, 1))
	}
	return list
}

func accuracy(name string, fixed []int64, float []float32, f Format, scale float64) Accuracy {
	a := Accuracy{Tensor: name, Values: len(fixed)}
	for i, x := range fixed {
		difference := math.Abs(float64(f.Value(x)*scale) - float64(float[i]))
		a.Largest = max(a.Largest, math.Abs(float64(float[i])))
		a.Worst = max(a.Worst, difference)
		a.RMS += difference * difference / float64(len(fixed))
		if x == f.Max() || x == f.Min() {
			a.Saturated++
		}
		if difference != 0 {
			a.Different++
		}
	}
	a.RMS = math.Sqrt(a.RMS)
	if a.Largest > 0 {
		a.Relative = a.Worst / a.Largest
	}
	return a
}
