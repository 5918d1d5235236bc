package dataset

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/network"
)

// idxSide is the height and width of MNIST's and EMNIST's images.
const idxSide = 28

// maxIDX bounds the bytes that a header may announce; EMNIST's largest split
// has 547 million.
const maxIDX = 1 << 30

// digits is a split of MNIST or EMNIST, in memory.
type digits struct {
	labels     []byte
	pixels     []byte // [N][28][28]
	transposed bool
}

func openMNIST(dir, split string, d network.Dataset) (source, error) {
	if dir == "" {
		var err error
		if dir, err = mnistModule(); err != nil {
			return nil, err
		}
	}
	prefix := map[string]string{"train": "train", "test": "t10k"}[split]
	return openDigits(dir, prefix, d, false, "data", "raw", "MNIST/raw")
}

func openEMNIST(dir, split string, d network.Dataset) (source, error) {
	return openDigits(dir, "emnist-balanced-"+split, d, true, "gzip", "raw", "EMNIST/raw")
}

// moreSamples is by how much a split may exceed the dataset's training set: room
// for an augmented one, and a bound of what is kept in memory.
const moreSamples = 4

func openDigits(dir, prefix string, d network.Dataset, transposed bool, within ...string) (source, error) {
	images, err := idxFile(dir, prefix+"-images-idx3-ubyte", within)
	if err != nil {
		return nil, err
	}
	labels, err := idxFile(dir, prefix+"-labels-idx1-ubyte", within)
	if err != nil {
		return nil, err
	}
	s := &digits{transposed: transposed}
	// Labels first, as they are small: a header of images must agree with them.
	count := 0
	s.labels, err = openIDX(labels, 1, func(shape []int) error {
		if count = shape[0]; count > moreSamples*d.Samples {
			return atByte(labels, 4, "%d labels; %s has %d samples, and up to %d are read", count, d.Name, d.Samples, moreSamples*d.Samples)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.pixels, err = openIDX(images, 3, func(shape []int) error {
		switch {
		case shape[1] != idxSide || shape[2] != idxSide:
			return atByte(images, 8, "images of %dx%d; they should have %dx%d", shape[1], shape[2], idxSide, idxSide)
		case shape[0] != count:
			return atByte(labels, 4, "%d labels for the %d images of %s", count, shape[0], images)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, label := range s.labels {
		if int(label) >= d.Classes {
			return nil, atByte(labels, 8+int64(i), "label %d; the classes are 0 to %d", label, d.Classes-1)
		}
	}
	return s, nil
}

func (s *digits) len() int     { return len(s.labels) }
func (s *digits) close() error { return nil }

func (s *digits) read(i int, c *canvas) (int, error) {
	const size = idxSide * idxSide
	pixels := s.pixels[i*size:][:size]
	if s.transposed {
		var upright [size]byte
		for y := range idxSide {
			for x := range idxSide {
				upright[y*idxSide+x] = pixels[x*idxSide+y]
			}
		}
		pixels = upright[:]
	}
	c.image(pixels)
	return int(s.labels[i]), nil
}

// idxFile finds a file under the names that it goes by: published, with .gz or
// unpacked; on Kaggle, with a dot in place of a dash, or in a folder of its name.
func idxFile(dir, name string, within []string) (string, error) {
	dotted := strings.Replace(name, "-idx", ".idx", 1)
	for _, sub := range append([]string{"."}, within...) {
		for _, form := range []string{
			name + ".gz", name, dotted + ".gz", dotted,
			filepath.Join(name, name), filepath.Join(dotted, dotted), filepath.Join(name, dotted), filepath.Join(dotted, name),
		} {
			path := filepath.Join(dir, sub, form)
			if info, err := os.Stat(path); err == nil && !info.IsDir() {
				return path, nil
			}
		}
	}
	_, err := folder(dir, name+".gz", within...)
	if err == nil { // a folder
		err = fmt.Errorf("--data %s: %s is a folder without that file", dir, name+".gz")
	}
	return "", err
}

// openIDX reads a file of bytes with that many dimensions, once accept has seen
// what its header announces. Offsets in the errors of a .gz file count decompressed
// bytes.
func openIDX(path string, dims int, accept func(shape []int) error) ([]byte, error) {
	f, _, err := input.Data(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = bufio.NewReader(f)
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, short(path, 0, err, "the gzip header")
		}
		return readIDX(path+" (decompressed)", z, dims, accept)
	}
	return readIDX(path, r, dims, accept)
}

// readIDX reads an IDX file: two zero bytes, the type 8 for bytes, the number
// of dimensions, their sizes in big-endian, the bytes.
func readIDX(path string, r io.Reader, dims int, accept func(shape []int) error) ([]byte, error) {
	header := make([]byte, 4+4*dims)
	if n, err := io.ReadFull(r, header); err != nil {
		return nil, short(path, int64(n), err, "the IDX header")
	}
	if want := []byte{0, 0, 8, byte(dims)}; string(header[:4]) != string(want) {
		return nil, atByte(path, 0, "starts with % x; an IDX file of %d-dimensional bytes starts with % x", header[:4], dims, want)
	}
	var shape []int
	size := 1
	for i := range dims {
		offset := 4 + 4*i
		n := binary.BigEndian.Uint32(header[offset:])
		if int64(n) > int64(maxIDX/max(size, 1)) {
			return nil, atByte(path, int64(offset), "dimension %d is %d, which makes over %d bytes", i+1, n, maxIDX)
		}
		shape, size = append(shape, int(n)), size*int(n)
	}
	if err := accept(shape); err != nil {
		return nil, err
	}
	// The header may lie: room grows with what is really there.
	data := make([]byte, 0, min(size, 1<<20))
	for len(data) < size {
		if len(data) == cap(data) {
			data = slices.Grow(data, min(size-len(data), len(data)))
		}
		n, err := io.ReadFull(r, data[len(data):min(cap(data), size)])
		data = data[:len(data)+n]
		if err != nil {
			return nil, short(path, int64(len(header)+len(data)), err, "the data that its header announces")
		}
	}
	// Reads on to the end, where gzip checks its sum.
	switch n, err := io.ReadFull(r, make([]byte, 1)); {
	case n > 0:
		return nil, atByte(path, int64(len(header)+size), "more data than the header announces")
	case !errors.Is(err, io.EOF):
		return nil, short(path, int64(len(header)+size), err, "the end")
	}
	return data, nil
}
