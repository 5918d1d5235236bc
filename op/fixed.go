package op

import (
	"fmt"
	"math"
	"strings"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/pe/fixed"
)

// fixedUnits executes kernels in fixed point, with the arithmetic of the RTL in
// hdl/. A value is held in a float32 word that is exactly a fixed-point number:
// formats have at most 24 bits. Exact sums stay in registers.
type fixedUnits struct {
	*fixed.Datapath
	step          int64   // whose registers these are
	sums, spatial []int64 // exact: of spikes and weights, of errors and weights
	complete      bool    // spatial is the error of the step's own neurons
}

// begin empties the registers when a step begins.
func (f *fixedUnits) begin(step int64) {
	if f.step != step {
		f.step, f.sums, f.spatial, f.complete = step, f.sums[:0], f.spatial[:0], false
	}
}

// CheckFixed refuses what the fixed-point Chip has no units for.
func CheckFixed(w *network.Workload) error {
	byRule := *w // any rule will do
	byRule.Training.Rule = network.Rule{}
	switch beyond := byRule.Beyond(); {
	case len(beyond) > 0:
		return fmt.Errorf("the fixed-point Chip has units for the paper's neuron and what Table 2's notation can write; %s has %s", w.Name, strings.Join(beyond, "; "))
	case w.Training.Optimizer != network.SGD:
		return fmt.Errorf("the fixed-point Chip updates weights by SGD; %s is trained by %s", w.Name, w.Training.Optimizer)
	case w.Training.Loss != network.MSE:
		return fmt.Errorf("the fixed-point Chip has the MSE loss; %s has %s", w.Name, w.Training.Loss)
	}
	for i := range w.Net.Layers {
		if l := &w.Net.Layers[i]; l.BatchNorm || l.Adds() {
			return fmt.Errorf("the fixed-point Chip has no batch norm and no residual blocks; layer %d of %s has", l.Index, w.Name)
		}
	}
	return nil
}

func integer(f fixed.Format, v float32) int64 { return int64(math.Ldexp(float64(v), f.Fraction)) }

func integers(f fixed.Format, values []float32) []int64 {
	list := make([]int64, len(values))
	for i, v := range values {
		list[i] = integer(f, v)
	}
	return list
}

// word returns the float32 that holds a fixed-point number.
func word(f fixed.Format, x int64) float32 { return float32(f.Value(x)) }

// quantize rounds what is in DRAM before the iteration to a format.
func quantize(f fixed.Format, values []float32) {
	for i, v := range values {
		values[i] = word(f, f.Encode(float64(v)))
	}
}

// taps calls visit for every output position and tap of its kernel that is not
// padding, in ascending order: with the indices of both maps' first channels and
// of the tap's first weight.
func taps(c pe.Connection, visit func(in, out, weight int)) {
	for oy := range c.Out.Height {
		for ox := range c.Out.Width {
			for ky := range c.Height {
				for kx := range c.Width {
					y, x := oy*c.Stride.Height+ky-c.Top, ox*c.Stride.Width+kx-c.Left
					if y < 0 || x < 0 || y >= c.In.Height || x >= c.In.Width {
						continue
					}
					visit((y*c.In.Width+x)*c.In.Channels, (oy*c.Out.Width+ox)*c.Out.Channels, (ky*c.Width+kx)*c.In.Channels*c.Out.Channels)
				}
			}
		}
	}
}

// inputIntegers returns an input map as integers, and their fraction bits: 0 for
// spikes, the potentials' for a directly encoded input.
func (f *fixedUnits) inputIntegers(values []float32, real bool) ([]int64, int) {
	if real {
		return integers(f.Potential, values), f.Potential.Fraction
	}
	return integers(fixed.Format{}, values), 0
}
