package op

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// normForward is batch norm on the sums of a whole batch: sums for mean and
// variance, normalisation, gain and bias.
var normForward = Row{
	Nest:   OverNeurons,
	Stages: []schedule.Op{schedule.NormMean, schedule.NormVariance, schedule.Normalize},
	Passes: neurons(schedule.BeyondNorm, pe.Recipe{pe.Add: 3, pe.Multiply: 2, pe.MAC: 1}, normOperands),
	Float:  computes((*Chip).normForward),
}

// normForward is all three passes over sums in the registers, of all that
// some channels have.
func (d *Chip) normForward(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	if !box.Starts() || !box.Ends() {
		return fmt.Errorf("batch norm of %v: a channel's statistics need all of the batch", box)
	}
	saved, err := d.product(s, role.Tensor{Class: role.NormSaved, Index: k.Index, Step: s.Time}, box)
	if err != nil {
		return err
	}
	if err := need("synaptic sums", d.sums, box.Size()); err != nil {
		return err
	}
	words, m := make([]uint32, pe.NormWords*box.Extent(3)), box.Total()/int(box.Of[3])
	pe.NormMean(words, d.sums, m, true, true)
	pe.NormVariance(words, d.sums, m, true, true)
	return d.normalizeSums(s, k.Index, box, words, m, saved)
}
