package dataset

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/accelsim-dev/accelsim/network"
)

// dvs128Side is the height and width of the DVS128 camera.
const dvs128Side = 128

var cifarClasses = [...]string{
	"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
}

func openCIFAR10DVS(dir, split string, _ network.Dataset) (source, error) {
	dir, err := folder(dir, cifarClasses[0], "CIFAR10DVS", "cifar10-dvs", "extract")
	if err != nil {
		return nil, err
	}
	s := &recordings{decode: func(path string, f *os.File, c *canvas) error { return readAEDAT2(path, f, c) }}
	for label, class := range cifarClasses {
		if err := s.addClass(filepath.Join(dir, class), ".aedat", split, label); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// readAEDAT2 draws a DVS128 recording: '#' header lines, then pairs of a 32-bit
// address and a 32-bit time in microseconds, big-endian.
//
// An address has its polarity in bit 0, x in bits 1-7 and y in bits 8-14.
// Bits 15 and 31 mark what is no pixel's event (a synchronisation input). As in
// the reader that CIFAR10-DVS names (dat2mat.m), polarity 1 is OFF and the
// first event is time 0. Its camera was turned: rows are 127-x and columns
// 127-y here, the orientation in common use.
func readAEDAT2(path string, from io.Reader, c *canvas) error {
	const special = 1<<15 | 1<<31
	r := bufio.NewReaderSize(from, 1<<16)
	offset, err := aedatHeader(path, r, "#!AER-DAT2.0", "")
	if err != nil {
		return err
	}
	var record [8]byte
	start, started := int64(0), false
	for ; ; offset += int64(len(record)) {
		n, err := io.ReadFull(r, record[:])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return short(path, offset+int64(n), err, "an event of 8 bytes")
		}
		address := binary.BigEndian.Uint32(record[:])
		if address&special != 0 {
			continue
		}
		if address>>15 != 0 {
			return atByte(path, offset, "address %#x is not one of a DVS128 camera", address)
		}
		t := int64(int32(binary.BigEndian.Uint32(record[4:])))
		if !started {
			start, started = t, true
		}
		x, y, off := int(address>>1&127), int(address>>8&127), int(address&1)
		c.event(t-start, dvs128Side-1-x, dvs128Side-1-y, 1-off)
	}
}

// aedatHeader reads the header lines, the first of which names the version. The
// header ends before the first line without '#', or after the line end, if
// there is to be one. It returns the number of bytes read.
func aedatHeader(path string, r *bufio.Reader, version, end string) (offset int64, err error) {
	for first := true; ; first = false {
		if end == "" && !first {
			if next, err := r.Peek(1); err != nil || next[0] != '#' {
				return offset, nil // an error comes again with the first event
			}
		}
		text, err := r.ReadSlice('\n')
		line := strings.TrimRight(string(text), "\r\n")
		switch {
		case first && !strings.HasPrefix(line, "#!AER-DAT"):
			return 0, atByte(path, offset, "no AEDAT file: it should start with %q", version)
		case first && line != version && err == nil:
			return 0, atByte(path, offset, "its version line is %q; it should be %q", line, version)
		case errors.Is(err, bufio.ErrBufferFull):
			return 0, atByte(path, offset, "a header line of over %d bytes", len(text))
		case err != nil:
			return 0, short(path, offset+int64(len(text)), err, "the header")
		case end != "" && !strings.HasPrefix(line, "#"):
			return 0, atByte(path, offset, "the header ends without %q", end)
		}
		offset += int64(len(text))
		if end != "" && line == end {
			return offset, nil
		}
	}
}
