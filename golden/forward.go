package golden

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// forwardStep computes potentials and spikes of all layers and classifiers at
// one step (Eqs. 1 and 2). slot is where this step's states go, previous where
// those of the step before are; they may be the same.
func (t *Trainer) forwardStep(step, slot, previous int) {
	t.now.step, t.now.slot, t.now.previous = step, slot, previous
	if step == 0 || !t.input.static {
		t.phase(t.samples, (*Trainer).readInput)
		t.input.slot = slot
	}
	for _, l := range t.layers {
		t.now.layer, t.now.synapses, t.now.in, t.now.sum = l, l.synapses, l.in, t.sum
		fresh := true
		if l.sum != nil {
			t.now.sum, fresh = l.sum, t.newWeights
		}
		if fresh {
			t.sumAll()
		}
		if l.norm != nil {
			t.normalize()
		}
		t.phase(t.samples, (*Trainer).fireLayer)
		l.output.slot = slot
		if c := l.classifier; c != nil {
			t.now.classifier, t.now.synapses, t.now.in, t.now.sum = c, c.synapses, c.in, t.sum
			t.sumAll()
			t.phase(t.samples, (*Trainer).fireClassifier)
		}
	}
	t.newWeights = false
}

// sumAll forms the synaptic sums of all samples: a task is an accumulator's
// columns for a few samples, so that weights stay in cache over samples.
func (t *Trainer) sumAll() {
	s := t.now.synapses
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
	if l := t.now.layer; s == l.synapses && l.padded != nil {
		for b := first; b < end; b++ {
			t.sumDense(l, t.scratch[worker].accumulator[:maxBlock], t.now.sum[b*s.out.size():(b+1)*s.out.size()], b)
		}
		return
	}
	for b := first; b < end; b++ {
		g := gather{
			in: s.in, out: s.out, kernel: s.kernel, stride: s.stride, pad: s.pad,
			rows: s.weights[columns.first*s.rows : (columns.first+columns.width)*s.rows], columns: columns,
		}
		g.events(in, b, t.batch, s.isFlat())
		size := s.out.size()
		g.run(t.now.sum[b*size:(b+1)*size], t.scratch[worker].accumulator, false)
	}
}

// gather forms, for some output columns, the sums over a window of non-zero
// inputs times rows of weights.
type gather struct {
	in, out             extent
	kernel, stride, pad int
	rows                []float32 // [kernel][kernel][in.channels][columns.width]
	columns             columns
	index               []int32 // of non-zero inputs, ascending
	value               []float32
	start               []int32 // of each position, then the end
}

// events gives g sample b's non-zero inputs.
func (g *gather) events(in *output, b, batch int, flat bool) {
	g.index, g.value, g.start = in.listed(b, batch)
	if flat && in.positions() > 1 {
		g.start = nil
	}
}

// run stores the sums to, or adds them into, sums [positions][out.channels].
func (g *gather) run(sums, accumulator []float32, addTo bool) {
	width := g.columns.width
	acc := accumulator[:width]
	for oy := range g.out.height {
		for ox := range g.out.width {
			clear(acc)
			g.window(acc, oy*g.stride-g.pad, ox*g.stride-g.pad)
			at := (oy*g.out.width+ox)*g.out.channels + g.columns.first
			if addTo {
				add(sums[at:at+width], acc)
			} else {
				copy(sums[at:at+width], acc)
			}
		}
	}
}

