package hdf5

import (
	"fmt"
	"slices"
)

// The messages of an object's header that are read.
const (
	dataspaceMessage    = 0x01
	linkInfoMessage     = 0x02
	datatypeMessage     = 0x03
	linkMessage         = 0x06
	externalMessage     = 0x07
	layoutMessage       = 0x08
	filterMessage       = 0x0b
	continuationMessage = 0x10
	symbolTableMessage  = 0x11
)

// message is one message of an object's header.
type message struct {
	kind   int
	shared bool // its contents are elsewhere
	body   block
}

// object reads the group or dataset whose header is at an address.
func (r *reader) object(address uint64, depth int) (*Group, *Dataset, error) {
	switch {
	case r.objects[address]:
		return nil, nil, fmt.Errorf("is linked twice")
	case len(r.objects) == maxObjects:
		return nil, nil, fmt.Errorf("the file has more than %d objects", maxObjects)
	case depth > maxDepth:
		return nil, nil, fmt.Errorf("lies more than %d groups deep", maxDepth)
	}
	r.objects[address] = true
	messages, err := r.header(address)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range messages {
		if m.kind == layoutMessage {
			d, err := r.dataset(messages)
			return nil, d, err
		}
	}
	g, err := r.group(messages, depth)
	return g, nil, err
}

// header reads the messages of an object's header.
func (r *reader) header(address uint64) ([]message, error) {
	const prefix = 16
	b, err := r.at(address, min(prefix, r.size-min(address, r.size)), "an object's header")
	if err != nil {
		return nil, err
	}
	if len(b.bytes) == prefix && string(b.bytes[:4]) == "OHDR" {
		return r.header2(address)
	}
	if version := b.uint(1); version != 1 {
		return nil, fmt.Errorf("has no object header at %d", address)
	}
	b.take(1 + 2 + 4) // reserved, number of messages, references
	size := b.uint(4)
	if b.short {
		return nil, fmt.Errorf("ends within an object's header")
	}
	h := headerReader{reader: r}
	return h.messages, h.read(address+prefix, size, "")
}

// header2 reads a header of version 2.
func (r *reader) header2(address uint64) ([]message, error) {
	const longest = 4 + 1 + 1 + 16 + 4 + 8
	b, err := r.at(address, min(longest, r.size-address), "an object's header")
	if err != nil {
		return nil, err
	}
	before := len(b.bytes)
	b.take(4)
	version, flags := b.uint(1), b.uint(1)
	if version != 2 {
		return nil, fmt.Errorf("has an object header of version %d; 1 and 2 are read", version)
	}
	if flags&0x20 != 0 {
		b.take(16) // times
	}
	if flags&0x10 != 0 {
		b.take(4) // attributes
	}
	size := b.uint(1 << (flags & 3))
	if b.short {
		return nil, fmt.Errorf("ends within an object's header")
	}
	h := headerReader{reader: r, second: true, ordered: flags&4 != 0}
	return h.messages, h.read(address+uint64(before-len(b.bytes)), size, "")
}

// headerReader collects the messages of a header that may go on elsewhere.
type headerReader struct {
	*reader
	second, ordered bool
	messages        []message
	bytes           uint64
}

// read reads a part of a header.
func (h *headerReader) read(address, size uint64, sign string) error {
	if h.bytes += size; size > maxHeader || h.bytes > maxHeader {
		return fmt.Errorf("has an object header of more than %d bytes", maxHeader)
	}
	b, err := h.at(address, size, "an object's header")
	if err != nil {
		return err
	}
	if sign != "" && string(b.take(4)) != sign {
		return fmt.Errorf("has no %s at %d, where an object's header goes on", sign, address)
	}
	if sign != "" {
		b.bytes = b.bytes[:max(len(b.bytes)-4, 0)] // the checksum
	}
	type part struct{ address, size uint64 }
	var more []part
	least := 8
	if h.second {
		least = 4
	}
	for len(b.bytes) >= least {
		m, size := h.message(b)
		m.body = block{bytes: b.take(size)}
		if b.short {
			return fmt.Errorf("has a message that is longer than its object's header")
		}
		if m.kind == continuationMessage {
			more = append(more, part{m.body.uint(h.offsets), m.body.uint(h.lengths)})
			continue
		}
		h.messages = append(h.messages, m)
	}
	next := ""
	if h.second {
		next = "OCHK"
	}
	for _, p := range more {
		if p.size == 0 {
			return fmt.Errorf("has an object header that goes on with nothing")
		}
		if err := h.read(p.address, p.size, next); err != nil {
			return err
		}
	}
	return nil
}

// message takes what stands before a message's contents.
func (h *headerReader) message(b *block) (m message, size int) {
	if h.second {
		m.kind, size = int(b.uint(1)), int(b.uint(2))
		m.shared = b.uint(1)&2 != 0
		if h.ordered {
			b.take(2)
		}
		return m, size
	}
	m.kind, size = int(b.uint(2)), int(b.uint(2))
	m.shared = b.uint(1)&2 != 0
	b.take(3)
	return m, size
}

// find returns the message of a kind; nil without one.
func find(messages []message, kind int) (*message, error) {
	i := slices.IndexFunc(messages, func(m message) bool { return m.kind == kind })
	if i < 0 {
		return nil, nil
	}
	if m := &messages[i]; !m.shared {
		return m, nil
	}
	return nil, fmt.Errorf("shares its type or shape with another object; files that do are not read")
}
