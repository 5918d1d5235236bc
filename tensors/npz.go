// Package tensors reads and writes the NPZ files of `--tensors` and `--dump`:
// named arrays, checked against a workload.
//
// [Open] and [Set.WriteFile] know the format, [ReadInput] what the names mean:
// the batch and the initial parameters of an iteration. What a file declares, its
// arrays' names, types and shapes, is held to the workload before any of their
// values is decompressed. Blocks, layers and intervals count from 1 in names and
// from 0 in slices.
package tensors

import (
	"archive/zip"
	"fmt"
	"io"
	"sort"

	"github.com/accelsim-dev/accelsim/internal/output"
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

// Header implements [Arrays].
func (s Set) Header(name string) (Header, error) {
	h, err := newHeader(s[name].DType(), s[name].Shape, false)
	if err == nil && h.Len() != s[name].Len() {
		err = fmt.Errorf("shape %s has %d values, there are %d", ShapeString(h.Shape), h.Len(), s[name].Len())
	}
	if err != nil {
		return h, fmt.Errorf("%s: %w", name, err)
	}
	return h, nil
}

// Each implements [Arrays].
func (s Set) Each(name string, do func(i int, v Value) error) error {
	t := s[name]
	for i := range t.Len() {
		v := Value{isWhole: t.Int64 != nil || t.Uint8 != nil}
		switch {
		case t.Int64 != nil:
			v.whole = t.Int64[i]
		case t.Uint8 != nil:
			v.whole = int64(t.Uint8[i])
		default:
			v.float = t.At(i)
		}
		if err := do(i, v); err != nil {
			return fmt.Errorf("%s: %w", name, &valueError{i, err})
		}
	}
	return nil
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
