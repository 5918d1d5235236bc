package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
)

// join is a spike-element-wise addition (SEW, ADD).
var join = Row{
	Nest:   OverNeurons,
	Passes: neurons(schedule.BeyondResidual, pe.Recipe{pe.Add: 1}, Operands{perKind{spikes: 2}, perKind{spikes: 1}}),
	Float:  computes((*Chip).join),
}

// join adds the other operand of a residual block to the layer's spikes.
func (d *Chip) join(s *schedule.Step, k schedule.Kernel) error {
	j := d.workload.Net.Layer(k.Index).Join
	other := schedule.Tensor{Class: schedule.OwnSpikes, Index: j.Conv, Step: s.Time}
	if j.Identity {
		other = d.output(s, j.Skip)
	}
	values, _, err := d.take(s, other, d.neurons(s, k))
	if err != nil {
		return err
	}
	if err := need("spikes", d.spikes, len(values)); err != nil {
		return err
	}
	pe.AddTo(d.spikes, values)
	return nil
}
