package dataset

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// ES-ImageNet scales images to a longer side of 254, puts them in the middle of
// a square of 256, and uses the middle 224 of it.
const (
	esSide    = 254
	esSquare  = 256
	esCropped = 224
	esSteps   = 8
	esLabels  = 1000
)

// esImageNet is a split.
type esImageNet struct {
	dir     string
	samples []esSample
}

// esSample is a line of a label file.
type esSample struct {
	file          string // .npz
	label         int
	height, width int // of the image
}

func openESImageNet(dir, split string, d network.Dataset) (source, error) {
	dir, err := folder(dir, "trainlabel.txt", "ES-imagenet-0.18")
	if err != nil {
		return nil, err
	}
	// The classes are those of the training set, whatever the split.
	var present [esLabels]bool
	list := filepath.Join(dir, "trainlabel.txt")
	if err := readESLabels(list, func(s esSample) { present[s.label] = true }); err != nil {
		return nil, err
	}
	var class [esLabels]int
	classes := 0
	for label := range class {
		class[label] = -1
		if present[label] && classes < d.Classes {
			class[label] = classes
			classes++
		}
	}
	// As many of a class as make the paper's 100000.
	s, most := &esImageNet{dir: filepath.Join(dir, "train")}, d.Samples/d.Classes
	if split == "test" {
		s.dir, list = filepath.Join(dir, "val"), filepath.Join(dir, "vallabel.txt")
	}
	count := make([]int, classes)
	err = readESLabels(list, func(sample esSample) {
		sample.label = class[sample.label]
		if sample.label >= 0 && count[sample.label] < most {
			count[sample.label]++
			s.samples = append(s.samples, sample)
		}
	})
	return s, err
}

// readESLabels calls use for every line of a label file.
func readESLabels(path string, use func(esSample)) error {
	f, _, err := input.Data(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return parseESLabels(path, f, use)
}

// parseESLabels reads lines of a file name, a label, and the image's height and
// width.
func parseESLabels(path string, from io.Reader, use func(esSample)) error {
	lines := input.NewLines(from, path)
	for lines.Scan() {
		line := lines.Line()
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 4 {
			return atLine(path, line, "%d fields; a line should be FILE LABEL HEIGHT WIDTH", len(fields))
		}
		var numbers [3]int
		for i, limit := range [3]int{esLabels - 1, esSide, esSide} {
			n, err := strconv.Atoi(fields[i+1])
			if err != nil || n < min(i, 1) || n > limit {
				return atLine(path, line, "%s %q; accepted are %d to %d", [3]string{"label", "height", "width"}[i], fields[i+1], min(i, 1), limit)
			}
			numbers[i] = n
		}
		// Some editions name a file by what it was converted from.
		name := strings.TrimSuffix(fields[0], filepath.Ext(fields[0])) + ".npz"
		if !filepath.IsLocal(name) {
			return atLine(path, line, "the file %q is not inside the dataset", fields[0])
		}
		use(esSample{name, numbers[0], numbers[1], numbers[2]})
	}
	return lines.Err()
}

func (s *esImageNet) len() int     { return len(s.samples) }
func (s *esImageNet) close() error { return nil }

func (s *esImageNet) read(i int, c *canvas) (int, error) {
	sample := s.samples[i]
	path := filepath.Join(s.dir, sample.file)
	f, size, err := input.Data(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return sample.label, sample.draw(path, f, size, c)
}

// draw draws the events of an .npz file of that size: neg and pos, arrays of
// row, column and step, steps counted from 1.
func (s *esSample) draw(path string, from io.ReaderAt, size int64, c *canvas) error {
	f, err := tensors.NewFile(from, size)
	if err != nil {
		return atByte(path, size, "no .npz file: %w", err)
	}
	square, margin := esSquare, (esSquare-esCropped)/2
	side := max(s.height, s.width)
	if side != esSide { // not the published size: the image fills the square
		square, margin = side, 0
		c.rows, c.cols = newAxis(side, c.shape.Height), newAxis(side, c.shape.Width)
	}
	top, left := (side-s.height)/2, (side-s.width)/2
	for polarity, name := range [2]string{"neg", "pos"} {
		events, err := readEvents(f, name)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for i := 0; i < len(events); i += 3 {
			y, x, step := events[i]+top, events[i+1]+left, events[i+2]
			if y < 0 || y >= square || x < 0 || x >= square || step < 1 || step > esSteps {
				return fmt.Errorf("%s: %s: event %d is at row %d, column %d, step %d; an image of %d x %d has no such one",
					path, name, i/3, events[i], events[i+1], step, s.height, s.width)
			}
			y, x = y-margin, x-margin
			if inside := y >= 0 && y < len(c.rows.first) && x >= 0 && x < len(c.cols.first); inside && int64(step) <= c.steps {
				c.spike(step-1, y, x, polarity)
			}
		}
	}
	return nil
}

// maxEvents bounds the events of a sample; ES-ImageNet's have some hundred thousand.
const maxEvents = 1 << 24

// readEvents returns the rows of an array with three columns, one after the other.
func readEvents(f *tensors.File, name string) ([]int, error) {
	h, err := f.Header(name)
	switch {
	case err != nil:
		return nil, err
	case h.Len() == 0:
		return nil, nil
	case len(h.Shape) != 2 || h.Shape[1] != 3:
		return nil, fmt.Errorf("%s: an array of shape %v; events have three columns: row, column, step", name, h.Shape)
	case h.Shape[0] > maxEvents:
		return nil, fmt.Errorf("%s: %d events; at most %d are read", name, h.Shape[0], maxEvents)
	}
	events := make([]int, h.Len())
	return events, f.Each(name, func(i int, v tensors.Value) error {
		n := v.Float()
		if n != math.Trunc(n) || math.Abs(n) > 1<<16 { // so NaN fails too
			return fmt.Errorf("is %v; it should be a small whole number", v)
		}
		events[i] = int(n)
		return nil
	})
}
