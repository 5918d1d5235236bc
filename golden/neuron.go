package golden

import (
	"math"

	"github.com/accelsim-dev/accelsim/internal/elementary"
	"github.com/accelsim-dev/accelsim/network"
)

// lifParameters are the neuron's of Eqs. 1, 2 and 6, rounded to float32 once.
type lifParameters struct {
	leak, reset, threshold  float32 // tau, theta, u_th
	halfWidth, inverseWidth float32 // a/2, 1/a
}

func newLIFParameters(n network.Neuron) lifParameters {
	return lifParameters{
		leak: float32(n.Leak), reset: float32(n.Reset), threshold: float32(n.Threshold),
		halfWidth: float32(n.SurrogateWidth / 2), inverseWidth: float32(1 / n.SurrogateWidth),
	}
}

// partParameters are those of a neuron's other parts.
type partParameters struct {
	gain, offset             float32
	synapseLeak, synapseGain float32
	resetTo                  float32
	decay, strength          float32
}

// neurons are those of a layer, a pooling layer or a classifier.
type neurons struct {
	extent
	kind network.Neuron
	lif  lifParameters
	part partParameters
	// Kernels of Eqs. 1 and 2, and of Eqs. 4 to 6, do: the neuron has no other part
	// that matters to them.
	firesPlainly, passesPlainly bool
	errorLIF                    lifParameters // without the reset where it is a constant
	slope                       func(x float32) (slope float32, open bool)

	u, i, a []float32 // [slots][batch][size] potentials, currents, adaptations of an interval's steps; the last two where they are

	// gamma is [batch][height][width + 2 border][channels]; the border stays
	// zero, so that a gradient may read beyond the map's left and right. err, the
	// error of the synaptic sum, is laid out likewise: it is gamma itself, unless
	// synapse or gain stand between.
	gamma, err     []float32
	gammaI, gammaA []float32 // [batch][size] of the step that was computed last
	border         int
}

// newNeurons makes neurons with so many slots of so many samples.
func newNeurons(e extent, kind network.Neuron, border, slots, batch int) neurons {
	n := neurons{extent: e, kind: kind, border: border, lif: newLIFParameters(kind)}
	n.part = partParameters{
		gain: float32(kind.Gain()), offset: float32(kind.Offset),
		synapseLeak: float32(kind.SynapseLeak), synapseGain: float32(kind.SynapseGain),
		resetTo: float32(kind.ResetTo), decay: float32(kind.Decay), strength: float32(kind.Strength),
	}
	n.firesPlainly = kind.PassesOn() && kind.Offset == 0 && !kind.HardReset && !kind.Adaptation && !kind.Silent
	n.passesPlainly = n.firesPlainly && kind.Shape() == network.Rectangle
	n.errorLIF = n.lif
	if kind.ConstantReset {
		n.errorLIF.reset = 0
	}
	n.slope = slopeOf(kind)
	n.u = make([]float32, slots*batch*e.size())
	n.gamma = make([]float32, batch*n.gammaSize())
	n.err = n.gamma
	if !kind.PassesOn() {
		n.err = make([]float32, len(n.gamma))
	}
	if kind.Synapse {
		n.i, n.gammaI = make([]float32, len(n.u)), make([]float32, batch*e.size())
	}
	if kind.Adaptation {
		n.a, n.gammaA = make([]float32, len(n.u)), make([]float32, batch*e.size())
	}
	return n
}

// slopeOf returns the surrogate derivative by x = u - threshold, and where there is
// one.
func slopeOf(n network.Neuron) func(x float32) (slope float32, open bool) {
	a := n.SurrogateWidth
	half, inverse := float32(a/2), float32(1/a)
	switch {
	case n.Silent:
		return func(float32) (float32, bool) { return 1, true }
	case n.Shape() == network.Triangle:
		return func(x float32) (float32, bool) { return float32(max(0, 1-math.Abs(float64(x))/a) / a), true }
	case n.Shape() == network.Sigmoid:
		return func(x float32) (float32, bool) {
			s := 1 / (1 + elementary.Exp(-float64(x)/a))
			return float32(s * (1 - s) / a), true
		}
	case n.Shape() == network.Atan:
		return func(x float32) (float32, bool) {
			z := math.Pi * float64(x) / a
			return float32(1 / a / (1 + float64(z*z))), true
		}
	case n.Shape() == network.FastSigmoid:
		return func(x float32) (float32, bool) {
			z := 1 + math.Abs(float64(x))/a
			return float32(1 / a / float64(z*z)), true
		}
	}
	return func(x float32) (float32, bool) { return inverse, max(x, -x) < half }
}

func (n *neurons) gammaRow() int  { return (n.width + 2*n.border) * n.channels }
func (n *neurons) gammaSize() int { return n.height * n.gammaRow() }

// at returns the potentials of one step and sample.
func (n *neurons) at(slot, batch, sample int) []float32 { return n.stateAt(n.u, slot, batch, sample) }

func (n *neurons) stateAt(of []float32, slot, batch, sample int) []float32 {
	if of == nil {
		return nil
	}
	size := n.size()
	first := (slot*batch + sample) * size
	return of[first : first+size : first+size]
}

// states are those of one sample at one step.
type states struct{ u, i, a []float32 }

