package op

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
)

// normBackward takes errors back through batch norm: sums for gain and bias, and
// the error of Eq. 1's sum.
var normBackward = Row{
	Nest:   OverNeurons,
	Stages: []schedule.Op{schedule.NormGradients, schedule.NormErrors},
	Passes: neurons(schedule.BeyondNorm, pe.Recipe{pe.Add: 3, pe.Multiply: 2, pe.MAC: 1}, normBackwardOperands),
	Float:  computes((*Chip).normBackward),
}

// normBackward is both passes over all errors that some channels have.
func (d *Chip) normBackward(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	if !box.Starts() || !box.Ends() {
		return fmt.Errorf("batch norm of %v: a channel's gradients need all of the batch", box)
	}
	gamma, saved, err := d.normErrorOperands(s, k.Index, box)
	if err != nil {
		return err
	}
	words := make([]uint32, pe.NormWords*box.Extent(3))
	if err := d.addNormGradients(s, k.Index, box, words, gamma, saved); err != nil {
		return err
	}
	return d.makeSynapticErrors(s, k.Index, box, words, box.Total()/int(box.Of[3]), gamma, saved)
}
