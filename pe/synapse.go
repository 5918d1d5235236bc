package pe

import "github.com/accelsim-dev/accelsim/network"

// synapse is the current of CubaLIF neurons: i = leak i' + gain I.
type synapse struct{ leak, gain float32 }

func newSynapse(n network.Neuron) *synapse {
	if !n.Synapse {
		return nil
	}
	return &synapse{float32(n.SynapseLeak), float32(n.SynapseGain)}
}

// filter takes currents one step on, in place, and returns them.
func (s *synapse) filter(currents, sums []float32) []float32 {
	for i, before := range currents {
		currents[i] = float32(s.leak*before) + float32(s.gain*sums[i])
	}
	return currents
}

// back takes the errors of currents one step back, in place: gain of the neuron
// times gamma, and what comes from step t+1. The errors of the sums are theirs.
func (s *synapse) back(currents, gamma []float32, gain float32, synaptic []float32) {
	for i, later := range currents {
		g := gamma[i]
		if gain != 1 {
			g = float32(gain * g)
		}
		currents[i] = g + float32(s.leak*later)
		synaptic[i] = s.gain * currents[i]
	}
}
