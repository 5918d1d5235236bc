// Package plain is the trainer in its slowest, plainest form: loops over the layers
// of any network, neuron and rule, one value at a time, in the arithmetic that
// docs/numerics.md fixes. It shares no code with the simulator, whose numbers it
// checks, nor with the fast trainer, which knows less.
//
// Maps are [sample][row][column][channel]; sums take terms in that order.
package plain

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// batch is one value for every neuron of a batch: [sample][row][column][channel].
type batch [][]float32

func newBatch(samples, n int) batch {
	b := make(batch, samples)
	for i := range b {
		b[i] = make([]float32, n)
	}
	return b
}

func (b batch) copy() batch {
	c := make(batch, len(b))
	for i := range b {
		c[i] = append([]float32(nil), b[i]...)
	}
	return c
}

func (b batch) nonZero() (n int64) {
	for _, values := range b {
		for _, v := range values {
			if v != 0 {
				n++
			}
		}
	}
	return n
}

// value is what a projection reads: counts that are divided by scale, or real
// numbers.
type value struct {
	counts batch
	scale  int
	real   bool
}

// at returns a value, and how often its weight is added: 0 for a real number, by
// which it is multiplied.
func (v value) at(sample, i int) (x float32, times int) {
	x = v.counts[sample][i]
	switch {
	case v.real:
		return x, 0
	case v.scale > 1:
		return x / float32(v.scale), 0
	}
	return x, int(x)
}

// number returns the value as a number.
func (v value) number(sample, i int) float32 {
	x, _ := v.at(sample, i)
	return x
}

// synapses are the weights of one projection or classifier, in their file's layout
// [outputs][inputs of a group][row][column].
type synapses struct {
	name, counted string
	in, out       network.Shape
	kernel        network.Kernel
	w, dw         []float32
	kept          kept
	trace         batch
	decay         float32
	nonZero       int64
}

// trainer is one network in training.
type trainer struct {
	w      *network.Workload
	net    *network.Network
	rule   network.Rule
	k      int
	blocks []network.Block
	in     *tensors.Input
	masks  [][]float32
	frames []batch // by step from 1; one of a static input, at 1
	layers []*layer
	heads  []*head // by block
	out    tensors.Set
	number int // of updates
}

// Run trains one iteration on given tensors, without dropout, and returns what
// CONTRACT.md lists: the losses and gradients, then weights, potentials and counts.
func Run(w *network.Workload, k, n int, in *tensors.Input) (tensors.Set, error) {
	return RunMasked(w, k, n, in, nil)
}

// RunMasked does so with dropout: masks[l-1] is [B,C,H,W] of layer l's neurons, 0 for
// those that are silent in this iteration; no masks are no dropout.
func RunMasked(w *network.Workload, k, n int, in *tensors.Input, masks [][]float32) (tensors.Set, error) {
	if err := w.CheckInterval(k); err != nil {
		return nil, err
	}
	blocks, err := w.Net.Blocks(n)
	if err != nil {
		return nil, err
	}
	if err := w.Training.Rule.Check(k, blocks); err != nil {
		return nil, err
	}
	t := &trainer{w: w, net: w.Net, rule: w.Training.Rule, k: k, blocks: blocks, in: in, masks: masks, out: tensors.Set{}}
	t.build()
	if t.rule.Inference {
		t.forwardOnly()
		t.finish()
		return t.out, nil
	}
	intervals := w.Timesteps / k
	for i := 1; i <= intervals; i++ {
		t.interval(i)
		if !t.rule.OnceAnIteration || i == intervals {
			t.update()
		}
	}
	t.finish()
	return t.out, nil
}

// interval runs k steps forward and the rule's backward.
func (t *trainer) interval(i int) {
	first, last := (i-1)*t.k+1, i*t.k
	for _, h := range t.heads {
		h.begin()
	}
	for step := first; step <= last; step++ {
		for _, l := range t.layers {
			t.forward(l, step)
		}
		for _, h := range t.heads {
			t.read(h, step)
		}
	}
	for _, h := range t.heads {
		t.out[fmt.Sprintf("loss%d_i%d", h.block.Index, i)] = tensors.Scalar(t.loss(h))
	}
	if !t.rule.OnceAnIteration || i == 1 {
		t.clearGradients()
	}
	for step := last; step > last-t.rule.Backward(t.k); step-- {
		for _, h := range t.heads {
			t.headBackward(h, step, step == last)
			for n := h.block.Last; n >= h.block.First; n-- {
				t.backward(t.layers[n-1], h, step, step == last)
			}
		}
	}
}

// forwardOnly runs all steps, and records the spikes of every neuron.
func (t *trainer) forwardOnly() {
	for _, h := range t.heads {
		h.begin()
	}
	for step := 1; step <= t.w.Timesteps; step++ {
		for _, l := range t.layers {
			t.forward(l, step)
		}
		for _, h := range t.heads {
			t.read(h, step)
		}
	}
	for _, l := range t.layers {
		t.out[fmt.Sprintf("s%d", l.Index)] = t.fired(l.cells, l.Out, l.First().Kind == network.FC)
	}
	for _, h := range t.heads {
		if !h.cells.silent {
			t.out[fmt.Sprintf("s_c%d", h.block.Index)] = t.fired(h.cells, h.synapses.out, true)
		}
	}
}

// fired are the spikes of neurons at all steps: [T,B,C,H,W], or [T,B,out].
func (t *trainer) fired(c *cells, s network.Shape, flat bool) tensors.Tensor {
	var all []uint8
	for step := 1; step <= t.w.Timesteps; step++ {
		for _, spike := range toFile(c.spikes[step], s) {
			all = append(all, uint8(spike))
		}
	}
	shape := []int{t.w.Timesteps, t.w.Batch, s.Channels, s.Height, s.Width}
	if flat {
		shape = shape[:3]
	}
	return tensors.Bytes(all, shape...)
}

// input returns what the network reads at a step.
func (t *trainer) input(step int) value {
	direct := t.net.Encoding == network.Direct
	if t.in.Static && step > 0 {
		step = 1
	}
	if step == 0 {
		return value{newBatch(t.w.Batch, t.net.Input.Size()), 1, direct}
	}
	return value{t.frames[step], 1, direct}
}

// output returns what readers of a layer see of a step.
func (t *trainer) output(n, step int) value {
	if n == network.InputLayer {
		return t.input(step)
	}
	_, scale := t.net.ValueOf(n)
	return value{t.layers[n-1].outputs[step], scale, false}
}

// source returns what a projection to a layer reads at a step.
func (t *trainer) source(l *layer, p *network.Projection, step int) value {
	step -= p.Delay
	if p.From == l.Index {
		return value{l.emitted[step], 1, false}
	}
	return t.output(p.From, step)
}
