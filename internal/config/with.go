package config

import (
	"fmt"
	"slices"
	"strconv"
)

// With returns a tree whose value at that path is another; mappings that are not
// there are made, and lists are entered by position. The tree itself stays.
func (n *Node) With(path []string, value *Node) (*Node, error) {
	switch {
	case len(path) == 0:
		return value, nil
	case n == nil || n.Kind == Null:
		n = &Node{Kind: Mapping}
	case n.Kind == Scalar:
		return nil, fmt.Errorf("%q is below a key that has a value, not keys", path[0])
	case n.Kind == Sequence:
		return n.withItem(path, value)
	}
	edited := *n
	at := slices.IndexFunc(n.Pairs, func(p Pair) bool { return p.Name == path[0] })
	if at < 0 {
		at = len(n.Pairs)
		edited.Pairs = append(slices.Clip(n.Pairs), Pair{Name: path[0]})
	} else {
		edited.Pairs = slices.Clone(n.Pairs)
	}
	var err error
	edited.Pairs[at].Value, err = edited.Pairs[at].Value.With(path[1:], value)
	return &edited, err
}

func (n *Node) withItem(path []string, value *Node) (*Node, error) {
	i, err := strconv.Atoi(path[0])
	if err != nil || i < 0 || i >= len(n.Items) {
		return nil, fmt.Errorf("%q is not a position in a list of %d", path[0], len(n.Items))
	}
	edited := *n
	edited.Items = slices.Clone(n.Items)
	edited.Items[i], err = n.Items[i].With(path[1:], value)
	return &edited, err
}
