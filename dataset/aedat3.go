package dataset

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// aedat3Header is the size of a packet's header.
const aedat3Header = 28

// event is a polarity event.
type event struct {
	t    int64 // microseconds
	x, y int
	on   int
}

// aedat3 reads the packets of an AEDAT 3.1 file, little-endian. A packet has a
// header of
//
//	int16 type, source; int32 event size, offset of the time in an event,
//	overflow, capacity, number, valid
//
// and then room for capacity events, of which number are there. In a polarity
// packet (type 1) an event is 8 bytes: bit 0 says that it is valid, bit 1 that it
// is ON, bits 2-16 are y, bits 17-31 are x; then the time's lower 31 bits, above
// which go the overflow's. Packets of other types are skipped.
type aedat3 struct {
	path        string
	r           *bufio.Reader
	offset, end int64 // of the next byte; of the first that is not to be read
	packet      int64 // where the current packet starts
	events      int64 // of the packet, to be read
	unused      int64 // bytes behind them
	overflow    int64
}

// next returns the next valid event, or io.EOF.
func (a *aedat3) next() (event, error) {
	for {
		for a.events == 0 {
			if err := a.nextPacket(); err != nil {
				return event{}, err
			}
		}
		b, err := a.r.Peek(8)
		if err != nil {
			return event{}, short(a.path, a.offset+int64(len(b)), err, "an event")
		}
		address, low := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		at := a.offset
		a.offset += 8
		a.events--
		if _, err := a.r.Discard(8); err != nil {
			return event{}, short(a.path, at, err, "an event")
		}
		if address&1 == 0 {
			continue
		}
		e := event{
			t: a.overflow<<31 | int64(low), on: int(address >> 1 & 1),
			y: int(address >> 2 & (1<<15 - 1)), x: int(address >> 17),
		}
		if e.x >= dvs128Side || e.y >= dvs128Side {
			return event{}, atByte(a.path, at, "an event at x %d, y %d; the camera has %d x %d pixels", e.x, e.y, dvs128Side, dvs128Side)
		}
		if low >= 1<<31 {
			return event{}, atByte(a.path, at+4, "a negative time")
		}
		return e, nil
	}
}

// nextPacket skips to the events of the next packet.
func (a *aedat3) nextPacket() error {
	if err := a.skip(a.unused); err != nil {
		return err
	}
	a.unused = 0
	if a.offset == a.end {
		return io.EOF
	}
	b, err := a.r.Peek(aedat3Header)
	if err != nil {
		return short(a.path, a.offset+int64(len(b)), err, "a packet's header")
	}
	kind := int16(binary.LittleEndian.Uint16(b))
	field := func(at int) int64 { return int64(int32(binary.LittleEndian.Uint32(b[at:]))) }
	size, timeAt, overflow, capacity, number := field(4), field(8), field(12), field(16), field(20)
	valid := field(24)
	switch {
	case kind < 0:
		return atByte(a.path, a.offset, "packet type %d", kind)
	case size < 1:
		return atByte(a.path, a.offset+4, "events of %d bytes", size)
	case kind == 1 && (size != 8 || timeAt != 4):
		return atByte(a.path, a.offset+4, "polarity events of %d bytes with their time at %d; they should have 8, and 4", size, timeAt)
	case overflow < 0:
		return atByte(a.path, a.offset+12, "a time overflow of %d", overflow)
	case capacity < 0 || number < 0 || valid < 0 || number > capacity || valid > number:
		return atByte(a.path, a.offset+16, "room for %d events, %d there, %d valid", capacity, number, valid)
	case capacity*size > a.end-a.offset-aedat3Header: // below 2^62
		return atByte(a.path, a.end, "the file ends within the packet that starts at byte %d: %w", a.offset, io.ErrUnexpectedEOF)
	}
	a.packet = a.offset
	if err := a.skip(aedat3Header); err != nil {
		return err
	}
	if kind != 1 {
		a.unused = capacity * size
		return nil
	}
	a.events, a.unused, a.overflow = number, (capacity-number)*size, overflow
	return nil
}

// skip reads over n bytes.
func (a *aedat3) skip(n int64) error {
	for n > 0 {
		done, err := a.r.Discard(int(min(n, 1<<30)))
		a.offset += int64(done)
		n -= int64(done)
		if err != nil {
			return short(a.path, a.offset, err, "a packet")
		}
	}
	return nil
}

// block is a run of packets, and the first and last time in it.
type block struct{ from, to, first, last int64 }

// blockBytes is where a block ends with the packet.
const blockBytes = 1 << 16

// indexAEDAT3 reads a whole file of that size, checks it, and says where which
// times are. Packets ought to be in the order of their times; blocks do not
// rely on it.
func indexAEDAT3(path string, from io.Reader, size int64) ([]block, error) {
	a := aedat3{path: path, r: bufio.NewReaderSize(from, 1<<16), end: size}
	var err error
	if a.offset, err = aedatHeader(path, a.r, "#!AER-DAT3.1", "#!END-HEADER"); err != nil {
		return nil, err
	}
	var blocks []block
	for {
		e, err := a.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		n := len(blocks)
		if n == 0 || a.packet-blocks[n-1].from >= blockBytes {
			blocks = append(blocks, block{from: a.packet, first: e.t, last: e.t})
			n++
		}
		b := &blocks[n-1]
		b.to = a.offset + a.events*8 + a.unused
		b.first, b.last = min(b.first, e.t), max(b.last, e.t)
	}
	return blocks, nil
}
