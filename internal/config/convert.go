package config

import (
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/accelsim-dev/accelsim/internal/input"
)

// converter turns the YAML package's tree into ours: anchors, aliases, tags and
// merge keys are resolved, comments are gone. An alias is the node itself that
// its anchor names, so that a short file cannot stand for a large tree.
type converter struct {
	document *Document
	anchors  map[string]*Node
	keys     int
}

func (c *converter) node(n ast.Node, key string, depth int) (*Node, error) {
	if depth > input.MaxDepth {
		return nil, c.document.At(lineOf(n), "", "is nested more than %d deep", input.MaxDepth)
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		value, err := c.node(n.Value, key, depth+1)
		if err == nil {
			c.anchors[n.Name.GetToken().Value] = value
		}
		return value, err
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		value, ok := c.anchors[name]
		if !ok {
			return nil, c.document.At(lineOf(n), key, "*%s names nothing; write &%s before a value above it", name, name)
		}
		return value, nil
	case *ast.TagNode:
		return c.tagged(n, key, depth)
	case ast.MapNode: // *ast.MappingNode, *ast.MappingValueNode
		return c.mapping(n.(interface {
			ast.Node
			ast.MapNode
		}), key, depth)
	case *ast.SequenceNode:
		list := &Node{Kind: Sequence, Line: lineOf(n)}
		for i, v := range n.Values {
			item, err := c.node(v, key+"["+strconv.Itoa(i)+"]", depth+1)
			if err != nil {
				return nil, err
			}
			list.Items = append(list.Items, item)
		}
		return list, nil
	case *ast.NullNode:
		return &Node{Line: lineOf(n), Text: n.GetToken().Value}, nil
	case *ast.StringNode:
		quoted := n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType
		return &Node{Kind: Scalar, Line: lineOf(n), Text: n.Value, Quoted: quoted}, nil
	case *ast.LiteralNode:
		return &Node{Kind: Scalar, Line: lineOf(n), Text: n.Value.Value, Quoted: true}, nil
	case ast.ScalarNode:
		return &Node{Kind: Scalar, Line: lineOf(n), Text: n.GetToken().Value}, nil
	}
	return nil, c.document.At(lineOf(n), key, "is no value")
}

// tagged reads a value with one of YAML's own tags.
func (c *converter) tagged(n *ast.TagNode, key string, depth int) (*Node, error) {
	value, err := c.node(n.Value, key, depth+1)
	if err != nil {
		return nil, err
	}
	switch tag := n.Start.Value; tag {
	case "!!str":
		if value.Kind == Scalar {
			text := *value
			text.Quoted = true
			return &text, nil
		}
	case "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq":
	default:
		return nil, c.document.At(lineOf(n), key, "has the tag %s; leave it out", tag)
	}
	return value, nil
}

func (c *converter) mapping(n interface {
	ast.Node
	ast.MapNode
}, section string, depth int,
) (*Node, error) {
	m := &Node{Kind: Mapping, Line: lineOf(n)}
	seen := map[string]int{} // lines
	var merged []*Node
	for pairs := n.MapRange(); pairs.Next(); {
		pair := pairs.KeyValue()
		if c.keys++; c.keys > input.MaxKeys {
			return nil, c.document.At(lineOf(pair), "", "has more than %d keys", input.MaxKeys)
		}
		if pair.Key.IsMergeKey() {
			value, err := c.node(pair.Value, join(section, "<<"), depth+1)
			if err != nil {
				return nil, err
			}
			merged = append(merged, value)
			continue
		}
		name, err := c.name(pair.Key, section, depth)
		if err != nil {
			return nil, err
		}
		key := join(section, name)
		if before, twice := seen[name]; twice {
			return nil, c.document.At(lineOf(pair.Key), key, "is there twice; it is on line %d too", before)
		}
		seen[name] = lineOf(pair.Key)
		value, err := c.node(pair.Value, key, depth+1)
		if err != nil {
			return nil, err
		}
		m.Pairs = append(m.Pairs, Pair{name, seen[name], value})
	}
	if len(m.Pairs) > 0 && m.Line > m.Pairs[0].Line {
		m.Line = m.Pairs[0].Line
	}
	for _, from := range merged {
		if err := c.merge(m, from, seen, section); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// name returns a key, which must be a scalar.
func (c *converter) name(n ast.Node, section string, depth int) (string, error) {
	line := lineOf(n)
	if explicit, ok := n.(*ast.MappingKeyNode); ok { // "? key"
		n = explicit.Value
	}
	var name *Node
	if n != nil {
		var err error
		if name, err = c.node(n, section, depth+1); err != nil {
			return "", err
		}
	}
	if name == nil || name.Kind == Mapping || name.Kind == Sequence {
		return "", c.document.At(line, section, "has a key that is not a name")
	}
	return strings.TrimSpace(name.Text), nil
}

// merge adds the keys of a mapping, or of a list of them, that are not there yet:
// YAML's merge key.
func (c *converter) merge(to, from *Node, seen map[string]int, section string) error {
	if from.Kind == Sequence {
		for _, item := range from.Items {
			if item.Kind == Sequence {
				return c.document.At(item.Line, join(section, "<<"), "is not a mapping, or a list of mappings")
			}
			if err := c.merge(to, item, seen, section); err != nil {
				return err
			}
		}
		return nil
	}
	if from.Kind != Mapping {
		return c.document.At(from.Line, join(section, "<<"), "is not a mapping, or a list of mappings")
	}
	if c.keys += len(from.Pairs); c.keys > input.MaxKeys {
		return c.document.At(from.Line, "", "has more than %d keys", input.MaxKeys)
	}
	for _, p := range from.Pairs {
		if _, there := seen[p.Name]; !there {
			seen[p.Name] = p.Line
			to.Pairs = append(to.Pairs, p)
		}
	}
	return nil
}
