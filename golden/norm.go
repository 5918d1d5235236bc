package golden

import "math"

// normEpsilon keeps the division by a standard deviation finite.
const normEpsilon = 1e-5

// norm is the batch norm of a layer's synaptic sums. Statistics are per
// channel and step, over samples, then positions.
type norm struct {
	gain, bias, mean, variance []float32 // per stored channel; zero for padding

	gainGradient, biasGradient []float32
	gainFirst, biasFirst       []float32 // momentum or Adam's m
	gainSecond, biasSecond     []float32 // Adam's v

	xhat      []float32 // [slots][batch][size]
	deviation []float64 // [slots][channels]: 1/sqrt(var + eps), of the batch
}

func newNorm(e extent, maps int) *norm {
	n := &norm{xhat: make([]float32, maps*e.size()), deviation: make([]float64, maps*e.channels)}
	for _, v := range []*[]float32{
		&n.gain, &n.bias, &n.mean, &n.variance, &n.gainGradient, &n.biasGradient,
		&n.gainFirst, &n.biasFirst, &n.gainSecond, &n.biasSecond,
	} {
		*v = make([]float32, e.channels)
	}
	for c := range e.used {
		n.gain[c], n.variance[c] = 1, 1
	}
	return n
}

// normalize replaces the synaptic sums of the current layer by their batch
// norm: with the batch's statistics in training, the running ones otherwise.
func (t *Trainer) normalize() {
	groups := t.now.layer.own.channels / lanes
	if t.training {
		t.phase(groups, (*Trainer).normalizeTask)
	} else {
		t.phase(groups, (*Trainer).normalizeRunningTask)
	}
}

func (t *Trainer) normalizeTask(_, group int) {
	l, n := t.now.layer, t.now.layer.norm
	channels, size := l.own.channels, l.own.size()
	first := group * lanes
	sums := t.now.sum[:t.samples*size]
	m := float64(t.samples * l.own.positions())
	var mean, variance, deviation [lanes]float64
	for at := first; at < len(sums); at += channels {
		for c, v := range sums[at : at+lanes] {
			mean[c] += float64(v)
		}
	}
	for c := range mean {
		mean[c] /= m
	}
	for at := first; at < len(sums); at += channels {
		for c, v := range sums[at : at+lanes] {
			d := float64(v) - mean[c]
			variance[c] += float64(d * d)
		}
	}
	for c := range variance {
		variance[c] /= m
		deviation[c] = 1 / math.Sqrt(variance[c]+normEpsilon)
		n.deviation[t.now.slot*channels+first+c] = deviation[c]
	}
	for c := first; c < min(first+lanes, l.own.used); c++ {
		unbiased := variance[c-first]
		if m > 1 {
			unbiased *= m / (m - 1)
		}
		n.mean[c] = float32(float64(0.9*float64(n.mean[c])) + float64(0.1*mean[c-first]))
		n.variance[c] = float32(float64(0.9*float64(n.variance[c])) + float64(0.1*unbiased))
	}
	xhat := n.xhat[t.now.slot*t.batch*size:]
	for at := first; at < len(sums); at += channels {
		for c, v := range sums[at : at+lanes] {
			x := float32((float64(v) - mean[c]) * deviation[c])
			xhat[at+c] = x
			sums[at+c] = float32(n.gain[first+c]*x) + n.bias[first+c]
		}
	}
}

func (t *Trainer) normalizeRunningTask(_, group int) {
	l, n := t.now.layer, t.now.layer.norm
	size := l.own.size()
	sums := t.now.sum[:t.samples*size]
	for at := group * lanes; at < len(sums); at += l.own.channels {
		for c := range lanes {
			channel := group*lanes + c
			istd := 1 / math.Sqrt(float64(n.variance[channel])+normEpsilon)
			x := float32((float64(sums[at+c]) - float64(n.mean[channel])) * istd)
			sums[at+c] = float32(n.gain[channel]*x) + n.bias[channel]
		}
	}
}

// normError takes the error of the current layer's batch norm outputs (gamma)
// to its inputs, and adds this step's gradients of gain and bias.
func (t *Trainer) normError() {
	t.phase(t.now.layer.own.channels/lanes, (*Trainer).normErrorTask)
}

func (t *Trainer) normErrorTask(_, group int) {
	l, n := t.now.layer, t.now.layer.norm
	e := &l.own
	first := group * lanes
	m := float64(t.samples * e.positions())
	deviation := n.deviation[t.now.slot*e.channels+first:][:lanes]
	var dGain, dBias [lanes]float64
	t.eachNormValue(first, func(padded, plain int) {
		gamma, xhat := e.err[padded:padded+lanes], n.xhat[plain:plain+lanes]
		for c, g := range gamma {
			dGain[c] += float64(float64(g) * float64(xhat[c]))
			dBias[c] += float64(g)
		}
	})
	for c := range lanes {
		n.gainGradient[first+c] += float32(dGain[c])
		n.biasGradient[first+c] += float32(dBias[c])
	}
	t.eachNormValue(first, func(padded, plain int) {
		gamma, xhat := e.err[padded:padded+lanes], n.xhat[plain:plain+lanes]
		err := l.err[padded : padded+lanes]
		for c, g := range gamma {
			err[c] = float32(float64(n.gain[first+c]) * deviation[c] * (float64(g) - dBias[c]/m - float64(xhat[c])*dGain[c]/m))
		}
	})
}

// eachNormValue calls do with the index of eight channels' values in the maps
// with a border and in xhat, over samples, then positions, ascending.
func (t *Trainer) eachNormValue(first int, do func(padded, plain int)) {
	e := &t.now.layer.own
	plain := t.now.slot*t.batch*e.size() + first
	for b := range t.samples {
		for y := range e.height {
			padded := b*e.gammaSize() + y*e.gammaRow() + e.border*e.channels + first
			for range e.width {
				do(padded, plain)
				padded += e.channels
				plain += e.channels
			}
		}
	}
}
