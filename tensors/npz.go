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
	"os"
	"path/filepath"
	"sort"
	"strings"
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

// WriteFile writes an NPZ file by way of a temporary one, so that the file is
// either complete or untouched.
func (s Set) WriteFile(path string) error {
	return WriteAtomically(path, func(w io.Writer) error {
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
	})
}

// WriteAtomically lets write fill a temporary file beside path, flushes it to
// the disk and renames it to path. On any error (a full disk, a kill) what was
// at path before is still there.
func WriteAtomically(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	if err = write(w); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err = w.Flush(); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err = f.Close(); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
