package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// joinBackward adds the error of a residual sum to that of its other operand.
var joinBackward = Row{
	Nest:   OverNeurons,
	Passes: neurons(schedule.BeyondResidual, pe.Recipe{pe.Add: 1}, Operands{perKind{gradients: 2}, perKind{gradients: 1}}),
	Float:  computes((*Chip).joinBackward),
}

// joinBackward adds the error that comes over an identity shortcut.
func (d *Chip) joinBackward(s *schedule.Step, k schedule.Kernel) error {
	return d.addOutputError(s, k.Reader, d.pooled(d.workload.Net.Layer(k.Index), d.neurons(s, k)))
}

// addOutputError adds the error of a residual sum to the error in the
// registers.
func (d *Chip) addOutputError(s *schedule.Step, join int, box role.Region) error {
	v, err := d.operand(s, role.Tensor{Class: role.OutputError, Index: join, Step: s.Time}, box)
	if err != nil {
		return err
	}
	return d.addErrors(v.Floats)
}

// addErrors adds to the error in the registers, or is the first that comes.
func (d *Chip) addErrors(errors []float32) error {
	if len(d.spatial) == 0 {
		d.spatial = append(d.spatial, errors...)
		return nil
	}
	if err := need("errors", d.spatial, len(errors)); err != nil {
		return err
	}
	pe.AddTo(d.spatial, errors)
	return nil
}
