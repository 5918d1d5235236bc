package op

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
)

// adaptationPart is ALIF's threshold: A = decay A' + s', threshold + strength A.
var adaptationPart = neuronPart{
	has:      func(n network.Neuron) bool { return n.Adaptation },
	fire:     work{pe.Recipe{pe.Multiply: 2, pe.Add: 2}, Operands{perKind{states: 1}, perKind{states: 1}}},
	temporal: work{pe.Recipe{pe.Add: 1}, Operands{Reads: perKind{gradients: 1}}},
	spatial: work{ // the threshold again, and the adaptation's error
		pe.Recipe{pe.Multiply: 3, pe.Add: 2}, Operands{perKind{states: 1, gradients: 1}, perKind{gradients: 1}},
	},
}
