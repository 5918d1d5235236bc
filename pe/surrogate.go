package pe

import (
	"math"

	"github.com/accelsim-dev/accelsim/internal/elementary"
	"github.com/accelsim-dev/accelsim/network"
)

// surrogate is the derivative that stands for the threshold's.
type surrogate struct {
	halfWidth, inverse float32                        // a/2, 1/a: of the rectangle
	smooth             func(x, width float64) float64 // of the others; nil
	width              float64
}

// surrogates are the derivatives of x = u - threshold beside the paper's
// rectangle, evaluated in float64 and rounded once.
var surrogates = map[string]func(x, a float64) float64{
	network.Triangle: func(x, a float64) float64 { return max(0, 1-math.Abs(x)/a) / a },
	network.Sigmoid: func(x, a float64) float64 {
		s := 1 / (1 + elementary.Exp(-x/a))
		return s * (1 - s) / a
	},
	network.Atan: func(x, a float64) float64 {
		y := math.Pi * x / a
		return 1 / a / (1 + float64(y*y))
	},
	network.FastSigmoid: func(x, a float64) float64 {
		y := 1 + math.Abs(x)/a
		return 1 / a / float64(y*y)
	},
}

func newSurrogate(n network.Neuron) surrogate {
	return surrogate{
		halfWidth: float32(n.SurrogateWidth / 2), inverse: float32(1 / n.SurrogateWidth),
		smooth: surrogates[n.Shape()], width: n.SurrogateWidth,
	}
}

// at returns the derivative, and whether there is any: outside the rectangle
// nothing is executed.
func (s *surrogate) at(x float32) (slope float32, open bool) {
	if s.smooth != nil {
		return float32(s.smooth(float64(x), s.width)), true
	}
	if x < 0 {
		x = -x
	}
	return s.inverse, x < s.halfWidth
}
