package tensors

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/input"
)

// Arrays are named arrays: a [Set] in memory, or a [File].
type Arrays interface {
	// Names returns the names, sorted.
	Names() []string
	// Header returns what an array that is there says of itself.
	Header(name string) (Header, error)
	// Each calls do with every value of an array and its index in C order. An
	// error of do is returned behind the value's number.
	Each(name string, do func(i int, v Value) error) error
}

// File is an NPZ file that is open for reading. Its arrays are read when they are
// asked for.
type File struct {
	arrays map[string]*zip.File
	close  func() error
}

// maxArrays bounds the arrays of a file.
const maxArrays = 1 << 16

// Open opens an NPZ file, of which it reads the directory alone. Its errors name
// the file, those of the methods the array.
func Open(path string) (*File, error) {
	file, size, err := input.Data(path)
	if err != nil {
		return nil, err
	}
	f, err := NewFile(file, size)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.close = file.Close
	return f, nil
}

// NewFile does so with an NPZ file of that size that is open already.
func NewFile(from io.ReaderAt, size int64) (*File, error) {
	z, err := zip.NewReader(from, size)
	if err != nil {
		return nil, fmt.Errorf("not a readable NPZ file: %w", err)
	}
	if len(z.File) > maxArrays {
		return nil, fmt.Errorf("has %d arrays; at most %d are read", len(z.File), maxArrays)
	}
	f := &File{arrays: map[string]*zip.File{}, close: func() error { return nil }}
	for _, entry := range z.File {
		name, isArray := strings.CutSuffix(entry.Name, ".npy")
		if !isArray {
			return nil, fmt.Errorf("%q is not a .npy array", entry.Name)
		}
		if _, twice := f.arrays[name]; twice {
			return nil, fmt.Errorf("%s is there twice", name)
		}
		f.arrays[name] = entry
	}
	return f, nil
}

// Close closes the file.
func (f *File) Close() error { return f.close() }

// Names implements [Arrays].
func (f *File) Names() []string {
	names := make([]string, 0, len(f.arrays))
	for name := range f.arrays {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Header implements [Arrays].
func (f *File) Header(name string) (h Header, err error) {
	err = f.open(name, func(of Header, _ io.Reader) error { h = of; return nil })
	return h, err
}

// Each implements [Arrays].
func (f *File) Each(name string, do func(i int, v Value) error) error {
	return f.open(name, func(h Header, r io.Reader) error { return h.each(r, do) })
}

// open calls read with the header of an array and a reader of its values.
func (f *File) open(name string, read func(Header, io.Reader) error) error {
	entry, ok := f.arrays[name]
	if !ok {
		return fmt.Errorf("no array %q in it", name)
	}
	fail := func(err error) error {
		if errors.As(err, new(*valueError)) {
			return fmt.Errorf("%s: %w", name, err)
		}
		at, _ := entry.DataOffset() // 0 if even that is unreadable
		return fmt.Errorf("%s (at byte %d): %w", name, at, err)
	}
	stream, err := entry.Open()
	if err != nil {
		return fail(err)
	}
	defer stream.Close()
	r := bufio.NewReader(stream)
	h, size, err := readHeader(r)
	if err == nil {
		err = h.fits(entry, size)
	}
	if err == nil {
		err = read(h, r)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// maxDeflate is how many bytes one of deflate can stand for: 258 in a bit or two.
const maxDeflate = 1032

// fits holds the shape to the sizes in the archive's directory, so that no room is
// made for more than the file holds.
func (h Header) fits(entry *zip.File, header int64) error {
	values := uint64(h.length) * uint64(h.Type.bytes)
	holds := entry.UncompressedSize64 - min(entry.UncompressedSize64, uint64(header))
	if entry.Method == zip.Store {
		holds = min(holds, entry.CompressedSize64)
	} else {
		holds = min(holds, (entry.CompressedSize64+1)*maxDeflate)
	}
	if holds < values {
		return h.truncated(int64(holds))
	}
	return nil
}

// ReadFile reads all arrays of an NPZ file.
func ReadFile(path string) (Set, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := Set{}
	for _, name := range f.Names() {
		err := f.open(name, func(h Header, r io.Reader) (err error) {
			s[name], err = h.readTensor(r)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return s, nil
}
