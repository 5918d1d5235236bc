package dataset

import (
	"slices"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
)

// newCanvas is a blank canvas for recordings of that size.
func newCanvas(steps int, window int64, shape network.Shape, height, width int) *canvas {
	return &canvas{
		x: make([]float32, steps*shape.Size()), step: shape.Size(), shape: shape, steps: int64(steps),
		window: window, rows: newAxis(height, shape.Height), cols: newAxis(width, shape.Width),
	}
}

// dvs is a canvas of 1 ms frames in the DVS128's own size.
func dvs(steps int) *canvas {
	return newCanvas(steps, 1000, network.Shape{Channels: 2, Height: 128, Width: 128}, 128, 128)
}

// spikes lists what is drawn, as frame, polarity, row, column.
func (c *canvas) spikes() (all [][4]int) {
	for i, v := range c.x {
		if v == 0 {
			continue
		}
		w, h, p := c.shape.Width, c.shape.Height, c.shape.Channels
		all = append(all, [4]int{i / w / h / p, i / w / h % p, i / w % h, i % w})
	}
	return all
}

func TestPixelsFallIntoCells(t *testing.T) {
	for _, test := range []struct {
		n, size, pixel int
		from, to       int // the network's pixels
	}{
		{128, 32, 0, 0, 1},
		{128, 32, 3, 0, 1},
		{128, 32, 4, 1, 2},
		{128, 32, 127, 31, 32},
		{180, 64, 179, 63, 64},
		{240, 64, 3, 0, 1}, // 0.8
		{240, 64, 4, 1, 2}, // 1.07
		{28, 28, 5, 5, 6},
		{28, 56, 5, 10, 12},
		{28, 32, 6, 7, 8}, // pixel 7: 7*28/32 = 6.1
		{28, 32, 7, 8, 10},
	} {
		a := newAxis(test.n, test.size)
		if from, to := int(a.first[test.pixel]), int(a.behind[test.pixel]); from != test.from || to != test.to {
			t.Errorf("%d to %d: pixel %d covers %d to %d, want %d to %d", test.n, test.size, test.pixel, from, to, test.from, test.to)
		}
	}
}

func TestEveryPixelOfTheNetworkIsCovered(t *testing.T) {
	for n := 1; n < 40; n++ {
		for size := 1; size < 90; size++ {
			for p, count := range newAxis(n, size).sources(size) {
				if count == 0 || size >= n && count > 1 {
					t.Fatalf("%d to %d: %d recorded pixels fall on pixel %d", n, size, count, p)
				}
			}
		}
	}
}

func TestEventsFallIntoWindows(t *testing.T) {
	for _, test := range []struct {
		microseconds int64
		frame        int // -1: none
	}{{-1, -1}, {0, 0}, {999, 0}, {1000, 1}, {2999, 2}, {3000, -1}, {1 << 40, -1}} {
		c := dvs(3)
		c.event(test.microseconds, 5, 9, 1)
		var want [][4]int
		if test.frame >= 0 {
			want = [][4]int{{test.frame, 1, 5, 9}}
		}
		if got := c.spikes(); !slices.Equal(got, want) {
			t.Errorf("an event at %d us gives %v, want %v", test.microseconds, got, want)
		}
	}
}

func TestTwoEventsInACellMakeOneSpike(t *testing.T) {
	c := newCanvas(1, 1000, network.Shape{Channels: 2, Height: 32, Width: 32}, 128, 128)
	c.event(0, 4, 8, 0)
	c.event(10, 7, 11, 0)
	if got := c.spikes(); !slices.Equal(got, [][4]int{{0, 0, 1, 2}}) {
		t.Errorf("got %v", got)
	}
	if c.x[1*32+2] != 1 {
		t.Errorf("intensity %v, want 1", c.x[1*32+2])
	}
}

func TestImageScales(t *testing.T) {
	pixels := []byte{
		0, 255, 51, 51,
		255, 0, 51, 51,
		102, 102, 0, 0,
		102, 102, 0, 51,
	}
	for _, test := range []struct {
		side int
		want []float32
	}{
		{4, []float32{0, 1, .2, .2, 1, 0, .2, .2, .4, .4, 0, 0, .4, .4, 0, .2}},
		{2, []float32{.5, .2, .4, .05}},
		{1, []float32{1173. / 255 / 16}},
	} {
		c := newCanvas(1, 0, network.Shape{Channels: 1, Height: test.side, Width: test.side}, 4, 4)
		c.image(pixels)
		for i := range test.want {
			if d := c.x[i] - test.want[i]; d > 1e-7 || d < -1e-7 {
				t.Errorf("side %d: %v, want %v", test.side, c.x, test.want)
				break
			}
		}
	}
	c := newCanvas(1, 0, network.Shape{Channels: 1, Height: 8, Width: 4}, 4, 4)
	c.image(pixels)
	for i, v := range pixels {
		if y, x := i/4, i%4; c.x[2*y*4+x] != float32(v)/255 || c.x[(2*y+1)*4+x] != float32(v)/255 {
			t.Errorf("twice the height: pixel %d,%d is not repeated: %v", y, x, c.x)
		}
	}
}
