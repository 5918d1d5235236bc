package op

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
)

// synapsePart is CubaLIF's synaptic current: i = leak i' + gain I, and its error.
var synapsePart = neuronPart{
	has:  func(n network.Neuron) bool { return n.Synapse },
	fire: work{pe.Recipe{pe.Multiply: 2, pe.Add: 1}, Operands{perKind{states: 1}, perKind{states: 1}}},
	spatial: work{ // of the current and of the sum
		pe.Recipe{pe.Multiply: 2, pe.Add: 1}, Operands{perKind{gradients: 1}, perKind{gradients: 2}},
	},
}
