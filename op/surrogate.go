package op

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
)

// surrogateRecipes are what the derivatives of x = u - threshold take, x and the
// multiplication by delta among it. Exponentials and reciprocals are quadratic
// tables, two MACs each, as in the loss.
var surrogateRecipes = map[string]pe.Recipe{
	network.Rectangle:   {pe.Add: 1, pe.Compare: 1, pe.Multiply: 1}, // |x| < a/2, times 1/a (Eqs. 5 and 6)
	network.Triangle:    {pe.Add: 2, pe.Compare: 1, pe.Multiply: 3},
	network.Sigmoid:     {pe.Add: 3, pe.Multiply: 4, pe.MAC: 4},
	network.Atan:        {pe.Add: 2, pe.Multiply: 4, pe.MAC: 2},
	network.FastSigmoid: {pe.Add: 2, pe.Multiply: 4, pe.MAC: 2},
}
