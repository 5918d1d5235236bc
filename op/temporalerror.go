package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
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
		w := workOf(c.Neuron).temporal
		return append(to, Pass{
			Elements: c.Neurons, Operands: w.operands,
			Adds: temporalAdds(*c.Neuron), Recipe: w.recipe, Why: schedule.BeyondSurrogate,
		})
	},
	Float: computes((*Chip).temporalError), Fixed: computes((*Chip).fixedTemporalError),
}

func (d *Chip) temporalError(s *schedule.Step, k schedule.Kernel) error {
	if err := d.completeDelta(s, k); err != nil {
		return err
	}
	c, box := d.cellOf(k), d.neurons(s, k)
	gamma, err := d.errors(s, c, box)
	if err != nil {
		return err
	}
	x, err := d.statesForReset(s, c, box)
	if err != nil {
		return err
	}
	maps, err := d.parameterMaps(s, c, box)
	if err == nil {
		c.temporal(maps, box, d.spatial, gamma, x)
	}
	return err
}

// statesForReset are the states at which a reset was hard; a soft one takes none.
func (d *Chip) statesForReset(s *schedule.Step, c cell, box role.Region) (pe.States, error) {
	if !c.is.HardReset {
		return pe.States{}, nil
	}
	return d.current(s, c, box)
}

func (d *Chip) fixedTemporalError(s *schedule.Step, k schedule.Kernel) error {
	gamma, err := d.fixedErrors(s, k)
	if err == nil {
		d.fixed.temporal(gamma)
	}
	return err
}
