package op

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
)

// adam is Adam (Kingma and Ba 2015): two moments, their corrections, root and
// division (by Newton's method, two steps each), and the step.
var adam = optimizer{
	recipe: func(network.Training) pe.Recipe { return pe.Recipe{pe.Add: 1, pe.Multiply: 7, pe.MAC: 7} },
	step:   pe.AdamStep,
}
