package op

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
)

// silentPart is a neuron that neither fires nor resets.
var silentPart = neuronPart{
	has:  func(n network.Neuron) bool { return n.Silent },
	fire: work{recipe: pe.Recipe{pe.Add: -1, pe.Compare: -1}},
}
