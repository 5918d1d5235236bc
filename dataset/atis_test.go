package dataset

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
)

func atisCanvas(steps int) *canvas {
	return newCanvas(steps, 5000, network.Shape{Channels: 2, Height: atisHeight, Width: atisWidth}, atisHeight, atisWidth)
}

func TestATISEvents(t *testing.T) {
	data := []byte{
		0, 0, 0x00, 0, 0, // OFF at 0
		239, 179, 0x80, 0x13, 0x87, // ON at 4999 us
		7, 8, 0x80, 0x13, 0x88, // ON at 5000 us
		9, 9, 0x7f, 0xff, 0xff, // OFF at 8.4 s: behind the last frame
		3, 240, 0x00, 0, 0, // the clock went round: 8192 us are to be added
		1, 2, 0x00, 0x00, 0x01, // OFF at 8193 us
	}
	c := atisCanvas(3)
	if err := readATIS("f", bytes.NewReader(data), c); err != nil {
		t.Fatal(err)
	}
	want := [][4]int{{0, 0, 0, 0}, {0, 1, 179, 239}, {1, 0, 2, 1}, {1, 1, 8, 7}}
	if got := c.spikes(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestDamagedATISIsRefused(t *testing.T) {
	good := atisFile(event{x: 1, y: 2}, event{x: 3, y: 4, on: 1, t: 1 << 20})
	parse := func(data []byte) error { return readATIS("f", bytes.NewReader(data), atisCanvas(1)) }
	refuse(t, []damage{
		{"truncated", good[:8], "ends within an event of 5 bytes", 8},
		{"column 240", atisFile(event{}, event{x: 240}), "an event at x 240, y 0; the recording has 240 x 180 pixels", 5},
		{"row 180", atisFile(event{y: 180}), "an event at x 0, y 180", 0},
	}, parse)
	everyPrefix(t, good, func(n int) bool { return n%5 == 0 }, parse)
}

func TestTooManyClassFoldersAreRefused(t *testing.T) {
	dir := t.TempDir()
	for i := range 102 {
		write(t, nil, dir, fmt.Sprintf("class%d", i), "image_0001.bin")
	}
	_, err := Open("n-caltech101", Options{Dir: dir})
	if want := fmt.Sprintf("dataset n-caltech101: --data %s: 102 folders there; a class has one each, and there are 101", dir); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func FuzzATIS(f *testing.F) {
	f.Add(atisFile(event{x: 1, y: 2}, event{x: 239, y: 179, on: 1, t: 1 << 22}))
	f.Add([]byte{0, 240, 0, 0, 0, 1})
	c := atisCanvas(2)
	f.Fuzz(func(_ *testing.T, data []byte) {
		readATIS("f", bytes.NewReader(data), c)
	})
}
