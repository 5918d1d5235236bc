package op

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
)

// rmsprop is RMSprop (Tieleman and Hinton 2012): Adam without its first moment and
// without corrections.
var rmsprop = optimizer{
	recipe: func(network.Training) pe.Recipe { return pe.Recipe{pe.Add: 1, pe.Multiply: 4, pe.MAC: 6} },
	step:   func(w, dw, kept []float32, t network.Training, _ int) { pe.RMSprop(w, dw, kept, t) },
}
