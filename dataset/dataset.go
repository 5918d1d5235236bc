// Package dataset turns the files that datasets are published as into the
// tensors that a network trains on.
//
// [Open] finds a dataset's files, checks what it can without reading all of
// them, and returns a [Set] whose samples are read one by one, in any order,
// when they are asked for. Only MNIST and EMNIST are kept in memory, a byte a
// pixel. Nothing is converted in advance and nothing is written.
//
//	set, err := dataset.Open("dvsgesture", dataset.Options{Dir: "/data/DvsGesture", Height: 32, Width: 32})
//	...
//	var sample dataset.Sample
//	err = set.Read(0, &sample) // sample.X is [60, 2, 32, 32]
//
// # Files
//
//	mnist             {train,t10k}-{images-idx3,labels-idx1}-ubyte, .gz or not; without Dir from a
//	                  module of the Go module cache, which is downloaded once
//	emnist            emnist-balanced-{train,test}-{images-idx3,labels-idx1}-ubyte, .gz or not
//	cifar10           data_batch_1.bin to data_batch_5.bin, test_batch.bin
//	dvsgesture        trials_to_{train,test}.txt, and for each NAME.aedat (AEDAT 3.1) in them NAME_labels.csv
//	cifar10-dvs       CLASS/*.aedat (AEDAT 2.0, DVS128) of ten classes
//	n-caltech101      CLASS/*.bin (40-bit events)
//	tiny-es-imagenet  {train,val}label.txt, train/ and val/ with the .npz files that they name
//
// Dir is the folder with these names in it, or the one above it as unpacked.
//
// # Images
//
// An image is one real frame, the same at every step (direct encoding), a
// pixel being byte/255. EMNIST's files hold their images transposed; they are
// turned upright, as MNIST's are.
//
// # Events
//
// A recording becomes Timesteps binary frames of two channels, 0 for OFF and 1
// for ON events: a pixel is 1 where at least one event fell in the frame's
// window (section 3.3.2 of the paper). Windows follow each other from the
// sample's start, and the first Timesteps of them are taken; those behind the
// recording's end are empty. The start is the label's start time in DvsGesture,
// the first event in CIFAR10-DVS, time 0 in N-Caltech101, whose clock starts
// with the recording. ES-ImageNet has steps, not times.
//
// # Size
//
// Pixel y of a recorded height n becomes pixel y*H/n of the network's height H,
// rounded down, and x likewise. Where several fall together, an image takes
// their mean, and an event in any of them sets the bit. A network that is
// larger than the recording repeats pixels.
//
// # Splits
//
// CIFAR10-DVS and N-Caltech101 have no official split. Each class's files are
// ordered by the length of their names, then by name (so 9 comes before 10);
// every tenth, counted from 0 those with i mod 10 = 9, is for testing. That
// makes CIFAR10-DVS's 9000 and 1000. For N-Caltech101, whose 8709 recordings
// PAPER.md counts as training samples, nine tenths of them train.
//
// The paper does not list the classes of its Tiny-ES-ImageNet. Of the labels in
// trainlabel.txt the 200 lowest are taken and numbered from 0, with the first
// 500 training samples each. So a folder with 200 classes of one's own choice
// keeps them all, and the whole ES-ImageNet can be pointed at too.
package dataset

import (
	"fmt"
	"slices"

	"github.com/accelsim-dev/accelsim/network"
)

// Options says where a dataset is and what the network wants of it. Zero
// values are the training split, and the dataset's own steps and size.
type Options struct {
	Dir           string // where its files are; for mnist, "" finds them
	Split         string // "train" or "test"
	Timesteps     int
	Height, Width int
}

// Set is one split of a dataset. Its methods may be called from several
// goroutines at once, Close excepted.
type Set struct {
	Name, Split string
	Encoding    network.Encoding
	Timesteps   int
	Shape       network.Shape // of one frame
	Classes     int

	samples    source
	window     int64 // microseconds
	rows, cols axis
}

// Sample is a labelled input: [T,C,H,W] with values 0 and 1 for event encoding,
// [C,H,W] for direct encoding.
type Sample struct {
	Label int
	X     []float32
}

// Batch is several samples: [T,B,C,H,W] for event encoding, [B,C,H,W] for direct
// encoding.
type Batch struct {
	Labels []int
	X      []float32
}

// source is a split as its files hold it.
type source interface {
	len() int
	// read draws sample i on c, which is blank, and returns its label.
	read(i int, c *canvas) (label int, err error)
	close() error
}

// format is what a dataset's files hold.
type format struct {
	window        int64 // microseconds; 0 if it has none
	height, width int   // as recorded
	open          func(dir, split string, d network.Dataset) (source, error)
}

var formats = map[string]format{
	"mnist":            {height: 28, width: 28, open: openMNIST},
	"emnist":           {height: 28, width: 28, open: openEMNIST},
	"cifar10":          {height: 32, width: 32, open: openCIFAR10},
	"dvsgesture":       {window: 20_000, height: 128, width: 128, open: openDvsGesture},
	"cifar10-dvs":      {window: 5_000, height: 128, width: 128, open: openCIFAR10DVS},
	"n-caltech101":     {window: 5_000, height: 180, width: 240, open: openNCaltech101},
	"tiny-es-imagenet": {height: esCropped, width: esCropped, open: openESImageNet},
}

