package op

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
)

// inputGainPart multiplies the current.
var inputGainPart = neuronPart{
	has:     func(n network.Neuron) bool { return n.Gain() != 1 || n.Arrays.Has(network.InputGainParameter) },
	fire:    work{recipe: pe.Recipe{pe.Multiply: 1}},
	spatial: work{recipe: pe.Recipe{pe.Multiply: 1}, operands: Operands{Writes: perKind{gradients: 1}}},
}

// offsetPart adds a constant to the potential.
var offsetPart = neuronPart{
	has:  func(n network.Neuron) bool { return n.Offset != 0 || n.Arrays.Has(network.OffsetParameter) },
	fire: work{recipe: pe.Recipe{pe.Add: 1}},
}
