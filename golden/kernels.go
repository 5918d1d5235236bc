package golden

// The inner loops. Each has an obvious version here, used where there is no
// AVX2, and an assembly version (kernels_amd64.s) that a test holds equal to
// it bit for bit: no multiply-add is fused and no sum is reordered, since
// vectors run over neurons that have sums of their own.

const (
	lanes    = 8  // float32 values of an AVX2 register
	maxBlock = 64 // widest accumulator: eight registers
	maxTaps  = 12 // registers for accumulators of several taps
)

// addRowsGo adds rows to an accumulator, in the order of index:
// acc[j] += rows[offset + index[e] stride + j]. len(acc) is 8, 16, 32 or 64.
func addRowsGo(acc, rows []float32, offset, stride int, index []int32) {
	for _, i := range index {
		at := offset + int(i)*stride
		row := rows[at : at+len(acc)]
		for j, v := range row {
			acc[j] += v
		}
	}
}

// addScaledRowsGo adds scaled rows to an accumulator, in the order of index:
// acc[j] += scale[e] rows[offset + index[e] stride + j], the product rounded.
func addScaledRowsGo(acc, rows []float32, offset, stride int, index []int32, scale []float32) {
	for e, i := range index {
		at := offset + int(i)*stride
		row := rows[at : at+len(acc)]
		for j, v := range row {
			acc[j] += float32(scale[e] * v)
		}
	}
}

// fireGo is one step of LIF neurons (Eqs. 1 and 2):
// u = tau u' + I - theta s', s = (u >= u_th), s' = (u' >= u_th).
func fireGo(u, previous, sum []float32, spikes []byte, p *lifParameters) {
	for i, up := range previous {
		var reset float32
		if up >= p.threshold {
			reset = p.reset
		}
		v := float32(float32(float32(p.leak*up)+sum[i]) - reset)
		u[i] = v
		spikes[i] = 0
		if v >= p.threshold {
			spikes[i] = 1
		}
	}
}

// potentialErrorGo turns spike errors into potential errors, in place of those
// of the step after (Eqs. 4 to 6): delta = spatial - theta gamma';
// gamma = delta/a where |u - u_th| < a/2, else 0; then + tau gamma'. At the
// last step of an interval gamma' is zero whatever gamma holds.
func potentialErrorGo(gamma, spatial, u []float32, p *lifParameters, last bool) {
	for i, v := range u {
		later := gamma[i]
		if last {
			later = 0
		}
		distance := v - p.threshold
		if distance < 0 {
			distance = -distance
		}
		var g float32
		if distance < p.halfWidth {
			g = float32(float32(spatial[i]-float32(p.reset*later)) * p.inverseWidth)
		}
		gamma[i] = g + float32(p.leak*later)
	}
}

// momentumGo is one step of SGD: v = m v + dw, w = w - lr v.
func momentumGo(w, v, dw []float32, momentum, rate float32) {
	for i, g := range dw {
		v[i] = float32(momentum*v[i]) + g
		w[i] -= float32(rate * v[i])
	}
}

// addGo adds one vector to another.
func addGo(to, from []float32) {
	for i, v := range from {
		to[i] += v
	}
}

// listSpikesGo lists the set bytes of a map of 0 and 1, and where each
// position's start; after the last position stands their number, which is
// returned.
func listSpikesGo(index, start []int32, spikes []byte, channels int) int {
	n := 0
	for i, v := range spikes {
		if i%channels == 0 {
			start[i/channels] = int32(n)
		}
		if v != 0 {
			index[n] = int32(i)
			n++
		}
	}
	start[len(spikes)/channels] = int32(n)
	return n
}

// listFloatsGo lists the non-zero values, the first of which is number base,
// and where each position's start when there are listed ones before. It
// returns how many there are.
func listFloatsGo(index []int32, value []float32, start []int32, values []float32, channels, base, listed int) int {
	n := 0
	for i, v := range values {
		if i%channels == 0 {
			start[i/channels] = int32(listed + n)
		}
		if v != 0 {
			index[n], value[n] = int32(base+i), v
			n++
		}
	}
	return n
}

// addTapsGo is addRows for several accumulators side by side, acc[tap], whose
// rows are apart tap by tap.
func addTapsGo(acc, rows []float32, offset, stride, apart, taps int, index []int32) {
	width := len(acc) / taps
	for tap := range taps {
		addRowsGo(acc[tap*width:(tap+1)*width], rows, offset+tap*apart, stride, index)
	}
}

// addScaledTapsGo is addScaledRows likewise, for accumulators of 8.
func addScaledTapsGo(acc, rows []float32, offset, stride, apart int, index []int32, scale []float32) {
	for tap := range len(acc) / lanes {
		addScaledRowsGo(acc[tap*lanes:(tap+1)*lanes], rows, offset+tap*apart, stride, index, scale)
	}
}

// convolveGo forms eight positions' sums over a dense window for eight output
// columns: acc[p][c] = sum of weights[row][tap][c] x[row xRow + p xStep + tap].
func convolveGo(acc, x, weights []float32, xStep, xRow, height, taps int) {
	for p := range convolvePositions {
		to := acc[p*lanes : (p+1)*lanes]
		clear(to)
		for y := range height {
			for tap := range taps {
				v := x[y*xRow+p*xStep+tap]
				for c, w := range weights[(y*taps+tap)*lanes:][:lanes] {
					to[c] += float32(v * w)
				}
			}
		}
	}
}
