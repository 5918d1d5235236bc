package dataset

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"accelsim/network"
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
	return openDigits(dir, prefix, d.Classes, false, "data", "raw", "MNIST/raw")
}

func openEMNIST(dir, split string, d network.Dataset) (source, error) {
	return openDigits(dir, "emnist-balanced-"+split, d.Classes, true, "gzip", "raw", "EMNIST/raw")
}

func openDigits(dir, prefix string, classes int, transposed bool, within ...string) (source, error) {
	images, labels := prefix+"-images-idx3-ubyte", prefix+"-labels-idx1-ubyte"
	at, err := folder(dir, images+".gz", within...)
	if err == nil {
		images, labels = images+".gz", labels+".gz"
	} else if plain, plainErr := folder(dir, images, within...); plainErr == nil {
		at = plain
	} else {
		return nil, err
	}
	images, labels = filepath.Join(at, images), filepath.Join(at, labels)
	s := &digits{transposed: transposed}
	var shape, count []int
	if shape, s.pixels, err = openIDX(images, 3); err != nil {
		return nil, err
	}
	if shape[1] != idxSide || shape[2] != idxSide {
		return nil, atByte(images, 8, "images of %dx%d; they should have %dx%d", shape[1], shape[2], idxSide, idxSide)
	}
	if count, s.labels, err = openIDX(labels, 1); err != nil {
		return nil, err
	}
	if count[0] != shape[0] {
		return nil, atByte(labels, 4, "%d labels for the %d images of %s", count[0], shape[0], images)
	}
	for i, label := range s.labels {
		if int(label) >= classes {
			return nil, atByte(labels, 8+int64(i), "label %d; the classes are 0 to %d", label, classes-1)
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

// openIDX reads a file of bytes with that many dimensions. Offsets in the
// errors of a .gz file count decompressed bytes.
func openIDX(path string, dims int) (shape []int, data []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	var r io.Reader = bufio.NewReader(f)
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, short(path, 0, err, "the gzip header")
		}
		return readIDX(path+" (decompressed)", z, dims)
	}
	return readIDX(path, r, dims)
}

// readIDX reads an IDX file: two zero bytes, the type 8 for bytes, the number
// of dimensions, their sizes in big-endian, the bytes.
func readIDX(path string, r io.Reader, dims int) (shape []int, data []byte, err error) {
	header := make([]byte, 4+4*dims)
	if n, err := io.ReadFull(r, header); err != nil {
		return nil, nil, short(path, int64(n), err, "the IDX header")
	}
	if want := []byte{0, 0, 8, byte(dims)}; string(header[:4]) != string(want) {
		return nil, nil, atByte(path, 0, "starts with % x; an IDX file of %d-dimensional bytes starts with % x", header[:4], dims, want)
	}
	size := 1
	for i := range dims {
		offset := 4 + 4*i
		n := int(binary.BigEndian.Uint32(header[offset:]))
		if n > maxIDX/max(size, 1) {
			return nil, nil, atByte(path, int64(offset), "dimension %d is %d, which makes over %d bytes", i+1, n, maxIDX)
		}
		shape, size = append(shape, n), size*n
	}
	// The header may lie: room grows with what is really there.
	data = make([]byte, 0, min(size, 1<<20))
	for len(data) < size {
		if len(data) == cap(data) {
			data = slices.Grow(data, min(size-len(data), len(data)))
		}
		n, err := io.ReadFull(r, data[len(data):min(cap(data), size)])
		data = data[:len(data)+n]
		if err != nil {
			return nil, nil, short(path, int64(len(header)+len(data)), err, "the data that its header announces")
		}
	}
	// Reads on to the end, where gzip checks its sum.
	switch n, err := io.ReadFull(r, make([]byte, 1)); {
	case n > 0:
		return nil, nil, atByte(path, int64(len(header)+size), "more data than the header announces")
	case !errors.Is(err, io.EOF):
		return nil, nil, short(path, int64(len(header)+size), err, "the end")
	}
	return shape, data, nil
}
