package golden

import "github.com/accelsim-dev/accelsim/network"

// padded rounds a channel count up to whole vectors. Feature maps are stored
// channels last, [H][W][padded C]; padding channels never spike and carry no
// error, because their weights are zero.
func padded(channels int) int { return (channels + lanes - 1) / lanes * lanes }

// extent is a feature map as stored: channels last, padded.
type extent struct {
	height, width int
	channels      int // stored
	used          int // the first of them that exist
}

func (e extent) size() int      { return e.height * e.width * e.channels }
func (e extent) positions() int { return e.height * e.width }

func paddedExtent(s network.Shape) extent {
	return extent{s.Height, s.Width, padded(s.Channels), s.Channels}
}

// flat views a map as one position: channels in the order (row, column,
// channel), which is the order of a fully connected layer's sums.
func (e extent) flat() extent { return extent{1, 1, e.size(), e.size()} }

// columns is a run of output channels that one accumulator holds.
type columns struct{ first, width int }

// split cuts stored channels into accumulators of 64, 32, 16 and 8.
func split(channels int) []columns {
	var runs []columns
	for first, width := 0, maxBlock; first < channels; {
		for width > channels-first {
			width /= 2
		}
		runs = append(runs, columns{first, width})
		first += width
	}
	return runs
}