func (n *neurons) states(slot, batch, sample int) states {
	return states{n.stateAt(n.u, slot, batch, sample), n.stateAt(n.i, slot, batch, sample), n.stateAt(n.a, slot, batch, sample)}
}

// clearSlot zeroes the states of a step, before the first.
func (n *neurons) clearSlot(slot, batch int) {
	size := batch * n.size()
	for _, state := range [][]float32{n.u, n.i, n.a} {
		if state != nil {
			clear(state[slot*size : (slot+1)*size])
		}
	}
}

// fire is one step of sample b.
func (n *neurons) fire(t *Trainer, b int, sum []float32, spikes []byte) {
	if n.firesPlainly {
		fire(n.at(t.now.slot, t.batch, b), n.at(t.now.previous, t.batch, b), sum, spikes, &n.lif)
		return
	}
	n.fireParts(n.states(t.now.slot, t.batch, b), n.states(t.now.previous, t.batch, b), sum, spikes)
}

// threshold is that of neuron i in some state.
func (n *neurons) threshold(s *states, i int) float32 {
	if s.a == nil {
		return n.lif.threshold
	}
	return n.lif.threshold + float32(n.part.strength*s.a[i])
}

// fireParts is one step of neurons of any parts, in the order of docs/numerics.md.
func (n *neurons) fireParts(now, before states, sum []float32, spikes []byte) {
	kind, lif, p := &n.kind, &n.lif, &n.part
	for i, current := range sum {
		v := before.u[i]
		spiked := !kind.Silent && v >= n.threshold(&before, i)
		if kind.Synapse {
			current = float32(p.synapseLeak*before.i[i]) + float32(p.synapseGain*current)
			now.i[i] = current
		}
		if p.gain != 1 {
			current = float32(p.gain * current)
		}
		if kind.Adaptation {
			a := float32(p.decay * before.a[i])
			if spiked {
				a++
			}
			now.a[i] = a
		}
		if kind.HardReset && spiked {
			v = p.resetTo
		}
		u := float32(lif.leak*v) + current
		if p.offset != 0 {
			u += p.offset
		}
		if !kind.HardReset && spiked {
			u -= lif.reset
		}
		now.u[i] = u
		spikes[i] = 0
		if !kind.Silent && u >= n.threshold(&now, i) {
			spikes[i] = 1
		}
	}
	if p.offset > 0 { // those of padding do not exist
		for at := n.used; at < len(spikes); at += n.channels {
			clear(spikes[at : at+n.channels-n.used])
		}
	}
}

// back takes sample b's error of the spikes, [height][width][channels], to those of
// the potential and the synaptic sum.
func (n *neurons) back(t *Trainer, b int, spatial []float32) {
	first := b*n.gammaSize() + n.border*n.channels
	now := n.states(t.now.slot, t.batch, b)
	row := n.width * n.channels
	rows := n.height
	if n.border == 0 {
		row, rows = n.size(), 1
	}
	for y := range rows {
		gamma := n.gamma[first+y*n.gammaRow():][:row:row]
		u := now.u[y*row:][:row:row]
		if n.passesPlainly {
			potentialError(gamma, spatial[y*row:][:row:row], u, &n.errorLIF, t.now.last)
			continue
		}
		part := states{u: u}
		var gammaI, gammaA []float32
		if n.i != nil {
			gammaI = n.gammaI[b*n.size()+y*row:][:row]
		}
		if n.a != nil {
			part.a, gammaA = now.a[y*row:][:row], n.gammaA[b*n.size()+y*row:][:row]
		}
		n.backParts(gamma, n.err[first+y*n.gammaRow():][:row], gammaI, gammaA, spatial[y*row:][:row], part, t.now.last)
	}
}

// backParts is Eqs. 4 to 6 for neurons of any parts: errors of potentials, of the
// synaptic sums, of currents and adaptations, in place of those of the step after.
func (n *neurons) backParts(gamma, err, gammaI, gammaA, spatial []float32, now states, last bool) {
	kind, lif, p := &n.kind, &n.lif, &n.part
	for i, d := range spatial {
		u, threshold := now.u[i], n.threshold(&now, i)
		var kept, laterA, laterI float32
		if !last {
			later := gamma[i]
			kept = float32(lif.leak * later)
			if !kind.ConstantReset {
				if kind.HardReset {
					d += float32(float32(lif.leak*(p.resetTo-u)) * later)
				} else {
					d -= float32(lif.reset * later)
				}
			}
			if kind.HardReset && u >= threshold {
				kept = 0
			}
			if kind.Adaptation {
				laterA = gammaA[i]
				if !kind.ConstantReset {
					d += laterA
				}
			}
			if kind.Synapse {
				laterI = gammaI[i]
			}
		}
		passed, g := float32(0), kept
		if slope, open := n.slope(u - threshold); open {
			passed = float32(d * slope)
			g = passed + kept
		}
		gamma[i] = g
		if kind.Adaptation {
			gammaA[i] = float32(p.decay*laterA) - float32(p.strength*passed)
		}
		if p.gain != 1 {
			g = float32(p.gain * g)
		}
		if kind.Synapse {
			g += float32(p.synapseLeak * laterI)
			gammaI[i] = g
			g = float32(p.synapseGain * g)
		}
		err[i] = g
	}
}
