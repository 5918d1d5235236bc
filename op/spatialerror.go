package op

import "github.com/accelsim-dev/accelsim/schedule"

// spatialError is delta times the surrogate: Eq. 5 with Eq. 6.
var spatialError = Row{
	Nest: OverNeurons,
	Passes: func(c *Case, to []Pass) []Pass {
		w := workOf(c.Neuron).spatial
		return append(to, Pass{Elements: c.Neurons, Operands: w.operands, Recipe: w.recipe, Why: schedule.BeyondSurrogate})
	},
	Float: computes((*Chip).spatialError), Fixed: computes((*Chip).fixedSpatialError),
}

func (d *Chip) spatialError(s *schedule.Step, k schedule.Kernel) error {
	if err := d.completeDelta(s, k); err != nil {
		return err
	}
	c, box := d.cellOf(k), d.neurons(s, k)
	gamma, err := d.errors(s, c, box)
	if err != nil {
		return err
	}
	x, err := d.current(s, c, box)
	if err != nil {
		return err
	}
	synaptic, err := d.synaptic(s, k, c, box)
	if err != nil {
		return err
	}
	maps, err := d.parameterMaps(s, c, box)
	if err == nil {
		c.surrogate(maps, box, gamma, d.spatial, x, synaptic)
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
