// Package tensors reads and writes the NPZ files of `--tensors` and `--dump`:
// named arrays, checked against a workload.
//
// [ReadFile] and [Set.WriteFile] know the format, [Set.Input] what the names
// mean: the batch and the initial parameters of an iteration. Blocks, layers
// and intervals count from 1 in names and from 0 in slices.
package tensors

import (
	"archive/zip"
	"bufio"
	"fmt"
	"io"
	"sort"
	"strings"

	"accelsim/internal/output"
)

// Set is the content of an NPZ file: arrays by name, without ".npy".
type Set map[string]Tensor

// Names returns the names, sorted.
func (s Set) Names() []string {
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// ReadFile reads an NPZ file. Errors name the file and the array.
func ReadFile(path string) (Set, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: not a readable NPZ file: %w", path, err)
	}
	defer z.Close()
	s := Set{}
	for _, f := range z.File {
		name, isArray := strings.CutSuffix(f.Name, ".npy")
		if !isArray {
			return nil, fmt.Errorf("%s: %q is not a .npy array", path, f.Name)
		}
		t, err := readEntry(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %s (at byte %d): %w", path, name, offset(f), err)
		}
		s[name] = t
	}
	return s, nil
}

// offset is where the entry's data starts, 0 if even that is unreadable.
func offset(f *zip.File) int64 {
	at, err := f.DataOffset()
	if err != nil {
		return 0
	}
	return at
}

func readEntry(f *zip.File) (Tensor, error) {
	r, err := f.Open()
	if err != nil {
		return Tensor{}, err
	}
	defer r.Close()
	return readNPY(bufio.NewReader(r))
}

// WriteFile writes an NPZ file, whole or not at all.
func (s Set) WriteFile(path string) error { return output.WriteFile(path, s.Write) }

// Write writes what an NPZ file holds.
func (s Set) Write(w io.Writer) error {
	z := zip.NewWriter(w)
	for _, name := range s.Names() {
		entry, err := z.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Deflate})
		if err != nil {
			return err
		}
		if err := writeNPY(entry, s[name]); err != nil {
			return err
		}
	}
	return z.Close()
}
