package op

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
)

// sgd is stochastic gradient descent: v = m v + dw, w = w - lr v; without
// momentum w = w - lr dw.
var sgd = optimizer{
	recipe: func(t network.Training) pe.Recipe {
		if t.Momentum > 0 {
			return pe.Recipe{pe.MAC: 2}
		}
		return pe.Recipe{pe.MAC: 1}
	},
	step: func(w, dw, kept []float32, t network.Training, _ int) { pe.SGD(w, dw, kept, t) },
}
