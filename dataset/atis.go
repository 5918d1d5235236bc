package dataset

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/accelsim-dev/accelsim/network"
)

// The part of the ATIS camera that N-Caltech101 was recorded with.
const (
	atisHeight = 180
	atisWidth  = 240
)

// openNCaltech101 numbers the classes in their names' order.
func openNCaltech101(dir, split string, d network.Dataset) (source, error) {
	if dir == "" {
		return nil, errors.New("where is it? Give --data DIR, the folder that has the classes' folders in it")
	}
	if inner := filepath.Join(dir, "Caltech101"); exists(inner) {
		dir = inner
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	var classes []string
	for _, e := range entries {
		if e.IsDir() {
			classes = append(classes, e.Name())
		}
	}
	if len(classes) == 0 || len(classes) > d.Classes {
		return nil, fmt.Errorf("--data %s: %d folders there; a class has one each, and there are %d", dir, len(classes), d.Classes)
	}
	slices.Sort(classes)
	s := &recordings{decode: func(path string, f *os.File, c *canvas) error { return readATIS(path, f, c) }}
	for label, class := range classes {
		if err := s.addClass(filepath.Join(dir, class), ".bin", split, label); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// readATIS draws a recording of 40-bit events, big-endian: 8 bits x, 8 bits y,
// a bit that is 1 for ON, 23 bits of microseconds. An event at y = 240 is no
// pixel's: it tells that the camera's clock of 13 bits went round once more
// than the times show.
func readATIS(path string, from io.Reader, c *canvas) error {
	const overflowRow, overflowTime = 240, 1 << 13
	r := bufio.NewReaderSize(from, 1<<16)
	var record [5]byte
	start := int64(0)
	for offset := int64(0); ; offset += int64(len(record)) {
		n, err := io.ReadFull(r, record[:])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return short(path, offset+int64(n), err, "an event of 5 bytes")
		}
		x, y, on := int(record[0]), int(record[1]), int(record[2]>>7)
		if y == overflowRow {
			start += overflowTime
			continue
		}
		if x >= atisWidth || y >= atisHeight {
			return atByte(path, offset, "an event at x %d, y %d; the recording has %d x %d pixels", x, y, atisWidth, atisHeight)
		}
		t := int64(record[2]&127)<<16 | int64(record[3])<<8 | int64(record[4])
		c.event(start+t, y, x, on)
	}
}
