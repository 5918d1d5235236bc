package fixed

import (
	"errors"
	"fmt"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/units"
)

// Block is a local block of fully connected layers and its classifier, trained
// in fixed point. Layer l = 1..N are the block's, N+1 is the classifier.
//
// Potentials, spikes and errors are [sample][neuron], weights
// [input][neuron].
type Block struct {
	*Datapath
	Batch   int
	Sizes   []int // Sizes[0] inputs, then the neurons of each layer
	Trained int   // layers that learn: without a frozen classifier

	W, V, DW [][]int64 // [layer-1]: weights, moments, gradients of the last interval
	U        [][]int64 // [layer-1]: potentials after the last step

	potentials [][][]int64 // [step 1..k][layer-1]
	spikes     [][][]bool  // [step 1..k][layer], 0 the input
	gamma      [][]int64   // [layer-1]
}

// NewBlock returns the block of a workload that is one local block of fully
// connected layers, with zero weights and states.
func NewBlock(w *network.Workload, k int, f Formats) (*Block, error) {
	if err := IsBlock(w); err != nil {
		return nil, err
	}
	d, err := New(w, k, f)
	if err != nil {
		return nil, err
	}
	b := &Block{Datapath: d, Batch: w.Batch, Sizes: []int{w.Net.Input.Size()}}
	for i := range w.Net.Layers {
		b.Sizes = append(b.Sizes, w.Net.Layers[i].Out.Size())
	}
	b.Sizes = append(b.Sizes, w.Net.Classes)
	b.Trained = len(b.Sizes) - 1
	if w.Training.Classifier == network.Random {
		b.Trained--
	}
	for l := 1; l < len(b.Sizes); l++ {
		for _, list := range []*[][]int64{&b.W, &b.V, &b.DW} {
			*list = append(*list, make([]int64, b.Sizes[l-1]*b.Sizes[l]))
		}
		b.U = append(b.U, make([]int64, b.Batch*b.Sizes[l]))
		b.gamma = append(b.gamma, make([]int64, b.Batch*b.Sizes[l]))
	}
	for range k + 1 {
		var u [][]int64
		s := [][]bool{make([]bool, b.Batch*b.Sizes[0])}
		for l := 1; l < len(b.Sizes); l++ {
			u = append(u, make([]int64, b.Batch*b.Sizes[l]))
			s = append(s, make([]bool, b.Batch*b.Sizes[l]))
		}
		b.potentials, b.spikes = append(b.potentials, u), append(b.spikes, s)
	}
	return b, nil
}

// IsBlock tells why a workload is not what [Block] executes.
func IsBlock(w *network.Workload) error {
	switch {
	case w.Net.Encoding != network.Event:
		return errors.New("its input is not event frames")
	case w.Training.Optimizer != network.SGD:
		return errors.New("its optimizer is not SGD")
	case w.Training.Loss != network.MSE:
		return errors.New("its loss is not MSE")
	}
	for i := range w.Net.Layers {
		if l := &w.Net.Layers[i]; l.First().Kind != network.FC || l.BatchNorm || l.HasPool() {
			return fmt.Errorf("layer %d is not a plain fully connected one", l.Index)
		}
	}
	return nil
}

// Layers returns the number of layers, the classifier included.
func (b *Block) Layers() int { return len(b.Sizes) - 1 }

