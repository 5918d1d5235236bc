package plain

import "github.com/accelsim-dev/accelsim/network"

// windows visits each window of a pooling and the neurons under it, in order.
func windows(in, out network.Shape, p network.Pool, visit func(window, neuron int)) {
	window := 0
	for oy := range out.Height {
		for ox := range out.Width {
			for c := range out.Channels {
				for dy := range p.Window.Height {
					for dx := range p.Window.Width {
						y, x := oy*p.Stride.Height+dy-p.Pad.Height, ox*p.Stride.Width+dx-p.Pad.Width
						if y >= 0 && x >= 0 && y < in.Height && x < in.Width {
							visit(window, (y*in.Width+x)*in.Channels+c)
						}
					}
				}
				window++
			}
		}
	}
}

// pool joins the counts of windows; choice is the first neuron with the largest.
func (l *layer) pool(counts []float32) (sums []float32, choice []int) {
	sums, choice = make([]float32, l.Pooled.Size()), make([]int, l.Pooled.Size())
	for i := range choice {
		choice[i] = -1
	}
	windows(l.Out, l.Pooled, l.Pool, func(window, neuron int) {
		if l.Pool.Kind != network.MaxPool {
			sums[window] += counts[neuron]
		} else if choice[window] < 0 || counts[neuron] > sums[window] {
			sums[window], choice[window] = counts[neuron], neuron
		}
	})
	return sums, choice
}

// unpool takes an error of windows to the neurons under them.
func (l *layer) unpool(errors []float32, choice []int) []float32 {
	back := make([]float32, l.Out.Size())
	area := float32(l.Pool.Window.Area())
	windows(l.Out, l.Pooled, l.Pool, func(window, neuron int) {
		switch l.Pool.Kind {
		case network.MaxPool:
			if choice[window] == neuron {
				back[neuron] += errors[window]
			}
		case network.SumPool:
			back[neuron] += errors[window]
		case network.FirePool, network.AveragePool, network.NoPool:
			back[neuron] += errors[window] / area
		}
	})
	return back
}
