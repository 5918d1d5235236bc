package sweep

import (
	"fmt"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/config"
)

// Setting gives a key of a hardware file another value. The key names the path
// through mappings, and through lists by position: "dram.device", "buffers.0.size".
type Setting struct{ Key, Value string }

// apply returns the hardware file with the setting made. It knows no keys:
// [hardware.Decode] refuses those that do not exist.
func (s Setting) apply(d *config.Document) (*config.Document, error) {
	value, err := config.Parse([]byte(s.Value), s.Key, "a value")
	if err != nil {
		return nil, err
	}
	root, err := d.Root.With(strings.Split(s.Key, "."), value.Root)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Key, err)
	}
	return &config.Document{File: d.File, Root: root}, nil
}
