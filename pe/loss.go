package pe

import "github.com/accelsim-dev/accelsim/elementary"

// Loss is what a loss averages over: a batch, an interval of k steps and, for MSE,
// classes. Samples come one after the other, in as many tiles as it takes.
type Loss struct{ Classes, K, Batch int }

// MSE is Eq. 3 for some samples: from the spike counts [sample][class] and the
// labels it returns what they add to the loss so far, and stores its gradient by
// each step's spikes. It is evaluated in float64.
func (l Loss) MSE(total float64, delta []float32, counts, labels []uint32) float64 {
	scale := 2 / (float64(l.Classes) * float64(l.K) * float64(l.Batch))
	for i, count := range counts {
		d := float64(count)/float64(l.K) - target(i, l.Classes, labels)
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

// CrossEntropy is the same for cross entropy with the firing rates as logits.
func (l Loss) CrossEntropy(total float64, delta []float32, counts, labels []uint32) float64 {
	exponentials := make([]float64, l.Classes)
	for b, label := range labels {
		sample := counts[b*l.Classes : (b+1)*l.Classes]
		greatest := uint32(0)
		for _, count := range sample {
			greatest = max(greatest, count)
		}
		top := float64(greatest) / float64(l.K)
		sum := 0.0
		for i, count := range sample {
			exponentials[i] = elementary.Exp(float64(count)/float64(l.K) - top)
			sum += exponentials[i]
		}
		for i := range sample {
			at := b*l.Classes + i
			delta[at] = float32((exponentials[i]/sum - target(at, l.Classes, labels)) / (float64(l.K) * float64(l.Batch)))
		}
		total += elementary.Log(sum) - (float64(sample[label])/float64(l.K) - top)
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