// maxValues bounds a sample: 4 GiB of float32.
const maxValues = 1 << 30

// Open opens a split of the built-in dataset of that name.
func Open(name string, o Options) (*Set, error) {
	d, err := network.LookupDataset(name)
	if err != nil {
		return nil, err
	}
	f, ok := formats[name]
	if !ok {
		return nil, fmt.Errorf("dataset %s: its files cannot be read", name)
	}
	s := &Set{
		Name: name, Split: o.Split, Encoding: d.Encoding, Timesteps: o.Timesteps,
		Shape:   network.Shape{Channels: d.Input.Channels, Height: o.Height, Width: o.Width},
		Classes: d.Classes, window: f.window,
	}
	for _, v := range []struct {
		value    *int
		fallback int
		name     string
	}{
		{&s.Timesteps, d.Timesteps, "timesteps"},
		{&s.Shape.Height, d.Input.Height, "height"},
		{&s.Shape.Width, d.Input.Width, "width"},
	} {
		if *v.value == 0 {
			*v.value = v.fallback
		}
		if *v.value < 1 || *v.value > 1<<16 {
			return nil, fmt.Errorf("dataset %s: %s is %d; accepted are 1 to %d", name, v.name, *v.value, 1<<16)
		}
	}
	if s.Split == "" {
		s.Split = "train"
	}
	if s.Split != "train" && s.Split != "test" {
		return nil, fmt.Errorf("dataset %s: no split %q; there are train and test", name, s.Split)
	}
	if name == "tiny-es-imagenet" && s.Timesteps > esSteps {
		return nil, fmt.Errorf("dataset %s: %d timesteps; its samples have %d", name, s.Timesteps, esSteps)
	}
	// 2^48 fits 64 bits, and so does its product with a few channels.
	if values := int64(s.frames()) * int64(s.Shape.Channels) * int64(s.Shape.Height) * int64(s.Shape.Width); values > maxValues {
		return nil, fmt.Errorf("dataset %s: a sample of %d frames of %v has over %d values", name, s.frames(), s.Shape, maxValues)
	}
	s.rows, s.cols = newAxis(f.height, s.Shape.Height), newAxis(f.width, s.Shape.Width)
	if s.samples, err = f.open(o.Dir, s.Split, d); err != nil {
		return nil, fmt.Errorf("dataset %s: %w", name, err)
	}
	if s.Len() == 0 {
		return nil, fmt.Errorf("dataset %s: no samples to %s with in %s", name, s.Split, o.Dir)
	}
	return s, nil
}

// Len returns the number of samples.
func (s *Set) Len() int { return s.samples.len() }

// Close releases the files.
func (s *Set) Close() error { return s.samples.close() }

// Read reads sample i. It reuses dst.X if that has room.
func (s *Set) Read(i int, dst *Sample) error {
	dst.X = resize(dst.X, s.frames()*s.Shape.Size())
	label, err := s.draw(i, dst.X, 0, 1)
	dst.Label = label
	return err
}

// ReadBatch reads the samples of those indices, in their order. It reuses
// dst's slices if they have room.
func (s *Set) ReadBatch(indices []int, dst *Batch) error {
	if len(indices) > maxValues/(s.frames()*s.Shape.Size()) {
		return fmt.Errorf("dataset %s: a batch of %d samples has over %d values", s.Name, len(indices), maxValues)
	}
	dst.X = resize(dst.X, len(indices)*s.frames()*s.Shape.Size())
	dst.Labels = slices.Grow(dst.Labels[:0], len(indices))
	for b, i := range indices {
		label, err := s.draw(i, dst.X, b, len(indices))
		if err != nil {
			return err
		}
		dst.Labels = append(dst.Labels, label)
	}
	return nil
}

// frames returns how many frames a sample has.
func (s *Set) frames() int {
	if s.Encoding == network.Direct {
		return 1
	}
	return s.Timesteps
}

// draw reads sample i as number b of a batch.
func (s *Set) draw(i int, x []float32, b, batch int) (label int, err error) {
	if i < 0 || i >= s.Len() {
		return 0, fmt.Errorf("dataset %s: no sample %d among %d", s.Name, i, s.Len())
	}
	size := s.Shape.Size()
	c := canvas{
		x: x[b*size:], step: batch * size, shape: s.Shape, steps: int64(s.Timesteps),
		window: s.window, rows: s.rows, cols: s.cols,
	}
	label, err = s.samples.read(i, &c)
	if err != nil {
		return 0, &SampleError{s.Name, i, err}
	}
	return label, nil
}

// SampleError says why a sample cannot be read. Files are read when their samples
// are asked for, so damage shows late.
type SampleError struct {
	Dataset string
	Sample  int
	Err     error
}

func (e *SampleError) Error() string {
	return fmt.Sprintf("dataset %s, sample %d: %v", e.Dataset, e.Sample, e.Err)
}

// Unwrap returns the cause, often a [FileError].
func (e *SampleError) Unwrap() error { return e.Err }

// resize returns n zeros.
func resize(x []float32, n int) []float32 {
	x = slices.Grow(x[:0], n)[:n]
	clear(x)
	return x
}
