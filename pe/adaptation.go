package pe

import "github.com/accelsim-dev/accelsim/network"

// adaptation raises the threshold of ALIF neurons with each spike: A = decay A' +
// s', and the threshold is the neuron's plus strength A.
type adaptation struct{ decay, strength float32 }

func newAdaptation(n network.Neuron) *adaptation {
	if !n.Adaptation {
		return nil
	}
	return &adaptation{float32(n.Decay), float32(n.Strength)}
}

func (a *adaptation) threshold(base, state float32) float32 {
	return base + float32(a.strength*state)
}

// advance takes an adaptation one step on and returns the threshold.
func (a *adaptation) advance(base float32, state *float32, spiked bool) float32 {
	v := float32(a.decay * *state)
	if spiked {
		v++
	}
	*state = v
	return a.threshold(base, v)
}

// back takes its error one step back; passed is the error that went through the
// surrogate.
func (a *adaptation) back(err *float32, passed float32) {
	*err = float32(a.decay**err) - float32(a.strength*passed)
}