// Interval trains one truncation interval: inputs [step][sample][input] and the
// labels of the samples. States of the interval before carry over without
// gradient.
func (b *Block) Interval(inputs [][]bool, labels []int) {
	top := b.Layers()
	counts := make([]int64, b.Batch*b.Sizes[top])
	for l := range top {
		copy(b.potentials[0][l], b.U[l])
	}
	for t := 1; t <= b.K; t++ {
		copy(b.spikes[t][0], inputs[t-1])
		for l := 1; l <= top; l++ {
			b.forward(l, t)
		}
		for i, s := range b.spikes[t][top] {
			if s {
				counts[i]++
			}
		}
	}
	for l := range top {
		copy(b.U[l], b.potentials[b.K][l])
	}
	output := make([]int64, len(counts))
	for i, n := range counts {
		sample, class := i/b.Sizes[top], i%b.Sizes[top]
		output[i] = b.Lift(b.OutputError(n, labels[sample] == class))
	}
	for t := b.K; t >= 1; t-- {
		b.errors(top, t, output)
		for l := top; l >= 1; l-- {
			if l < top {
				b.errors(l, t, b.backProject(l))
			}
			if l <= b.Trained {
				b.gradient(l, t)
			}
		}
	}
	for l := range b.Trained {
		for i := range b.W[l] {
			b.W[l][i], b.V[l][i] = b.Update(b.W[l][i], b.V[l][i], b.DW[l][i])
		}
	}
}

// forward is Eqs. 1 and 2 of layer l at step t.
func (b *Block) forward(l, t int) {
	in, out := b.Sizes[l-1], b.Sizes[l]
	for sample := range b.Batch {
		for m := range out {
			sum := int64(0)
			for i := range in {
				if b.spikes[t][l-1][sample*in+i] {
					sum += b.W[l-1][i*out+m]
				}
			}
			at := sample*out + m
			b.potentials[t][l-1][at], b.spikes[t][l][at] = b.LIF(b.potentials[t-1][l-1][at], sum)
		}
	}
}

// backProject is the first term of Eq. 4: W^T gamma of the layer above l.
func (b *Block) backProject(l int) []int64 {
	here, above := b.Sizes[l], b.Sizes[l+1]
	sums := make([]int64, b.Batch*here)
	for sample := range b.Batch {
		for i := range here {
			for m := range above {
				sums[sample*here+i] += b.gamma[l][sample*above+m] * b.W[l][i*above+m]
			}
		}
	}
	return sums
}

// errors is Eqs. 4 and 5 of layer l at step t.
func (b *Block) errors(l, t int, spatial []int64) {
	for i, s := range spatial {
		gamma := int64(0)
		if t < b.K {
			var delta int64
			delta, gamma = b.Temporal(s, b.gamma[l-1][i])
			s = b.Lift(delta)
		}
		_, b.gamma[l-1][i] = b.Spatial(s, gamma, b.Window(b.potentials[t][l-1][i]))
	}
}

// gradient is Eq. 7 of layer l at step t, sample after sample.
func (b *Block) gradient(l, t int) {
	in, out := b.Sizes[l-1], b.Sizes[l]
	for i := range in {
		for m := range out {
			dw := int64(0)
			if t < b.K {
				dw = b.DW[l-1][i*out+m]
			}
			for sample := range b.Batch {
				register := int64(0)
				if b.spikes[t][l-1][sample*in+i] {
					register = b.gamma[l-1][sample*out+m]
				}
				dw = b.Accumulate(dw, register)
			}
			b.DW[l-1][i*out+m] = dw
		}
	}
}

// Cycles returns the clocks of one interval on the array: what the simulator
// books for the same kernels, one after the other.
func (b *Block) Cycles(a pe.Array) units.Cycles {
	var forward, backward, update units.Cycles
	top := b.Layers()
	for l := 1; l <= top; l++ {
		layer := pe.Dense(b.Sizes[l-1], b.Sizes[l])
		neurons := a.Vector(int64(b.Batch*b.Sizes[l]), 0, 0).Cycles
		forward += a.Matrix(pe.Synapses(layer, b.Batch)).Cycles + neurons
		backward += 2 * neurons // temporal, spatial
		if l > 1 {
			backward += a.Matrix(pe.Errors(layer, b.Batch)).Cycles
		}
		if l <= b.Trained {
			backward += a.Matrix(pe.Gradients(layer, b.Batch)).Cycles
			update += a.Vector(int64(layer.Weights()), 0, 0).Cycles
		}
		if l == top {
			forward += neurons // the spike count of each step
			update += neurons  // the loss
		}
		update -= neurons // at t_k there is no temporal pass
	}
	return units.Cycles(b.K)*(forward+backward) + update
}
