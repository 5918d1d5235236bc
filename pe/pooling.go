package pe

import "github.com/accelsim-dev/accelsim/network"

// Pooling is the geometry of pooling of one map, or of a tile of one. Values are
// counts, which are divided by Scale.
type Pooling struct {
	In, Out             network.Shape
	Window, Stride, Pad network.Pair
	Scale               int // of what is pooled
}

// ConnectPool returns the pooling after a layer whose values before it have the
// given scale.
func ConnectPool(l *network.Layer, scale int) Pooling {
	return Pooling{l.Out, l.Pooled, l.Pool.Window, l.Pool.Stride, l.Pool.Pad, scale}
}

// each calls visit for every window and neuron under it, in ascending order, with
// the indices of their first channels and the neuron's place in the window.
func (p Pooling) each(visit func(window, neuron, place int)) {
	n := p.In.Channels
	for oy := range p.Out.Height {
		for ox := range p.Out.Width {
			window := (oy*p.Out.Width + ox) * n
			for dy := range p.Window.Height {
				y := oy*p.Stride.Height + dy - p.Pad.Height
				for dx := range p.Window.Width {
					x := ox*p.Stride.Width + dx - p.Pad.Width
					if y >= 0 && x >= 0 && y < p.In.Height && x < p.In.Width {
						visit(window, (y*p.In.Width+x)*n, dy*p.Window.Width+dx)
					}
				}
			}
		}
	}
}

// Counts sums one sample's counts over the windows: exact.
func (p Pooling) Counts(to, counts []float32) {
	clear(to)
	n := p.In.Channels
	p.each(func(window, neuron, _ int) { addTo(to[window:window+n], counts[neuron:neuron+n]) })
}

// Sums averages one sample's values over the windows. The number of spikes is
// exact; the division rounds.
func (p Pooling) Sums(sums, counts []float32) {
	p.Counts(sums, counts)
	area := float32(p.Window.Area() * p.Scale)
	for i := range sums {
		sums[i] /= area
	}
}

// Largest finds one sample's largest counts of the windows, and the first place
// of a window that has it. Padding has none.
func (p Pooling) Largest(to, choice, counts []float32) {
	for i := range to {
		to[i] = -1
	}
	n := p.In.Channels
	p.each(func(window, neuron, place int) {
		for c, v := range counts[neuron : neuron+n] {
			if v > to[window+c] {
				to[window+c], choice[window+c] = v, float32(place)
			}
		}
	})
	for i, v := range to {
		if v < 0 { // all padding
			to[i], choice[i] = 0, 0
		}
	}
}

// Errors gives each neuron of one sample under a window its share of the
// window's error, as an average does; neurons that no window covers get none.
func (p Pooling) Errors(delta, gamma []float32) {
	p.share(delta, gamma, float32(p.Window.Area()))
}

// WholeErrors gives each neuron under a window the window's error, as a sum does.
func (p Pooling) WholeErrors(delta, gamma []float32) { p.share(delta, gamma, 1) }

func (p Pooling) share(delta, gamma []float32, parts float32) {
	clear(delta)
	n := p.In.Channels
	p.each(func(window, neuron, _ int) {
		to := delta[neuron : neuron+n]
		for c, g := range gamma[window : window+n] {
			to[c] += g / parts
		}
	})
}

// ChosenErrors gives the window's error to the neuron that was chosen.
func (p Pooling) ChosenErrors(delta, choice, gamma []float32) {
	clear(delta)
	n := p.In.Channels
	p.each(func(window, neuron, place int) {
		for c, g := range gamma[window : window+n] {
			if int(choice[window+c]) == place {
				delta[neuron+c] += g
			}
		}
	})
}
