package plain

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/network"
)

// layer is one entry of the network in training.
type layer struct {
	*network.Layer
	block   network.Block
	inputs  []*synapses // by input; nil for identities
	bias    *vector
	norm    *norm
	cells   *cells
	pools   *cells  // pooling neurons
	mask    batch   // of dropout; nil without
	emitted []batch // by step: spikes of the neurons that are not silent
	outputs []batch
	choices [][][]int // by step and sample
	fb      *synapses // of direct feedback
	passed  batch     // the error of its output that its addition passes on
	errors  []batch   // of synaptic sums, by step
	fired   int64
}

// vector is a parameter for each channel or class.
type vector struct {
	name  string
	w, dw []float32
	kept  kept
}

func newVector(name string, values []float32) *vector {
	return &vector{name: name, w: append([]float32(nil), values...), dw: make([]float32, len(values))}
}

// gradient adds to db, of each sample a register over positions in order.
func (v *vector) gradient(err batch) {
	n := len(v.w)
	for b := range err {
		register := make([]float32, n)
		for i, g := range err[b] {
			register[i%n] += g
		}
		for c, r := range register {
			v.dw[c] += r
		}
	}
}

func (v *vector) add(sums batch) {
	for b := range sums {
		for i := range sums[b] {
			sums[b][i] += v.w[i%len(v.w)]
		}
	}
}

// build makes the layers and classifiers from the given parameters.
func (t *trainer) build() {
	w, samples, steps := t.w, t.w.Batch, t.w.Timesteps
	t.frames = make([]batch, steps+1)
	size := t.net.Input.Size()
	for step := 1; step <= steps; step++ {
		at := (step - 1) * samples * size
		if t.in.Static {
			at = 0
		}
		t.frames[step] = fromFile(t.in.X[at:at+samples*size], samples, t.net.Input)
	}
	for i := range t.net.Layers {
		g := &t.net.Layers[i]
		l := &layer{
			Layer: g, cells: newCells(w.NeuronOf(g), samples, g.Out.Size(), steps),
			choices: make([][][]int, steps+1), errors: make([]batch, steps+2),
		}
		if w.NeuronOf(g).Arrays != 0 {
			for at := range g.Out.Size() { // [row][column][channel] of [channel][row][column]
				channel, position := at%g.Out.Channels, at/g.Out.Channels
				l.cells.own = append(l.cells.own, t.in.NeuronAt(w, g, channel*g.Out.Positions()+position))
			}
		}
		for _, b := range t.blocks {
			if b.Has(g.Index) {
				l.block = b
			}
		}
		for j := range g.Inputs {
			p := &g.Inputs[j]
			if !p.Weighted() {
				l.inputs = append(l.inputs, nil)
				continue
			}
			kernel := p.Kernel
			if p.Kind == network.FC {
				kernel = whole(p.In)
			}
			s := newSynapses(g.WeightName(p), p.In, g.Out, kernel, t.in.Weights[p.Index-1])
			s.counted, s.decay = g.InputName(p), float32(t.rule.Decay(w.NeuronOf(g).Leak))
			l.inputs = append(l.inputs, s)
		}
		if g.Bias {
			l.bias = newVector(fmt.Sprintf("b%d", g.Index), t.in.Biases[i])
		}
		if g.BatchNorm {
			l.norm = newNorm(t.in.Norms[i], steps)
		}
		if g.Pool.Fires() {
			l.pools = newCells(w.NeuronOf(g), samples, g.Pooled.Size(), steps)
		}
		if t.fedBack(g.Index) {
			l.fb = newSynapses("", g.Pooled, network.Shape{Channels: t.net.Classes, Height: 1, Width: 1}, whole(g.Pooled), t.in.Feedback[i])
		}
		if t.masks != nil {
			l.mask = fromFile(t.masks[i], samples, g.Out)
		}
		for range steps + 1 {
			l.emitted = append(l.emitted, newBatch(samples, g.Out.Size()))
			l.outputs = append(l.outputs, newBatch(samples, g.Pooled.Size()))
		}
		t.layers = append(t.layers, l)
	}
	for i, b := range t.blocks {
		t.heads = append(t.heads, t.newHead(i, b))
	}
}

// fedBack tells whether the error of a layer's output comes straight from the
// classifier of its block.
func (t *trainer) fedBack(n int) bool { return n > 0 && t.rule.FeedsBack(n, t.blocks) }

