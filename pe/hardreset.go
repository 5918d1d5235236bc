package pe

import "github.com/accelsim-dev/accelsim/network"

// hardReset sets the potential of a neuron that spiked, instead of reducing it.
type hardReset struct{ to float32 }

func newHardReset(n network.Neuron) *hardReset {
	if !n.HardReset {
		return nil
	}
	return &hardReset{float32(n.ResetTo)}
}

// slope is the derivative of the next potential by the spike: leak (to - u).
func (h *hardReset) slope(leak, u float32) float32 { return leak * (h.to - u) }
