package sweep

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// Setting gives a key of a hardware file another value. The key names the path
// through mappings, and through lists by position: "dram.device", "buffers.0.size".
type Setting struct{ Key, Value string }

// apply returns the hardware file with the setting made. It knows no keys:
// [hardware.Read] refuses those that do not exist.
func (s Setting) apply(text []byte) ([]byte, error) {
	var tree yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(text, &tree, yaml.UseOrderedMap()); err != nil {
		return nil, errors.New(oneLine(err))
	}
	var value any
	if err := yaml.UnmarshalWithOptions([]byte(s.Value), &value, yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("%s: %q is not a value: %s", s.Key, s.Value, oneLine(err))
	}
	edited, err := set(tree, strings.Split(s.Key, "."), value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Key, err)
	}
	return yaml.Marshal(edited)
}

// set returns the tree with the value at that path.
func set(tree any, path []string, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	switch node := tree.(type) {
	case nil:
		inner, err := set(nil, path[1:], value)
		return yaml.MapSlice{{Key: path[0], Value: inner}}, err
	case yaml.MapSlice:
		for i := range node {
			if fmt.Sprint(node[i].Key) == path[0] {
				inner, err := set(node[i].Value, path[1:], value)
				node[i].Value = inner
				return node, err
			}
		}
		inner, err := set(nil, path[1:], value)
		return append(node, yaml.MapItem{Key: path[0], Value: inner}), err
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i < 0 || i >= len(node) {
			return nil, fmt.Errorf("%q is not a position in a list of %d", path[0], len(node))
		}
		node[i], err = set(node[i], path[1:], value)
		return node, err
	}
	return nil, fmt.Errorf("%q is below a key that has a value, not keys", path[0])
}
