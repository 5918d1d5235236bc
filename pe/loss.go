package pe

import "math"

// MSE is Eq. 3 over a batch: from the spike counts of an interval of k steps
// [sample][class] and the labels it returns the loss, averaged over the batch,
// and stores its gradient by each step's spikes. It is evaluated in float64.
func MSE(delta []float32, counts, labels []uint32, k int) float64 {
	classes := len(counts) / len(labels)
	scale := 2 / (float64(classes) * float64(k) * float64(len(labels)))
	total := 0.0
	for i, count := range counts {
		d := float64(count)/float64(k) - target(i, classes, labels)
		total += float64(d * d)
		delta[i] = float32(scale * d)
	}
	return total / float64(classes) / float64(len(labels))
}

// CrossEntropy is the same for cross entropy with the firing rates as logits.
func CrossEntropy(delta []float32, counts, labels []uint32, k int) float64 {
	classes := len(counts) / len(labels)
	exponentials := make([]float64, classes)
	total := 0.0
	for b, label := range labels {
		sample := counts[b*classes : (b+1)*classes]
		greatest := uint32(0)
		for _, count := range sample {
			greatest = max(greatest, count)
		}
		top := float64(greatest) / float64(k)
		sum := 0.0
		for i, count := range sample {
			exponentials[i] = math.Exp(float64(count)/float64(k) - top)
			sum += exponentials[i]
		}
		for i := range sample {
			at := b*classes + i
			delta[at] = float32((exponentials[i]/sum - target(at, classes, labels)) / (float64(k) * float64(len(labels))))
		}
		total += math.Log(sum) - (float64(sample[label])/float64(k) - top)
	}
	return total / float64(len(labels))
}

// target is y of Eq. 3: 1 for a sample's class, 0 for others.
func target(i, classes int, labels []uint32) float64 {
	if uint32(i%classes) == labels[i/classes] {
		return 1
	}
	return 0
}
