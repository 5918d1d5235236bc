package hdf5

import (
	"bytes"
	"fmt"
)

// link is a name in a group.
type link struct {
	name    string
	address uint64
}

// group reads a group and all that is in it.
func (r *reader) group(messages []message, depth int) (*Group, error) {
	links, err := r.links(messages)
	if err != nil {
		return nil, err
	}
	g := NewGroup()
	for _, l := range links {
		if g.Groups[l.name] != nil || g.Datasets[l.name] != nil {
			return nil, fmt.Errorf("has %q twice", l.name)
		}
		group, dataset, err := r.object(l.address, depth+1)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		if dataset != nil {
			g.Datasets[l.name] = dataset
		} else {
			g.Groups[l.name] = group
		}
	}
	return g, nil
}

// links returns the names of a group: in a table of symbols, or in messages.
func (r *reader) links(messages []message) (links []link, err error) {
	table, err := find(messages, symbolTableMessage)
	if err != nil {
		return nil, err
	}
	if table != nil {
		return r.symbols(table.body)
	}
	info, err := find(messages, linkInfoMessage)
	if err != nil {
		return nil, err
	}
	if info == nil {
		return nil, fmt.Errorf("is neither a group nor a dataset")
	}
	if err := r.linkInfo(info.body); err != nil {
		return nil, err
	}
	for i := range messages {
		if messages[i].kind != linkMessage {
			continue
		}
		l, err := r.link(messages[i].body)
		if err != nil {
			return nil, err
		}
		links = append(links, l)
	}
	return links, nil
}

// linkInfo refuses groups whose links are in a heap of their own.
func (r *reader) linkInfo(b block) error {
	b.take(1)
	if flags := b.uint(1); flags&1 != 0 {
		b.take(8)
	}
	if heap := b.take(r.offsets); b.short || !bytes.Equal(heap, bytes.Repeat([]byte{0xff}, r.offsets)) {
		return fmt.Errorf("keeps many names in a fractal heap, which is not read; write the file with the library's default version (in h5py without libver)")
	}
	return nil
}

// link reads a link message.
func (r *reader) link(b block) (l link, err error) {
	version, flags := b.uint(1), b.uint(1)
	kind := uint64(0)
	if flags&8 != 0 {
		kind = b.uint(1)
	}
	if flags&4 != 0 {
		b.take(8) // order of creation
	}
	if flags&16 != 0 {
		b.take(1) // character set
	}
	length := b.uint(1 << (flags & 3))
	if length > maxName {
		return l, fmt.Errorf("has a name of %d bytes; at most %d are read", length, maxName)
	}
	l.name = string(b.take(int(length)))
	l.address = b.uint(r.offsets)
	switch {
	case b.short || version != 1:
		return l, fmt.Errorf("has a link that is none")
	case kind != 0:
		return l, fmt.Errorf("%s: is a soft or external link; hard ones are read", l.name)
	}
	return l, nil
}

// symbols reads a table of symbols: a B-tree whose leaves list names in a heap.
func (r *reader) symbols(b block) ([]link, error) {
	tree, names := b.uint(r.offsets), b.uint(r.offsets)
	if b.short {
		return nil, fmt.Errorf("ends within a table of symbols")
	}
	heap, err := r.localHeap(names)
	if err != nil {
		return nil, err
	}
	var links []link
	err = r.tree(tree, 0, r.lengths, maxDepth, map[uint64]bool{}, func(_ block, node uint64) error {
		found, err := r.symbolNode(node, heap)
		if len(links)+len(found) > maxObjects {
			return fmt.Errorf("has more than %d names", maxObjects)
		}
		links = append(links, found...)
		return err
	})
	return links, err
}

// localHeap reads the names of a group.
func (r *reader) localHeap(address uint64) ([]byte, error) {
	b, err := r.at(address, uint64(8+2*r.lengths+r.offsets), "a heap of names")
	if err != nil {
		return nil, err
	}
	if string(b.take(4)) != "HEAP" {
		return nil, fmt.Errorf("has no heap of names at %d", address)
	}
	b.take(4)
	size := b.uint(r.lengths)
	b.uint(r.lengths)
	data, err := r.at(b.uint(r.offsets), size, "a heap of names")
	if err != nil {
		return nil, err
	}
	return data.bytes, nil
}

// symbolNode reads a leaf of a table of symbols.
func (r *reader) symbolNode(address uint64, heap []byte) ([]link, error) {
	b, err := r.at(address, 8, "a table of symbols")
	if err != nil {
		return nil, err
	}
	if string(b.take(4)) != "SNOD" {
		return nil, fmt.Errorf("has no table of symbols at %d", address)
	}
	b.take(2)
	count := b.uint(2)
	entry := uint64(2*r.offsets + 24)
	if b, err = r.at(address+8, count*entry, "a table of symbols"); err != nil {
		return nil, err
	}
	links := make([]link, 0, count)
	for range count {
		offset, address, kind := b.uint(r.offsets), b.uint(r.offsets), b.uint(4)
		b.take(20)
		if kind == 2 {
			return nil, fmt.Errorf("has a soft link; hard ones are read")
		}
		if offset > uint64(len(heap)) {
			return nil, fmt.Errorf("has a name outside its heap")
		}
		name, _, ended := bytes.Cut(heap[offset:], []byte{0})
		if !ended || len(name) > maxName {
			return nil, fmt.Errorf("has a name of more than %d bytes, or without an end", maxName)
		}
		links = append(links, link{string(name), address})
	}
	return links, nil
}

// tree visits the leaves of a B-tree of version 1: the key before each, and its
// address.
func (r *reader) tree(address uint64, kind, key, depth int, seen map[uint64]bool, visit func(key block, child uint64) error) error {
	if depth == 0 || seen[address] {
		return fmt.Errorf("has a B-tree that leads back to itself")
	}
	seen[address] = true
	head := uint64(8 + 2*r.offsets)
	b, err := r.at(address, head, "a B-tree")
	if err != nil {
		return err
	}
	if string(b.take(4)) != "TREE" || int(b.uint(1)) != kind {
		return fmt.Errorf("has no B-tree at %d", address)
	}
	level, count := b.uint(1), b.uint(2)
	if b, err = r.at(address+head, count*uint64(key+r.offsets), "a B-tree"); err != nil {
		return err
	}
	for range count {
		before := block{bytes: b.take(key)}
		child := b.uint(r.offsets)
		if level > 0 {
			err = r.tree(child, kind, key, depth-1, seen, visit)
		} else {
			err = visit(before, child)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
