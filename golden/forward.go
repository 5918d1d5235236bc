package golden

import (
	"encoding/binary"
	"math/bits"

	"github.com/accelsim-dev/accelsim/network"
)

// forwardStep computes potentials and spikes of all layers and classifiers at
// one step (Eqs. 1 and 2). slot is where this step's states go, previous where
// those of the step before are; they may be the same.
func (t *Trainer) forwardStep(step, slot, previous int) {
	t.now.step, t.now.slot, t.now.previous = step, slot, previous
	if step == 0 || !t.input.static {
		t.phase(t.samples, (*Trainer).readInput)
		t.input.now.slot = slot
	}
	for _, l := range t.layers {
		t.now.layer = l
		t.sumLayer(l)
		if l.norm != nil {
			t.normalize()
		}
		t.phase(t.samples, (*Trainer).fireLayer)
		l.output.now.slot = slot
		if c := l.classifier; c != nil {
			t.now.classifier, t.now.sum, t.now.begun = c, t.sum, false
			t.sumAll(c.synapses, c.in)
			if c.bias != nil {
				t.addBias(c.bias, c.neurons.extent)
			}
			t.phase(t.samples, (*Trainer).fireClassifier)
		}
	}
	t.newWeights = false
}

// sumLayer forms a layer's currents: its projections in the file's order, then the
// bias.
func (t *Trainer) sumLayer(l *layer) {
	t.now.sum = t.sum
	if l.sum != nil {
		if t.now.sum = l.sum; !t.newWeights {
			return
		}
	}
	for i, p := range l.inputs {
		if p.in.late {
			t.listLate(p.in)
		}
		t.now.begun = i > 0
		if p.synapses != nil {
			t.sumAll(p.synapses, p.in)
			continue
		}
		t.now.in, t.now.extent = p.in, l.own.extent
		t.phase(t.samples, (*Trainer).addIdentity)
	}
	if l.bias != nil {
		t.addBias(l.bias, l.own.extent)
	}
}

func (t *Trainer) addIdentity(_, b int) {
	size := t.now.extent.size()
	sums := t.now.sum[b*size : (b+1)*size]
	if !t.now.begun {
		clear(sums)
	}
	t.addNumbers(sums, t.now.in, b)
}

// sumAll forms the synaptic sums of all samples: a task is an accumulator's
// columns for a few samples, so that weights stay in cache over samples.
func (t *Trainer) sumAll(s *synapses, in *reading) {
	t.now.synapses, t.now.in = s, in
	t.now.chunks = t.chunksFor(len(s.blocks))
	t.phase(len(s.blocks)*t.now.chunks, (*Trainer).sumTask)
}

// chunksFor returns into how many runs the samples are cut, when there are
// that many blocks of columns to work on.
func (t *Trainer) chunksFor(blocks int) int {
	const enough = 4 // tasks per worker
	return min(t.samples, max(1, enough*t.crew.workers/blocks))
}

func (t *Trainer) sumTask(worker, task int) {
	s, in := t.now.synapses, t.now.in
	columns := s.blocks[task/t.now.chunks]
	first, end := share(t.samples, task%t.now.chunks, t.now.chunks)
	if s.dense != nil {
		for b := first; b < end; b++ {
			s.sumDense(t.scratch[worker].accumulator[:maxBlock], t.now.sum[b*s.out.size():(b+1)*s.out.size()], b)
		}
		return
	}
	for b := first; b < end; b++ {
		g := gather{
			in: s.in, out: s.out, kernel: s.kernel,
			rows: s.weights[columns.first*s.rows : (columns.first+columns.width)*s.rows], columns: columns,
		}
		g.events(in, b, t.batch, s.isFlat())
		size := s.out.size()
		how := store
		if t.now.begun {
			how = goOn
		}
		g.run(t.now.sum[b*size:(b+1)*size], t.scratch[worker].accumulator, how)
	}
}

// gather forms, for some output columns, the sums over a window of non-zero
// inputs times rows of weights.
type gather struct {
	in, out extent
	kernel  network.Kernel
	apart   bool      // its taps
	rows    []float32 // [height][width][in.channels][columns.width]
	columns columns
	index   []int32 // of non-zero inputs, ascending
	value   []float32
	start   []int32 // of each position, then the end
}

// into says what becomes of a sum.
type into uint8

const (
	store into = iota
	addTo      // it is added to what is there
	goOn       // it goes on from there
)

// events gives g sample b's non-zero inputs.
func (g *gather) events(in *reading, b, batch int, flat bool) {
	g.index, g.value, g.start = in.listed(b, batch)
	if flat && in.positions() > 1 {
		g.start = nil
	}
}

// run forms the sums of all outputs, [positions][out.channels].
func (g *gather) run(sums, accumulator []float32, how into) {
	width, stride, pad := g.columns.width, g.kernel.Stride, g.kernel.Pad
	acc := accumulator[:width]
	g.apart = g.kernel.Dilation != network.Square(1)
	at := g.columns.first
	for oy := range g.out.height {
		for ox := range g.out.width {
			if how == goOn {
				copy(acc, sums[at:at+width])
			} else {
				clear(acc)
			}
			g.window(acc, oy*stride.Height-pad.Height, ox*stride.Width-pad.Width)
			if how == addTo {
				add(sums[at:at+width], acc)
			} else {
				copy(sums[at:at+width], acc)
			}
			at += g.out.channels
		}
	}
}

