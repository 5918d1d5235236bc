package dataset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/network"
)

// cifarRecord is a label and 32x32 red, then green, then blue bytes.
const cifarRecord = 1 + 3*32*32

// cifar10 is a split in CIFAR-10's binary version.
type cifar10 struct {
	files   []*os.File
	behind  []int // the number of the first sample after each file
	classes int
}

func openCIFAR10(dir, split string, d network.Dataset) (_ source, err error) {
	names := []string{"test_batch.bin"}
	if split == "train" {
		names = nil
		for i := range 5 {
			names = append(names, fmt.Sprintf("data_batch_%d.bin", i+1))
		}
	}
	if dir, err = folder(dir, names[0], "cifar-10-batches-bin"); err != nil {
		return nil, err
	}
	s := &cifar10{classes: d.Classes}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	for _, name := range names {
		f, size, err := input.Data(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, f)
		if rest := size % cifarRecord; rest != 0 {
			return nil, atByte(f.Name(), size, "the file ends %d bytes into a record of %d", rest, cifarRecord)
		}
		s.behind = append(s.behind, s.len()+int(size/cifarRecord))
	}
	return s, nil
}

func (s *cifar10) len() int {
	if len(s.behind) == 0 {
		return 0
	}
	return s.behind[len(s.behind)-1]
}

func (s *cifar10) close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

func (s *cifar10) read(i int, c *canvas) (int, error) {
	file, before := 0, 0
	for i >= s.behind[file] {
		before = s.behind[file]
		file++
	}
	f, offset := s.files[file], int64(i-before)*cifarRecord
	var record [cifarRecord]byte
	if n, err := f.ReadAt(record[:], offset); err != nil {
		return 0, short(f.Name(), offset+int64(n), err, "a record")
	}
	if int(record[0]) >= s.classes {
		return 0, atByte(f.Name(), offset, "label %d; the classes are 0 to %d", record[0], s.classes-1)
	}
	c.image(record[1:])
	return int(record[0]), nil
}