// forward takes a layer one step on.
func (t *trainer) forward(l *layer, step int) {
	sums := newBatch(t.w.Batch, l.Out.Size())
	for j := range l.Inputs {
		v := t.source(l, &l.Inputs[j], step)
		if s := l.inputs[j]; s != nil {
			s.nonZero += v.counts.nonZero()
			s.add(sums, v)
			continue
		}
		for b := range sums {
			for i := range sums[b] {
				sums[b][i] += v.number(b, i)
			}
		}
	}
	if l.bias != nil {
		l.bias.add(sums)
	}
	if l.norm != nil {
		l.norm.forward(step, sums)
	}
	l.cells.fire(step, sums)
	l.fired += l.cells.spikes[step].nonZero()
	l.emitted[step] = l.drop(l.cells.spikes[step])
	out, scale := l.emitted[step].copy(), 1
	if l.Adds() {
		other := t.output(l.Add, step)
		scale = other.scale
		for b := range out {
			for i := range out[b] {
				out[b][i] = float32(out[b][i]*float32(scale)) + other.counts[b][i]
			}
		}
	}
	if l.HasPool() {
		out = t.pool(l, step, out, scale)
	}
	l.outputs[step] = out
}

// drop zeroes what is of silent neurons: their spikes, and errors of these.
func (l *layer) drop(x batch) batch {
	if l.mask == nil {
		return x
	}
	kept := newBatch(len(x), len(x[0]))
	for b := range x {
		for i, v := range x[b] {
			kept[b][i] = v * l.mask[b][i]
		}
	}
	return kept
}

func (t *trainer) pool(l *layer, step int, counts batch, scale int) batch {
	out := make(batch, len(counts))
	for b := range counts {
		var choice []int
		out[b], choice = l.pool(counts[b])
		l.choices[step] = append(l.choices[step], choice)
	}
	if l.pools == nil {
		return out
	}
	area := float32(l.Pool.Window.Area() * scale)
	for b := range out {
		for i := range out[b] {
			out[b][i] /= area
		}
	}
	l.pools.fire(step, out)
	return l.pools.spikes[step].copy()
}

// join adds contributions: the first is taken as it is.
func join(sum *batch, part batch) {
	if *sum == nil {
		*sum = part
		return
	}
	for b := range part {
		for i, v := range part[b] {
			(*sum)[b][i] += v
		}
	}
}

// spatial is the error of a layer's output, without its own recurrent projections.
func (t *trainer) spatial(l *layer, h *head, step int, last bool) (sum batch) {
	if l.fb != nil {
		return l.fb.back(h.cells.gu)
	}
	readers := func(visit func(r *layer)) {
		for _, n := range t.net.ReadersOf(l.Index) {
			if l.block.Has(n) && !t.fedBack(n) {
				visit(t.layers[n-1])
			}
		}
	}
	readers(func(r *layer) { t.through(&sum, l, r, step, 0, true) })
	if l.Index == l.block.Last {
		join(&sum, h.synapses.back(h.cells.sum))
	}
	readers(func(r *layer) {
		t.through(&sum, l, r, step, 0, false)
		if r.Add == l.Index {
			join(&sum, r.passed.copy())
		}
	})
	if !last {
		for _, weighted := range []bool{true, false} {
			readers(func(r *layer) { t.through(&sum, l, r, step, 1, weighted) })
		}
	}
	return sum
}

// through takes a reader's error of some step through its projections from a layer.
func (t *trainer) through(sum *batch, l, r *layer, step, delay int, weighted bool) {
	for j := range r.Inputs {
		p := &r.Inputs[j]
		if p.From != l.Index || p.Delay != delay || p.Weighted() != weighted {
			continue
		}
		err := r.errors[step+delay]
		if weighted {
			join(sum, r.inputs[j].back(err))
		} else {
			join(sum, err.copy())
		}
	}
}

// backward takes the error of a layer one step back, and adds to its gradients.
func (t *trainer) backward(l *layer, h *head, step int, last bool) {
	delta := t.spatial(l, h, step, last)
	if delta == nil {
		delta = newBatch(t.w.Batch, l.Pooled.Size())
	}
	if l.HasPool() {
		if l.pools != nil {
			l.pools.back(step, delta, last)
			delta = l.pools.sum
		}
		back := make(batch, len(delta))
		for b := range delta {
			back[b] = l.unpool(delta[b], l.choices[step][b])
		}
		delta = back
	}
	l.passed = delta.copy()
	if !last && !t.fedBack(l.Index) {
		t.through(&delta, l, l, step, 1, true)
		t.through(&delta, l, l, step, 1, false)
	}
	l.cells.back(step, l.drop(delta), last)
	err := l.cells.sum
	if l.norm != nil {
		l.norm.back(step, err)
	}
	l.errors[step] = err
	for j, s := range l.inputs {
		if s != nil {
			t.gradient(s, err, t.source(l, &l.Inputs[j], step))
		}
	}
	if l.bias != nil {
		l.bias.gradient(err)
	}
}

// gradient is Eq. 7 of what synapses read, or of its trace.
func (t *trainer) gradient(s *synapses, err batch, v value) {
	if t.rule.Trace != network.NoTrace {
		v = s.follow(v)
	}
	s.gradient(err, v)
}