// window adds the inputs of the window whose first tap is at (y, x), which may
// lie outside. Taps of a row are contiguous, and so are their weights.
func (g *gather) window(acc []float32, y, x int) {
	k := &g.kernel
	if g.start == nil || len(g.start) == 2 && k.Size == network.Square(1) && y == 0 && x == 0 {
		g.add(acc, 0, 0, len(g.index))
		return
	}
	if g.apart {
		g.windowApart(acc, y, x)
		return
	}
	first, end := max(x, 0), min(x+k.Size.Width, g.in.width)
	if first >= end {
		return
	}
	for ky := max(0, -y); ky < min(k.Size.Height, g.in.height-y); ky++ {
		iy := y + ky
		from, to := int(g.start[iy*g.in.width+first]), int(g.start[iy*g.in.width+end])
		if from < to {
			g.add(acc, (ky*k.Size.Width-iy*g.in.width-x)*g.in.channels*g.columns.width, from, to)
		}
	}
}

// windowApart is window where taps are apart.
func (g *gather) windowApart(acc []float32, y, x int) {
	k := &g.kernel
	for ky := range k.Size.Height {
		iy := y + ky*k.Dilation.Height
		if iy < 0 || iy >= g.in.height {
			continue
		}
		for kx := range k.Size.Width {
			ix := x + kx*k.Dilation.Width
			if ix < 0 || ix >= g.in.width {
				continue
			}
			position := iy*g.in.width + ix
			g.add(acc, (ky*k.Size.Width+kx-position)*g.in.channels*g.columns.width, int(g.start[position]), int(g.start[position+1]))
		}
	}
}

func (g *gather) add(acc []float32, offset, from, to int) {
	if g.value == nil {
		addRows(acc, g.rows, offset, g.columns.width, g.index[from:to])
	} else {
		addScaledRows(acc, g.rows, offset, g.columns.width, g.index[from:to], g.value[from:to])
	}
}

// readInput lays out one sample's frame channels last, and finds its non-zero
// values.
func (t *Trainer) readInput(worker, b int) {
	o, frame := &t.input, t.net.Input
	first := b * frame.Size()
	if !t.static {
		first += t.now.step * t.samples * frame.Size()
	}
	x := t.x[first : first+frame.Size()]
	positions := o.positions()
	if o.real {
		to := o.floatsAt(t.now.slot, t.batch, b)
		for c := range o.used {
			for p := range positions {
				to[p*o.channels+c] = x[c*positions+p]
			}
		}
		for _, s := range t.dense {
			s.padInput(to, b)
		}
	} else {
		to := o.bytesAt(t.now.slot, t.batch, b)
		for c := range o.used {
			for p := range positions {
				to[p*o.channels+c] = byte(x[c*positions+p])
			}
		}
	}
	o.now.nonZero[b] += t.list(&o.now, b)
}

// fireLayer takes sample b's synaptic sums through the neurons, dropout, the
// addition and the pooling.
func (t *Trainer) fireLayer(worker, b int) {
	l, scratch := t.now.layer, &t.scratch[worker]
	size := l.own.size()
	sum := t.now.sum[b*size : (b+1)*size]
	if t.smooth != nil {
		values := scratch.reals[:size]
		t.fireSmooth(&l.own, b, sum, values)
		l.spikes[b] += countAbove0(values)
		t.passReals(worker, b, values)
		return
	}
	spikes := scratch.spikes[:size]
	if l.plain() && !t.real {
		spikes = l.output.bytesAt(t.now.slot, t.batch, b)
	}
	l.own.fire(t, b, sum, spikes)
	l.spikes[b] += countSpikes(spikes)
	switch {
	case t.real || l.inFloats:
		t.passFloats(worker, b, spikes)
	case l.plain():
		l.output.now.nonZero[b] += t.list(&l.output.now, b)
	default:
		t.passBytes(worker, b, spikes)
	}
}

// passBytes takes sample b's spikes through dropout, addition and the pooling
// neurons.
func (t *Trainer) passBytes(worker, b int, spikes []byte) {
	l, scratch := t.now.layer, &t.scratch[worker]
	t.drop(l, b, spikes)
	if l.self != nil && l.self != &l.output {
		copy(l.self.bytesAt(t.now.slot, t.batch, b), spikes)
	}
	if l.joinWith != nil {
		for i, v := range l.joinWith.bytesAt(t.now.slot, t.batch, b) {
			spikes[i] += v
		}
	}
	out := l.output.bytesAt(t.now.slot, t.batch, b)
	if l.pool == nil {
		copy(out, spikes)
	} else {
		pooled := scratch.pooled[:l.pool.size()]
		poolSpikes(pooled, spikes, l)
		l.pool.fire(t, b, pooled, out)
	}
	l.output.now.nonZero[b] += t.list(&l.output.now, b)
}

// drop silences the neurons that dropout has drawn.
func (t *Trainer) drop(l *layer, b int, spikes []byte) {
	if l.mask != nil && t.training {
		for i, keep := range l.mask[b*len(spikes) : (b+1)*len(spikes)] {
			spikes[i] &= keep
		}
	}
}

func (t *Trainer) fireClassifier(worker, b int) {
	c := t.now.classifier
	size := c.neurons.size()
	sum := t.now.sum[b*size : (b+1)*size]
	if t.readsReals(c) {
		t.readReals(worker, b, sum)
		return
	}
	fired := c.fired[b*size : (b+1)*size]
	c.neurons.fire(t, b, sum, fired)
	counts, total := c.counts[b*size:(b+1)*size], c.total[b*size:(b+1)*size]
	for i, s := range fired {
		counts[i] += int32(s)
		total[i] += int32(s)
	}
}

// countSpikes counts the set bytes of 0 and 1, in whole words.
func countSpikes(spikes []byte) int64 {
	n := 0
	for i := 0; i < len(spikes); i += lanes {
		n += bits.OnesCount64(binary.LittleEndian.Uint64(spikes[i:]))
	}
	return int64(n)
}