// window adds the inputs of the window whose first tap is at (y, x), which may
// lie outside. Taps of a row are contiguous, and so are their weights.
func (g *gather) window(acc []float32, y, x int) {
	if g.start == nil || len(g.start) == 2 && g.kernel == 1 && y == 0 && x == 0 {
		g.add(acc, 0, 0, len(g.index))
		return
	}
	first, end := max(x, 0), min(x+g.kernel, g.in.width)
	if first >= end {
		return
	}
	for ky := max(0, -y); ky < min(g.kernel, g.in.height-y); ky++ {
		iy := y + ky
		from, to := int(g.start[iy*g.in.width+first]), int(g.start[iy*g.in.width+end])
		if from < to {
			g.add(acc, (ky*g.kernel-iy*g.in.width-x)*g.in.channels*g.columns.width, from, to)
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
	if o.scaled {
		to := o.floatsAt(t.now.slot, t.batch, b)
		for c := range o.used {
			for p := range positions {
				to[p*o.channels+c] = x[c*positions+p]
			}
		}
		for _, l := range t.layers {
			if l.padded != nil {
				l.padInput(t, b)
			}
		}
	} else {
		to := o.bytesAt(t.now.slot, t.batch, b)
		for c := range o.used {
			for p := range positions {
				to[p*o.channels+c] = byte(x[c*positions+p])
			}
		}
	}
	o.nonZero[b] += t.list(o, b)
}

// list finds the non-zero values of sample b in the current step, and returns
// how many there are.
func (t *Trainer) list(o *output, b int) int64 {
	positions := o.positions()
	start := o.start[b*(positions+1) : (b+1)*(positions+1)]
	capacity := len(o.index) / t.batch
	index := o.index[b*capacity : (b+1)*capacity]
	if o.scaled {
		n := listFloats(index, o.value[b*capacity:(b+1)*capacity], start, o.floatsAt(t.now.slot, t.batch, b), o.channels, 0, 0)
		start[positions] = int32(n)
		return int64(n)
	}
	if o.maxValue == 1 {
		return int64(listSpikes(index, start, o.bytesAt(t.now.slot, t.batch, b), o.channels))
	}
	n, nonZero := 0, int64(0)
	for i, v := range o.bytesAt(t.now.slot, t.batch, b) {
		if i%o.channels == 0 {
			start[i/o.channels] = int32(n)
		}
		if v > 0 {
			nonZero++
		}
		for range v {
			index[n] = int32(i)
			n++
		}
	}
	start[positions] = int32(n)
	return nonZero
}

// listed returns sample b's list: of non-zero values, and of where each
// position's start.
func (o *output) listed(b, batch int) (index []int32, value []float32, start []int32) {
	positions := o.positions()
	start = o.start[b*(positions+1) : (b+1)*(positions+1)]
	first, n := b*(len(o.index)/batch), int(start[positions])
	if o.scaled {
		value = o.value[first : first+n]
	}
	return o.index[first : first+n], value, start
}

// listAgain renews the lists of o for a step of the backward pass, unless they
// are that step's.
func (t *Trainer) listAgain(o *output) {
	if o.slot != t.now.slot && !o.static {
		t.now.in = o
		t.phase(t.samples, (*Trainer).relist)
		o.slot = t.now.slot
	}
}

func (t *Trainer) relist(_, b int) { t.list(t.now.in, b) }

// fireLayer takes sample b's synaptic sums through the neurons, dropout, the
// addition of a residual block and the pooling neurons.
func (t *Trainer) fireLayer(worker, b int) {
	l, scratch := t.now.layer, &t.scratch[worker]
	size := l.own.size()
	sum := t.now.sum[b*size : (b+1)*size]
	u, previous := l.own.at(t.now.slot, t.batch, b), l.own.at(t.now.previous, t.batch, b)
	if t.real {
		t.fireReal(worker, b, sum, u, previous)
		return
	}
	spikes := scratch.spikes[:size]
	if l.plain() {
		spikes = l.output.bytesAt(t.now.slot, t.batch, b)
	}
	fire(u, previous, sum, spikes, &t.lif)
	l.spikes[b] += countSpikes(spikes)
	if l.plain() {
		l.output.nonZero[b] += t.list(&l.output, b)
		return
	}
	if l.mask != nil && t.training {
		for i, keep := range l.mask[b*size : (b+1)*size] {
			spikes[i] &= keep
		}
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
		fire(l.pool.at(t.now.slot, t.batch, b), l.pool.at(t.now.previous, t.batch, b), pooled, out, &t.lif)
	}
	l.output.nonZero[b] += t.list(&l.output, b)
}

// poolSpikes averages spikes over windows: their number is exact, so only the
// division rounds.
func poolSpikes(pooled []float32, spikes []byte, l *layer) {
	channels, width := l.own.channels, l.own.width
	area := float32(l.Pool.Window.Height * l.Pool.Window.Width)
	for py := range l.pool.height {
		for px := range l.pool.width {
			to := pooled[(py*l.pool.width+px)*channels:][:channels]
			if l.poolsMany() {
				sumWindow(to, spikes, l, py, px)
				continue
			}
			for c := 0; c < channels; c += lanes {
				// Eight bytes at a time, in two words of 16-bit counters.
				var even, odd uint64
				for y := py * l.Pool.Window.Height; y < (py+1)*l.Pool.Window.Height; y++ {
					at := (y*width+px*l.Pool.Window.Width)*channels + c
					for range l.Pool.Window.Width {
						word := binary.LittleEndian.Uint64(spikes[at:])
						even += word & everySecondByte
						odd += word >> 8 & everySecondByte
						at += channels
					}
				}
				for i := 0; i < lanes; i += 2 {
					to[c+i] = float32(uint16(even)) / area
					to[c+i+1] = float32(uint16(odd)) / area
					even >>= 16
					odd >>= 16
				}
			}
		}
	}
}

// poolsMany tells whether a window's sum may exceed 16 bits.
func (l *layer) poolsMany() bool {
	return l.Pool.Window.Height*l.Pool.Window.Width > math.MaxUint16/math.MaxUint8
}

// sumWindow is the average of one large window.
func sumWindow(to []float32, spikes []byte, l *layer, py, px int) {
	channels := l.own.channels
	for c := range to {
		n := 0
		for y := py * l.Pool.Window.Height; y < (py+1)*l.Pool.Window.Height; y++ {
			for x := px * l.Pool.Window.Width; x < (px+1)*l.Pool.Window.Width; x++ {
				n += int(spikes[(y*l.own.width+x)*channels+c])
			}
		}
		to[c] = float32(n) / float32(l.Pool.Window.Height*l.Pool.Window.Width)
	}
}

const everySecondByte = 0x00ff00ff00ff00ff

func (t *Trainer) fireClassifier(worker, b int) {
	if t.smooth != nil {
		t.fireRealClassifier(worker, b)
		return
	}
	c := t.now.classifier
	size := c.neurons.size()
	fired := c.fired[b*size : (b+1)*size]
	fire(c.neurons.at(t.now.slot, t.batch, b), c.neurons.at(t.now.previous, t.batch, b), t.now.sum[b*size:(b+1)*size], fired, &t.lif)
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
