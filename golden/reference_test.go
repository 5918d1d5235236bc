package golden

import (
	"fmt"
	"math"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// The obvious trainer: docs/numerics.md line by line, one neuron at a time, in
// the files' layouts, with nothing shared with the fast one. Maps are
// [sample][channel][row][column].

type refMap [][]float32 // [sample][C H W]

func newRefMap(samples int, s network.Shape) refMap {
	m := make(refMap, samples)
	for b := range m {
		m[b] = make([]float32, s.Size())
	}
	return m
}

// refSynapses connects a map to a convolution's or a fully connected layer's.
type refSynapses struct {
	in, out             network.Shape
	kernel, stride, pad int // kernel 0: fully connected
	w, dw, v, v2        []float32
	frozen              bool
}

// inputs calls do for the inputs of output (co, oy, ox) by row, column,
// channel.
func (s *refSynapses) inputs(co, oy, ox int, do func(input, weight int)) {
	if s.kernel == 0 {
		for y := range s.in.Height {
			for x := range s.in.Width {
				for c := range s.in.Channels {
					i := (c*s.in.Height+y)*s.in.Width + x
					do(i, co*s.in.Size()+i)
				}
			}
		}
		return
	}
	for ky := range s.kernel {
		for kx := range s.kernel {
			y, x := oy*s.stride-s.pad+ky, ox*s.stride-s.pad+kx
			if y < 0 || y >= s.in.Height || x < 0 || x >= s.in.Width {
				continue
			}
			for ci := range s.in.Channels {
				do((ci*s.in.Height+y)*s.in.Width+x, ((co*s.in.Channels+ci)*s.kernel+ky)*s.kernel+kx)
			}
		}
	}
}

// sum is the synaptic sum of Eq. 1.
func (s *refSynapses) sum(in refMap, direct bool) refMap {
	out := newRefMap(len(in), s.out)
	s.outputs(func(co, oy, ox, o int) {
		for b := range in {
			sum := float32(0)
			s.inputs(co, oy, ox, func(i, w int) {
				v := in[b][i]
				switch {
				case v == 0:
				case direct:
					sum += float32(s.w[w] * v)
				default:
					for range int(v) {
						sum += s.w[w]
					}
				}
			})
			out[b][o] = sum
		}
	})
	return out
}

// outputs calls do for the outputs by row, column, channel.
func (s *refSynapses) outputs(do func(co, oy, ox, o int)) {
	for oy := range s.out.Height {
		for ox := range s.out.Width {
			for co := range s.out.Channels {
				do(co, oy, ox, (co*s.out.Height+oy)*s.out.Width+ox)
			}
		}
	}
}

// pass is the first term of Eq. 4.
func (s *refSynapses) pass(err refMap) refMap {
	spatial := newRefMap(len(err), s.in)
	s.outputs(func(co, oy, ox, o int) {
		s.inputs(co, oy, ox, func(i, w int) {
			for b := range err {
				if err[b][o] != 0 {
					spatial[b][i] += float32(err[b][o] * s.w[w])
				}
			}
		})
	})
	return spatial
}

// gradient is Eq. 7: a register per weight and sample, then dW.
func (s *refSynapses) gradient(in, err refMap) {
	for b := range in {
		register := make([]float32, len(s.w))
		s.outputs(func(co, oy, ox, o int) {
			s.inputs(co, oy, ox, func(i, w int) {
				register[w] += float32(err[b][o] * in[b][i])
			})
		})
		for w, r := range register {
			s.dw[w] += r
		}
	}
}

type refLIF struct {
	shape  network.Shape
	p      network.Neuron
	u      []refMap // of the interval's steps
	before refMap   // the step before the interval
	gamma  refMap
}

func (n *refLIF) fire(slot int, sum refMap) refMap {
	previous := n.before
	if slot > 0 {
		previous = n.u[slot-1]
	}
	u, s := newRefMap(len(sum), n.shape), newRefMap(len(sum), n.shape)
	threshold := float32(n.p.Threshold)
	for b := range sum {
		for i := range sum[b] {
			was := float32(0)
			if previous[b][i] >= threshold {
				was = 1
			}
			u[b][i] = float32(float32(float32(float32(n.p.Leak)*previous[b][i])+sum[b][i]) - float32(float32(n.p.Reset)*was))
			if u[b][i] >= threshold {
				s[b][i] = 1
			}
		}
	}
	n.u = append(n.u, u)
	return s
}

// error is Eqs. 4 to 6, given the spatial error.
func (n *refLIF) error(slot int, last bool, spatial refMap) {
	later := n.gamma
	n.gamma = newRefMap(len(spatial), n.shape)
	for b := range spatial {
		for i := range spatial[b] {
			delta := spatial[b][i]
			if !last {
				delta -= float32(float32(n.p.Reset) * later[b][i])
			}
			g := float32(0)
			if math.Abs(float64(n.u[slot][b][i]-float32(n.p.Threshold))) < float64(float32(n.p.SurrogateWidth/2)) {
				g = float32(delta * float32(1/n.p.SurrogateWidth))
			}
			if !last {
				g += float32(float32(n.p.Leak) * later[b][i])
			}
			n.gamma[b][i] = g
		}
	}
}

type refLayer struct {
	*network.Layer
	refSynapses
	own, pool  refLIF
	norm       *tensors.Norm
	xhat       []refMap
	istd       [][]float64
	dGain      []float32
	dBias      []float32
	vGain      [2][]float32
	vBias      [2][]float32
	mask       refMap
	out        []refMap // of the interval's steps
	spikes     []refMap
	joined     refMap // error of the residual addition
	err        refMap
	spikeCount int64
	nonZero    int64
}

type refTrainer struct {
	w           *network.Workload
	k, updates  int
	blocks      []network.Block
	layers      []*refLayer
	classifiers []*refLayer
	x           []refMap // of all steps
	y           []int
	out         tensors.Set
}

func newRefLIF(w *network.Workload, samples int, s network.Shape) refLIF {
	return refLIF{shape: s, p: w.Neuron, before: newRefMap(samples, s)}
}

func newReference(w *network.Workload, k, n int, in *tensors.Input, masks []refMap) *refTrainer {
	blocks, err := w.Net.Blocks(n)
	if err != nil {
		panic(err)
	}
	samples := len(in.Y)
	r := &refTrainer{w: w, k: k, blocks: blocks, y: in.Y, out: tensors.Set{}}
	for step := range w.Timesteps {
		m := newRefMap(samples, w.Net.Input)
		for b := range m {
			copy(m[b], in.X[(step*samples+b)*w.Net.Input.Size():])
		}
		r.x = append(r.x, m)
	}
	fresh := func(values []float32) (w, dw, v, v2 []float32) {
		return clone(values), make([]float32, len(values)), make([]float32, len(values)), make([]float32, len(values))
	}
	for i := range w.Net.Layers {
		l := &refLayer{Layer: &w.Net.Layers[i]}
		l.refSynapses = refSynapses{in: l.First().In, out: l.Out, kernel: l.First().Kernel.Size.Height, stride: l.First().Kernel.Stride.Height, pad: l.First().Kernel.Pad.Height}
		l.w, l.dw, l.v, l.v2 = fresh(in.Weights[i])
		l.own, l.pool = newRefLIF(w, samples, l.Out), newRefLIF(w, samples, l.Pooled)
		if p := in.Norms[i]; p != nil {
			l.norm = &tensors.Norm{Gain: clone(p.Gain), Bias: clone(p.Bias), Mean: clone(p.Mean), Variance: clone(p.Variance)}
			l.dGain, l.dBias = make([]float32, len(p.Gain)), make([]float32, len(p.Gain))
			for j := range 2 {
				l.vGain[j], l.vBias[j] = make([]float32, len(p.Gain)), make([]float32, len(p.Gain))
			}
		}
		if masks != nil {
			l.mask = masks[i]
		}
		r.layers = append(r.layers, l)
	}
	for i, b := range blocks {
		out := network.Shape{Channels: w.Net.Classes, Height: 1, Width: 1}
		c := &refLayer{}
		c.refSynapses = refSynapses{in: w.Net.Layer(b.Last).Pooled, out: out, frozen: w.Training.Classifier == network.Random}
		c.w, c.dw, c.v, c.v2 = fresh(in.Classifiers[i])
		c.own = newRefLIF(w, samples, out)
		r.classifiers = append(r.classifiers, c)
	}
	return r
}

func (r *refTrainer) outputOf(l, step, slot int) refMap {
	if l == network.InputLayer {
		return r.x[step]
	}
	return r.layers[l-1].out[slot]
}

func countNonZero(m refMap) (n int64) {
	for _, sample := range m {
		for _, v := range sample {
			if v != 0 {
				n++
			}
		}
	}
	return n
}

func (r *refTrainer) forward(step, slot int) {
	for _, l := range r.layers {
		in := r.outputOf(l.First().From, step, slot)
		l.nonZero += countNonZero(in)
		sum := l.sum(in, l.First().From == network.InputLayer && r.w.Net.Encoding == network.Direct)
		if l.norm != nil {
			sum = l.normalize(sum)
		}
		s := l.own.fire(slot, sum)
		l.spikeCount += countNonZero(s)
		if l.mask != nil {
			for b := range s {
				for i := range s[b] {
					s[b][i] *= l.mask[b][i]
				}
			}
		}
		l.spikes = append(l.spikes, s)
		if l.Adds() {
			a, other := s, r.outputOf(l.Add, step, slot)
			s = newRefMap(len(a), l.Out)
			for b := range s {
				for i := range s[b] {
					s[b][i] = a[b][i] + other[b][i]
				}
			}
		}
		if l.HasPool() {
			s = l.pool.fire(slot, l.average(s))
		}
		l.out = append(l.out, s)
	}
	for i, b := range r.blocks {
		c := r.classifiers[i]
		s := c.own.fire(slot, c.sum(r.layers[b.Last-1].out[slot], false))
		c.spikeCount += countNonZero(s)
		c.spikes = append(c.spikes, s)
	}
}

// windows calls do for every neuron that a pooling neuron averages.
func (l *refLayer) windows(do func(pool, neuron int)) {
	for c := range l.Out.Channels {
		for y := range l.Pooled.Height * l.Pool.Window.Height {
			for x := range l.Pooled.Width * l.Pool.Window.Width {
				do((c*l.Pooled.Height+y/l.Pool.Window.Height)*l.Pooled.Width+x/l.Pool.Window.Width, (c*l.Out.Height+y)*l.Out.Width+x)
			}
		}
	}
}

func (l *refLayer) average(s refMap) refMap {
	out := newRefMap(len(s), l.Pooled)
	for b := range s {
		l.windows(func(pool, neuron int) { out[b][pool] += s[b][neuron] })
		for i := range out[b] {
			out[b][i] /= float32(l.Pool.Window.Height * l.Pool.Window.Width)
		}
	}
	return out
}

func (l *refLayer) normalize(sum refMap) refMap {
	out, xhat := newRefMap(len(sum), l.Out), newRefMap(len(sum), l.Out)
	positions := l.Out.Positions()
	m := float64(len(sum) * positions)
	istds := make([]float64, l.Out.Channels)
	for c := range l.Out.Channels {
		mean, variance := 0.0, 0.0
		for b := range sum {
			for p := range positions {
				mean += float64(sum[b][c*positions+p])
			}
		}
		mean /= m
		for b := range sum {
			for p := range positions {
				d := float64(sum[b][c*positions+p]) - mean
				variance += d * d
			}
		}
		variance /= m
		istds[c] = 1 / math.Sqrt(variance+1e-5)
		for b := range sum {
			for p := range positions {
				i := c*positions + p
				xhat[b][i] = float32((float64(sum[b][i]) - mean) * istds[c])
				out[b][i] = float32(float32(l.norm.Gain[c]*xhat[b][i]) + l.norm.Bias[c])
			}
		}
		l.norm.Mean[c] = float32(0.9*float64(l.norm.Mean[c]) + 0.1*mean)
		if m > 1 {
			variance *= m / (m - 1)
		}
		l.norm.Variance[c] = float32(0.9*float64(l.norm.Variance[c]) + 0.1*variance)
	}
	l.xhat, l.istd = append(l.xhat, xhat), append(l.istd, istds)
	return out
}

func (l *refLayer) normError(slot int, gamma refMap) refMap {
	err := newRefMap(len(gamma), l.Out)
	positions := l.Out.Positions()
	m := float64(len(gamma) * positions)
	for c := range l.Out.Channels {
		dGain, dBias := 0.0, 0.0
		for b := range gamma {
			for p := range positions {
				i := c*positions + p
				dGain += float64(gamma[b][i]) * float64(l.xhat[slot][b][i])
				dBias += float64(gamma[b][i])
			}
		}
		l.dGain[c] += float32(dGain)
		l.dBias[c] += float32(dBias)
		for b := range gamma {
			for p := range positions {
				i := c*positions + p
				err[b][i] = float32(float64(l.norm.Gain[c]) * l.istd[slot][c] *
					(float64(gamma[b][i]) - dBias/m - float64(l.xhat[slot][b][i])*dGain/m))
			}
		}
	}
	return err
}

func addMaps(to *refMap, from refMap) {
	if *to == nil {
		*to = from
		return
	}
	for b := range from {
		for i, v := range from[b] {
			(*to)[b][i] += v
		}
	}
}

func (r *refTrainer) backward(step, slot int, last bool, deltas []refMap) {
	for i := len(r.blocks) - 1; i >= 0; i-- {
		b, c := r.blocks[i], r.classifiers[i]
		c.own.error(slot, last, deltas[i])
		if !c.frozen {
			c.gradient(r.layers[b.Last-1].out[slot], c.own.gamma)
		}
		for n := b.Last; n >= b.First; n-- {
			l := r.layers[n-1]
			var spatial refMap
			for _, reader := range r.w.Net.Consumers(n) {
				if reader <= b.Last {
					addMaps(&spatial, r.layers[reader-1].pass(r.layers[reader-1].err))
				}
			}
			if n == b.Last {
				addMaps(&spatial, c.pass(c.own.gamma))
			}
			for m := n + 1; m <= b.Last; m++ {
				if r.layers[m-1].Add == n {
					addMaps(&spatial, copyMap(r.layers[m-1].joined))
				}
			}
			if l.HasPool() {
				l.pool.error(slot, last, spatial)
				spatial = newRefMap(len(r.y), l.Out)
				for b := range spatial {
					l.windows(func(pool, neuron int) {
						spatial[b][neuron] = l.pool.gamma[b][pool] / float32(l.Pool.Window.Height*l.Pool.Window.Width)
					})
				}
			}
			l.joined = spatial
			if l.mask != nil {
				spatial = copyMap(spatial)
				for b := range spatial {
					for i := range spatial[b] {
						spatial[b][i] *= l.mask[b][i]
					}
				}
			}
			l.own.error(slot, last, spatial)
			l.err = l.own.gamma
			if l.norm != nil {
				l.err = l.normError(slot, l.own.gamma)
			}
			l.gradient(r.outputOf(l.First().From, step, slot), l.err)
		}
	}
}

func copyMap(m refMap) refMap {
	c := make(refMap, len(m))
	for b := range m {
		c[b] = clone(m[b])
	}
	return c
}

func (r *refTrainer) loss(c *refLayer) (float64, refMap) {
	classes, k, batch := r.w.Net.Classes, float64(r.k), float64(len(r.y))
	delta := newRefMap(len(r.y), c.refSynapses.out)
	total := 0.0
	for b, label := range r.y {
		rate, target := make([]float64, classes), make([]float64, classes)
		target[label] = 1
		for i := range classes {
			count := 0.0
			for slot := range r.k {
				count += float64(c.spikes[slot][b][i])
			}
			rate[i] = count / k
		}
		if r.w.Training.Loss == network.MSE {
			for i := range classes {
				total += (rate[i] - target[i]) * (rate[i] - target[i])
				delta[b][i] = float32((2 / (float64(classes) * k * batch)) * (rate[i] - target[i]))
			}
			continue
		}
		greatest, sum := rate[0], 0.0
		for _, v := range rate {
			greatest = math.Max(greatest, v)
		}
		for _, v := range rate {
			sum += math.Exp(v - greatest)
		}
		for i := range classes {
			delta[b][i] = float32((math.Exp(rate[i]-greatest)/sum - target[i]) / (k * batch))
		}
		total += math.Log(sum) - (rate[label] - greatest)
	}
	if r.w.Training.Loss == network.MSE {
		total /= float64(classes)
	}
	return total / batch, delta
}

func (r *refTrainer) update(w, dw, v, v2 []float32) {
	h := r.w.Training
	for i := range w {
		switch h.Optimizer {
		case network.SGD:
			v[i] = float32(float32(float32(h.Momentum)*v[i]) + dw[i])
			w[i] = w[i] - float32(float32(h.LearningRate)*v[i])
		case network.RMSprop:
			g := float64(dw[i])
			v[i] = float32(float64(h.Rho*float64(v[i])) + float64((1-h.Rho)*g*g))
			w[i] = float32(float64(w[i]) - h.LearningRate*g/(math.Sqrt(float64(v[i]))+h.Epsilon))
		default:
			g := float64(dw[i])
			v[i] = float32(h.Beta1*float64(v[i]) + (1-h.Beta1)*g)
			v2[i] = float32(h.Beta2*float64(v2[i]) + (1-h.Beta2)*g*g)
			mhat := float64(v[i]) / (1 - math.Pow(h.Beta1, float64(r.updates)))
			vhat := float64(v2[i]) / (1 - math.Pow(h.Beta2, float64(r.updates)))
			w[i] = float32(float64(w[i]) - h.LearningRate*mhat/(math.Sqrt(vhat)+h.Epsilon))
		}
		dw[i] = 0
	}
}

// run is Algorithm 1.
func (r *refTrainer) run() tensors.Set {
	for i := range r.w.Timesteps / r.k {
		for slot := range r.k {
			r.forward(i*r.k+slot, slot)
		}
		var deltas []refMap
		for n, c := range r.classifiers {
			loss, delta := r.loss(c)
			r.out[fmt.Sprintf("loss%d_i%d", n+1, i+1)] = tensors.Scalar(loss)
			deltas = append(deltas, delta)
		}
		for slot := r.k - 1; slot >= 0; slot-- {
			r.backward(i*r.k+slot, slot, slot == r.k-1, deltas)
		}
		r.updates++
		for n, c := range r.classifiers {
			if !c.frozen {
				r.out[fmt.Sprintf("dwc%d_i%d", n+1, i+1)] = tensors.Floats(clone(c.dw))
				r.update(c.w, c.dw, c.v, c.v2)
			}
		}
		for n, l := range r.layers {
			r.out[fmt.Sprintf("dw%d_i%d", n+1, i+1)] = tensors.Floats(clone(l.dw))
			r.update(l.w, l.dw, l.v, l.v2)
			if l.norm != nil {
				r.out[fmt.Sprintf("dbn%d_gain_i%d", n+1, i+1)] = tensors.Floats(clone(l.dGain))
				r.out[fmt.Sprintf("dbn%d_bias_i%d", n+1, i+1)] = tensors.Floats(clone(l.dBias))
				r.update(l.norm.Gain, l.dGain, l.vGain[0], l.vGain[1])
				r.update(l.norm.Bias, l.dBias, l.vBias[0], l.vBias[1])
			}
		}
		r.endInterval()
	}
	for n, l := range r.layers {
		r.out[fmt.Sprintf("w%d", n+1)] = tensors.Floats(l.w)
		r.out[fmt.Sprintf("u%d", n+1)] = tensors.Floats(flatten(l.own.before))
		r.out[fmt.Sprintf("spikes%d", n+1)] = tensors.Count(l.spikeCount)
		r.out[fmt.Sprintf("nonzero_in%d", n+1)] = tensors.Count(l.nonZero)
		if l.HasPool() {
			r.out[fmt.Sprintf("up%d", n+1)] = tensors.Floats(flatten(l.pool.before))
		}
		if l.norm != nil {
			for j, values := range l.norm.Slices() {
				r.out[fmt.Sprintf("bn%d_%s", n+1, tensors.NormNames[j])] = tensors.Floats(*values)
			}
		}
	}
	for n, c := range r.classifiers {
		r.out[fmt.Sprintf("wc%d", n+1)] = tensors.Floats(c.w)
		r.out[fmt.Sprintf("uc%d", n+1)] = tensors.Floats(flatten(c.own.before))
		r.out[fmt.Sprintf("spikes_c%d", n+1)] = tensors.Count(c.spikeCount)
	}
	return r.out
}

// endInterval keeps only the last step's states.
func (r *refTrainer) endInterval() {
	for _, l := range append(append([]*refLayer(nil), r.layers...), r.classifiers...) {
		for _, n := range []*refLIF{&l.own, &l.pool} {
			if len(n.u) > 0 {
				n.before = n.u[len(n.u)-1]
			}
			n.u, n.gamma = nil, nil
		}
		l.out, l.spikes, l.xhat, l.istd = nil, nil, nil, nil
	}
}

func flatten(m refMap) []float32 {
	var values []float32
	for _, sample := range m {
		values = append(values, sample...)
	}
	return values
}
