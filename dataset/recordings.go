package dataset

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/input"
)

// recordings is a split of a dataset with a folder per class and a file per
// sample.
type recordings struct {
	files  []recording
	decode func(path string, f *os.File, c *canvas) error
}

type recording struct {
	path  string
	label int
}

func (s *recordings) len() int     { return len(s.files) }
func (s *recordings) close() error { return nil }

func (s *recordings) read(i int, c *canvas) (int, error) {
	r := s.files[i]
	f, _, err := input.Data(r.path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return r.label, s.decode(r.path, f, c)
}

// addClass adds those files of a class's folder that belong to the split.
func (s *recordings) addClass(dir, extension, split string, label int) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && strings.EqualFold(filepath.Ext(e.Name()), extension) {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("%s: no %s file there", dir, extension)
	}
	for i, name := range natural(names) {
		if (i%10 == 9) == (split == "test") {
			s.files = append(s.files, recording{filepath.Join(dir, name), label})
		}
	}
	return nil
}

// natural orders file names that differ in a number: a_9 before a_10.
func natural(names []string) []string {
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	return names
}
