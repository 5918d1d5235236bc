package op

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

var (
	// meanSquareRecipe: rate, difference, square, scaled error (Eq. 3).
	meanSquareRecipe = pe.Recipe{pe.Add: 1, pe.Multiply: 2, pe.MAC: 1}
	// softmaxRecipe: maximum, exponential (a quadratic table), sum, division, error.
	softmaxRecipe = pe.Recipe{pe.Add: 3, pe.Multiply: 3, pe.MAC: 2, pe.Compare: 1}
)

// loss makes delta_c of counts and labels: Eq. 3, or cross entropy.
var loss = Row{
	Nest: OverNeurons,
	Passes: func(c *Case, to []Pass) []Pass {
		r := meanSquareRecipe
		if c.Workload.Training.Loss == network.CrossEntropy {
			r = softmaxRecipe
		}
		return neurons(schedule.BeyondLoss, r, Operands{perKind{spikes: 2}, perKind{gradients: 1}})(c, to)
	},
	Float: computes((*Chip).loss), Fixed: computes((*Chip).fixedLoss),
}

// logits are the means over the interval of what a classifier has counted.
func (d *Chip) logits(s *schedule.Step, k schedule.Kernel) ([]float64, error) {
	steps := float64(d.program.K)
	if d.workload.Training.Readout != network.RateReadout {
		sums, err := d.logitSums(s, k)
		means := make([]float64, len(sums))
		for i, sum := range sums {
			means[i] = float64(sum) / steps
		}
		return means, err
	}
	counts, err := d.counts(s, k)
	rates := make([]float64, len(counts))
	for i, n := range counts {
		rates[i] = float64(n) / steps
	}
	return rates, err
}

// lossOperands are the labels that the loss is evaluated on, and the place of its
// error.
func (d *Chip) lossOperands(s *schedule.Step, k schedule.Kernel) (labels []uint32, delta []float32, err error) {
	box := d.neurons(s, k)
	if box.Extent(3) != d.workload.Net.Classes {
		return nil, nil, fmt.Errorf("loss of %v: it needs all classes of a sample", box)
	}
	samples := role.Whole(d.workload.Batch, 1, 1, 1)
	samples.From[0], samples.To[0] = box.From[0], box.To[0]
	y, err := d.operand(s, role.Tensor{Class: role.Label}, samples)
	if err != nil {
		return nil, nil, err
	}
	v, err := d.product(s, role.Tensor{Class: role.ClassifierDelta, Index: k.Index, Step: s.Time}, box)
	return y.Bits, v.Floats, err
}

func (d *Chip) loss(s *schedule.Step, k schedule.Kernel) error {
	labels, delta, err := d.lossOperands(s, k)
	if err != nil {
		return err
	}
	logits, err := d.logits(s, k)
	if err != nil {
		return err
	}
	l := pe.Loss{Classes: d.workload.Net.Classes, K: d.program.K, Batch: d.workload.Batch}
	add, mean := l.MSE, l.MeanSquare
	if d.workload.Training.Loss == network.CrossEntropy {
		add, mean = l.CrossEntropy, l.MeanCrossEntropy
	}
	total := &d.record.losses[k.Index-1]
	if box := d.neurons(s, k); box.Starts() {
		*total = 0
	}
	*total = add(*total, delta, logits, labels)
	if box := d.neurons(s, k); box.Ends() {
		d.record.loss(k.Index, s.Interval, mean(*total))
	}
	return nil
}

// fixedLoss records the loss, which nothing computes with, as float64, and makes
// delta_c in fixed point.
func (d *Chip) fixedLoss(s *schedule.Step, k schedule.Kernel) error {
	if err := d.loss(s, k); err != nil {
		return err
	}
	labels, delta, err := d.lossOperands(s, k)
	if err != nil {
		return err
	}
	counts, err := d.counts(s, k)
	if err != nil {
		return err
	}
	classes := d.workload.Net.Classes
	for i, count := range counts {
		x := d.fixed.OutputError(int64(count), labels[i/classes] == uint32(i%classes))
		delta[i] = word(d.fixed.Error, x)
	}
	return nil
}
