package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
)

// temporalRecipe: theta gamma and tau gamma (Eqs. 4 and 5); their two additions
// are Eq. 16's.
var temporalRecipe = pe.Recipe{pe.Multiply: 2}

// temporalAdditions is Eq. 16's 2|U|.
const temporalAdditions = 2

// temporalError is the second terms of Eqs. 4 and 5.
var temporalError = Row{
	Nest: OverNeurons,
	Passes: func(c *Case, to []Pass) []Pass {
		return append(to, Pass{
			Elements: c.Neurons, Operands: Operands{perKind{gradients: 2}, perKind{gradients: 1}},
			Adds: temporalAdditions, Recipe: temporalRecipe, Why: schedule.BeyondSurrogate,
		})
	},
	Float: computes((*Chip).temporalError), Fixed: computes((*Chip).fixedTemporalError),
}

func (d *Chip) temporalError(s *schedule.Step, k schedule.Kernel) error {
	if err := d.completeDelta(s, k); err != nil {
		return err
	}
	gamma, err := d.gamma(s, k)
	if err == nil {
		d.neuron.Temporal(d.spatial, gamma)
	}
	return err
}

func (d *Chip) fixedTemporalError(s *schedule.Step, k schedule.Kernel) error {
	gamma, err := d.fixedErrors(s, k)
	if err == nil {
		d.fixed.temporal(gamma)
	}
	return err
}
