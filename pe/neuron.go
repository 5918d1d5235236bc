package pe

import (
	"math"

	"github.com/accelsim-dev/accelsim/network"
)

// Neuron holds the parameters of neurons, each rounded to fp32 once. What it has
// beyond Eqs. 1, 2, 4 and 5 is said at [network.Neuron].
type Neuron struct {
	leak, reset, threshold float32 // tau, theta, u_th
	surrogate              surrogate
	gain, offset           float32
	synapse                *synapse
	adaptation             *adaptation
	hard                   *hardReset
	constantReset          bool
	silent                 bool
}

// NewNeuron rounds a workload's parameters.
func NewNeuron(n network.Neuron) Neuron {
	if n.Silent {
		return Neuron{leak: float32(n.Leak), threshold: float32(math.Inf(1)), gain: 1, constantReset: true, silent: true}
	}
	return Neuron{
		leak: float32(n.Leak), reset: float32(n.Reset), threshold: float32(n.Threshold),
		surrogate: newSurrogate(n), gain: float32(n.Gain()), offset: float32(n.Offset),
		synapse: newSynapse(n), adaptation: newAdaptation(n), hard: newHardReset(n), constantReset: n.ConstantReset,
	}
}

// PassesOn tells whether the errors of synaptic sums are those of the potentials.
func (n *Neuron) PassesOn() bool { return n.synapse == nil && n.gain == 1 }

// States are those of neurons: potentials u, and, where they have them, synaptic
// currents i and adaptations A.
type States struct{ Potentials, Currents, Adaptations []float32 }

// StateErrors are the errors of [States].
type StateErrors struct{ Potentials, Currents, Adaptations []float32 }

// Fire takes states one step on, in place, and stores the spikes (Eqs. 1 and 2).
// It returns how many there are.
func (n *Neuron) Fire(x States, sums, spikes []float32) (fired int64) {
	if n.synapse != nil {
		sums = n.synapse.filter(x.Currents, sums)
	}
	u := x.Potentials
	for i, before := range u {
		threshold := n.threshold
		if n.adaptation != nil {
			threshold = n.adaptation.threshold(n.threshold, x.Adaptations[i])
		}
		spiked := before >= threshold
		if n.adaptation != nil {
			threshold = n.adaptation.advance(n.threshold, &x.Adaptations[i], spiked)
		}
		v := n.step(before, sums[i], spiked)
		u[i], spikes[i] = v, 0
		if v >= threshold {
			spikes[i] = 1
			fired++
		}
	}
	return fired
}

// step is Eq. 1: the potential of a neuron that spiked at the step before, or not.
func (n *Neuron) step(u, current float32, spiked bool) float32 {
	if n.hard != nil && spiked {
		u = n.hard.to
	}
	if n.gain != 1 {
		current = float32(n.gain * current)
	}
	v := float32(n.leak*u) + current
	if n.offset != 0 {
		v += n.offset
	}
	if spiked && n.hard == nil {
		v -= n.reset
	}
	return v
}

// Temporal takes the terms that come from step t+1 (Eqs. 4 and 5): the error delta
// is reduced by theta gamma', and gamma' becomes tau gamma'. States are those of
// step t.
func (n *Neuron) Temporal(delta []float32, later StateErrors, x States) {
	for i, gamma := range later.Potentials {
		kept := float32(n.leak * gamma)
		switch {
		case n.hard != nil:
			spiked := x.Potentials[i] >= n.thresholdAt(x, i)
			if !n.constantReset {
				delta[i] += float32(n.hard.slope(n.leak, x.Potentials[i]) * gamma)
			}
			if spiked {
				kept = 0
			}
		case !n.constantReset:
			delta[i] -= float32(n.reset * gamma)
		}
		if n.adaptation != nil && !n.constantReset {
			delta[i] += later.Adaptations[i]
		}
		later.Potentials[i] = kept
	}
}

// thresholdAt is the threshold that a neuron's potential was held to.
func (n *Neuron) thresholdAt(x States, i int) float32 {
	if n.adaptation == nil {
		return n.threshold
	}
	return n.adaptation.threshold(n.threshold, x.Adaptations[i])
}

// Surrogate adds delta times the surrogate derivative of the threshold to gamma,
// which holds the term of step t+1 or zero (Eqs. 5 and 6), and takes the errors of
// the other states one step back. Of a neuron that does not pass gamma on,
// synaptic gets the errors of the synaptic sums.
func (n *Neuron) Surrogate(errors StateErrors, delta []float32, x States, synaptic []float32) {
	gamma := errors.Potentials
	for i, v := range x.Potentials {
		slope, open := float32(1), true
		if !n.silent {
			slope, open = n.surrogate.at(v - n.thresholdAt(x, i))
		}
		var passed float32
		if open {
			passed = float32(delta[i] * slope)
			gamma[i] = passed + gamma[i]
		}
		if n.adaptation != nil {
			n.adaptation.back(&errors.Adaptations[i], passed)
		}
	}
	switch {
	case n.synapse != nil:
		n.synapse.back(errors.Currents, gamma, n.gain, synaptic)
	case n.gain != 1:
		for i, g := range gamma {
			synaptic[i] = n.gain * g
		}
	}
}

// AddTo adds one vector to another: spikes of a residual block, or errors.
func AddTo(sums, terms []float32) { addTo(sums, terms) }
