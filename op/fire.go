package op

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// fireRecipe: tau u, + I, - theta s, u >= u_th (Eqs. 1 and 2).
var fireRecipe = pe.Recipe{pe.Add: 2, pe.Multiply: 1, pe.Compare: 1}

// fireOperands: I and u; u and s.
var fireOperands = Operands{perKind{states: 2}, perKind{states: 1, spikes: 1}}

// fire is leak, reset and threshold: Eqs. 1 and 2.
var fire = Row{
	Nest: OverNeurons,
	Passes: func(c *Case, to []Pass) []Pass {
		w := workOf(c.Neuron).fire
		return append(to, Pass{Elements: c.Neurons, Operands: w.operands, Recipe: w.recipe, Why: schedule.BeyondNeuron})
	},
	Float: computes((*Chip).fire), Fixed: computes((*Chip).fire),
}

// fire takes a layer's or a classifier's potentials one step on.
func (d *Chip) fire(s *schedule.Step, k schedule.Kernel) error {
	c, box := d.cellOf(k), d.neurons(s, k)
	x, err := d.advance(s, c, box)
	if err != nil {
		return err
	}
	d.fired, d.firedBox = true, box
	maps, err := d.parameterMaps(s, c, box)
	if err != nil {
		return err
	}
	fired, err := d.fireNeurons(c, maps, x, box, Observation{Time: s.Time, Layer: s.Layer, Block: s.Block})
	if err != nil {
		return err
	}
	if k.Classifier {
		d.record.spikesClassifier[k.Index-1] += fired
	} else {
		d.record.spikes[k.Index-1] += fired
		if s.Time == d.workload.Timesteps {
			d.record.late.spikes[k.Index-1] += fired
		}
	}
	return d.packOwn(s, k, box)
}

// packOwn packs a layer's spikes before addition and pooling, where something needs
// them.
func (d *Chip) packOwn(s *schedule.Step, k schedule.Kernel, box role.Region) error {
	if k.Classifier || !d.program.MakesOwnSpikes(k.Index) {
		return nil
	}
	to, err := d.product(s, role.OwnSpikes.At(k.Index, s.Time), box)
	if err != nil {
		return err
	}
	pe.Pack(to.Bits, d.spikes, 1)
	return nil
}

// fireNeurons fires neurons on the sums in the registers.
func (d *Chip) fireNeurons(c cell, maps []float32, x pe.States, box role.Region, seen Observation) (fired int64, err error) {
	u := x.Potentials
	d.spikes = room(d.spikes, len(u))
	if d.fixed != nil {
		fired, err = d.fixed.fire(u, d.spikes)
	} else if err = need("sums", d.sums, len(u)); err == nil {
		fired = c.fire(maps, box, x, d.sums, d.spikes)
	}
	if err != nil {
		return 0, err
	}
	d.show(seen, box, u, d.spikes)
	return fired, nil
}

// fire fires neurons on the sums in the registers.
func (f *fixedUnits) fire(u, spikes []float32) (fired int64, err error) {
	if len(f.sums) != len(u) {
		return 0, fmt.Errorf("the PEs hold %d sums; %d are needed", len(f.sums), len(u))
	}
	for i, before := range u {
		after, spike := f.LIF(integer(f.Potential, before), f.sums[i])
		u[i], spikes[i] = word(f.Potential, after), 0
		if spike {
			spikes[i] = 1
			fired++
		}
	}
	return fired, nil
}
