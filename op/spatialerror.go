package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
)

// surrogateRecipe: |u - u_th| < a/2, times 1/a (Eqs. 5 and 6).
var surrogateRecipe = pe.Recipe{pe.Add: 1, pe.Compare: 1, pe.Multiply: 1}

// spatialError is delta times the surrogate: Eq. 5 with Eq. 6.
var spatialError = Row{
	Nest:   OverNeurons,
	Passes: neurons(schedule.BeyondSurrogate, surrogateRecipe, Operands{perKind{gradients: 1, states: 1}, perKind{gradients: 1}}), // delta and u
	Float:  computes((*Chip).spatialError), Fixed: computes((*Chip).fixedSpatialError),
}

func (d *Chip) spatialError(s *schedule.Step, k schedule.Kernel) error {
	if err := d.completeDelta(s, k); err != nil {
		return err
	}
	gamma, err := d.gamma(s, k)
	if err != nil {
		return err
	}
	u, err := d.state(s, k)
	if err == nil {
		d.neuron.Surrogate(gamma, d.spatial, u)
	}
	return err
}

func (d *Chip) fixedSpatialError(s *schedule.Step, k schedule.Kernel) error {
	gamma, err := d.fixedErrors(s, k)
	if err != nil {
		return err
	}
	u, err := d.state(s, k)
	if err == nil {
		d.fixed.spatialPass(gamma, u)
	}
	return err
}
