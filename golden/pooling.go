package golden

import (
	"encoding/binary"
	"math"

	"github.com/accelsim-dev/accelsim/network"
)

// poolsPlainly tells whether the paper's pooling follows, whose windows cover the map
// side by side.
func (l *layer) poolsPlainly() bool {
	return l.Pool.Fires() && l.Pool.Stride == l.Pool.Window && l.Pool.Pad == network.Pair{}
}

// poolSpikes averages spikes over windows: their number is exact, so only the
// division rounds.
func poolSpikes(pooled []float32, spikes []byte, l *layer) {
	channels, width := l.own.channels, l.own.width
	area := float32(l.Pool.Window.Height * l.Pool.Window.Width)
	for py := range l.pool.height {
		for px := range l.pool.width {
			to := pooled[(py*l.pool.width+px)*channels:][:channels]
			if l.poolsMany() {
				sumWindow(to, spikes, l, py, px)
				continue
			}
			for c := 0; c < channels; c += lanes {
				// Eight bytes at a time, in two words of 16-bit counters.
				var even, odd uint64
				for y := py * l.Pool.Window.Height; y < (py+1)*l.Pool.Window.Height; y++ {
					at := (y*width+px*l.Pool.Window.Width)*channels + c
					for range l.Pool.Window.Width {
						word := binary.LittleEndian.Uint64(spikes[at:])
						even += word & everySecondByte
						odd += word >> 8 & everySecondByte
						at += channels
					}
				}
				for i := 0; i < lanes; i += 2 {
					to[c+i] = float32(uint16(even)) / area
					to[c+i+1] = float32(uint16(odd)) / area
					even >>= 16
					odd >>= 16
				}
			}
		}
	}
}

// poolsMany tells whether a window's sum may exceed 16 bits.
func (l *layer) poolsMany() bool {
	return l.Pool.Window.Height*l.Pool.Window.Width > math.MaxUint16/math.MaxUint8
}

// sumWindow is the average of one large window.
func sumWindow(to []float32, spikes []byte, l *layer, py, px int) {
	channels := l.own.channels
	for c := range to {
		n := 0
		for y := py * l.Pool.Window.Height; y < (py+1)*l.Pool.Window.Height; y++ {
			for x := px * l.Pool.Window.Width; x < (px+1)*l.Pool.Window.Width; x++ {
				n += int(spikes[(y*l.own.width+x)*channels+c])
			}
		}
		to[c] = float32(n) / float32(l.Pool.Window.Height*l.Pool.Window.Width)
	}
}

const everySecondByte = 0x00ff00ff00ff00ff

// spreadError passes pooling neurons' errors back to the window they average;
// neurons in a remainder that no window covers get none.
func spreadError(before, gamma []float32, l *layer) {
	channels := l.own.channels
	area := float32(l.Pool.Window.Height * l.Pool.Window.Width)
	row := l.own.width * channels
	covered := l.pool.width * l.Pool.Window.Width
	for y := range l.own.height {
		to := before[y*row : (y+1)*row]
		py := y / l.Pool.Window.Height
		if py >= l.pool.height {
			clear(to)
			continue
		}
		for px := range l.pool.width {
			from := gamma[(py*l.pool.width+px)*channels:][:channels]
			x := px * l.Pool.Window.Width
			first := to[x*channels:][:channels]
			for c, g := range from {
				first[c] = g / area
			}
			for dx := 1; dx < l.Pool.Window.Width; dx++ {
				copy(to[(x+dx)*channels:][:channels], first)
			}
		}
		clear(to[covered*channels:])
	}
}

// windows visits each window of a pooling, ascending, and in it the neurons that it
// covers, by row and column: where their channels are.
func (l *layer) windows(visit func(window, neuron int)) {
	p, e, out := &l.Pool, &l.own.extent, &l.output.extent
	for oy := range out.height {
		for ox := range out.width {
			for dy := range p.Window.Height {
				y := oy*p.Stride.Height + dy - p.Pad.Height
				if y < 0 || y >= e.height {
					continue
				}
				for dx := range p.Window.Width {
					if x := ox*p.Stride.Width + dx - p.Pad.Width; x >= 0 && x < e.width {
						visit((oy*out.width+ox)*out.channels, (y*e.width+x)*e.channels)
					}
				}
			}
		}
	}
}

// poolFloats sums the values of each window, or takes the largest and notes the first
// neuron that has it.
func (t *Trainer) poolFloats(l *layer, b int, pooled, values []float32) {
	channels := l.own.channels
	clear(pooled)
	if l.Pool.Kind != network.MaxPool {
		l.windows(func(window, neuron int) { add(pooled[window:window+channels], values[neuron:neuron+channels]) })
		return
	}
	choices := l.choicesAt(t.now.slot, t.batch, b)
	for i := range choices {
		choices[i] = -1
	}
	l.windows(func(window, neuron int) {
		for c := range channels {
			if v := values[neuron+c]; choices[window+c] < 0 || v > pooled[window+c] {
				pooled[window+c], choices[window+c] = v, int32(neuron+c)
			}
		}
	})
}

// choicesAt returns the largest neurons of one step and sample.
func (l *layer) choicesAt(slot, batch, sample int) []int32 {
	size := l.output.size()
	return l.choices[(slot*batch+sample)*size:][:size]
}

// unpool takes sample b's errors of windows to the neurons that they cover.
func (t *Trainer) unpool(l *layer, b int, before, errors []float32) {
	if l.poolsPlainly() {
		spreadError(before, errors, l)
		return
	}
	channels, area := l.own.channels, float32(l.Pool.Window.Area())
	clear(before)
	switch l.Pool.Kind {
	case network.MaxPool:
		choices := l.choicesAt(t.now.slot, t.batch, b)
		for window, neuron := range choices {
			if neuron >= 0 {
				before[neuron] += errors[window]
			}
		}
	case network.SumPool:
		l.windows(func(window, neuron int) { add(before[neuron:neuron+channels], errors[window:window+channels]) })
	case network.FirePool, network.AveragePool, network.NoPool:
		l.windows(func(window, neuron int) {
			to := before[neuron : neuron+channels]
			for c, g := range errors[window : window+channels] {
				to[c] += g / area
			}
		})
	}
}
