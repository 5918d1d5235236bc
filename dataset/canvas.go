package dataset

import "github.com/accelsim-dev/accelsim/network"

// axis maps recorded coordinates to those of the network: recorded pixel v
// covers the pixels from first[v] up to, but not including, behind[v].
type axis struct{ first, behind []int32 }

// newAxis maps n recorded pixels to size pixels, both at most 2^16.
func newAxis(n, size int) axis {
	a := axis{make([]int32, n), make([]int32, n)}
	for v := range n {
		if size <= n { // pixel v falls into cell v*size/n
			a.first[v] = int32(v * size / n)
			a.behind[v] = a.first[v] + 1
		} else { // pixels p with p*n/size = v
			a.first[v] = int32((v*size + n - 1) / n)
			a.behind[v] = int32(((v+1)*size + n - 1) / n)
		}
	}
	return a
}

// canvas is where a source draws one sample.
type canvas struct {
	x          []float32
	step       int // values from one frame to the next
	shape      network.Shape
	steps      int64
	window     int64 // microseconds
	rows, cols axis
}

// end returns the time, in microseconds from the sample's start, at which the
// last frame ends.
func (c *canvas) end() int64 { return c.steps * c.window }

// event draws an event at t microseconds from the sample's start. Coordinates
// are recorded ones, and inside the recording; polarity is 0 or 1.
func (c *canvas) event(t int64, y, x, polarity int) {
	if t >= 0 && t < c.end() {
		c.spike(int(t/c.window), y, x, polarity)
	}
}

// spike draws an event in a frame.
func (c *canvas) spike(frame, y, x, polarity int) {
	plane := c.x[frame*c.step+polarity*c.shape.Positions():][:c.shape.Positions()]
	for row := c.rows.first[y]; row < c.rows.behind[y]; row++ {
		for col := c.cols.first[x]; col < c.cols.behind[x]; col++ {
			plane[int(row)*c.shape.Width+int(col)] = 1
		}
	}
}

// image draws [C,H,W] bytes of the recorded size, as numbers from 0 to 1.
func (c *canvas) image(pixels []byte) {
	height, width := len(c.rows.first), len(c.cols.first)
	same := height == c.shape.Height && width == c.shape.Width
	for channel := range c.shape.Channels {
		from := pixels[channel*height*width:][:height*width]
		to := c.x[channel*c.shape.Positions():][:c.shape.Positions()]
		if same {
			for i, v := range from {
				to[i] = float32(v) / 255
			}
			continue
		}
		c.scale(to, from)
	}
}

// scale draws one channel, each pixel the mean of those that fall on it.
func (c *canvas) scale(to []float32, from []byte) {
	width := len(c.cols.first)
	for y := range c.rows.first {
		for row := c.rows.first[y]; row < c.rows.behind[y]; row++ {
			for x, v := range from[y*width:][:width] {
				for col := c.cols.first[x]; col < c.cols.behind[x]; col++ {
					to[int(row)*c.shape.Width+int(col)] += float32(v) // exact: sums below 2^24
				}
			}
		}
	}
	tall, wide := c.rows.sources(c.shape.Height), c.cols.sources(c.shape.Width)
	for row := range c.shape.Height {
		for col := range c.shape.Width {
			to[row*c.shape.Width+col] /= 255 * float32(tall[row]*wide[col])
		}
	}
}

// sources returns how many recorded pixels fall on each of the network's.
func (a axis) sources(size int) []int {
	counts := make([]int, size)
	for v := range a.first {
		for p := a.first[v]; p < a.behind[v]; p++ {
			counts[p]++
		}
	}
	return counts
}
