package pe

import (
	"slices"

	"github.com/accelsim-dev/accelsim/internal/elementary"
)

// Loss is what a loss averages over: a batch, an interval of k steps and, for MSE,
// classes. Samples come one after the other, in as many tiles as it takes.
type Loss struct{ Classes, K, Batch int }

// MSE is Eq. 3 for some samples: from the logits [sample][class], such as firing
// rates, and the labels it returns what they add to the loss so far, and stores its gradient by
// each step's spikes. It is evaluated in float64.
func (l Loss) MSE(total float64, delta []float32, logits []float64, labels []uint32) float64 {
	scale := 2 / (float64(l.Classes) * float64(l.K) * float64(l.Batch))
	for i, logit := range logits {
		d := logit - target(i, l.Classes, labels)
		total += float64(d * d)
		delta[i] = float32(scale * d)
	}
	return total
}

// MeanSquare returns the loss, averaged over classes and the batch, when all
// samples have been added.
func (l Loss) MeanSquare(total float64) float64 {
	return total / float64(l.Classes) / float64(l.Batch)
}

// CrossEntropy is the same for cross entropy.
func (l Loss) CrossEntropy(total float64, delta []float32, logits []float64, labels []uint32) float64 {
	exponentials := make([]float64, l.Classes)
	for b, label := range labels {
		sample := logits[b*l.Classes : (b+1)*l.Classes]
		top := slices.Max(sample)
		sum := 0.0
		for i, logit := range sample {
			exponentials[i] = elementary.Exp(logit - top)
			sum += exponentials[i]
		}
		for i := range sample {
			at := b*l.Classes + i
			delta[at] = float32((exponentials[i]/sum - target(at, l.Classes, labels)) / (float64(l.K) * float64(l.Batch)))
		}
		total += elementary.Log(sum) - (sample[label] - top)
	}
	return total
}

// MeanCrossEntropy returns the loss, averaged over the batch.
func (l Loss) MeanCrossEntropy(total float64) float64 { return total / float64(l.Batch) }

// target is y of Eq. 3: 1 for a sample's class, 0 for others.
func target(i, classes int, labels []uint32) float64 {
	if uint32(i%classes) == labels[i/classes] {
		return 1
	}
	return 0
}
