package hardware

import (
	"os"
	"strings"
	"testing"
)

// TestDocumentationHasEveryKey, in the text that explains them, and its example
// is a hardware file.
func TestDocumentationHasEveryKey(t *testing.T) {
	raw, err := os.ReadFile("../docs/hardware.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	f := &file{}
	f.listKeys()
	for _, k := range f.keys {
		name := k.path
		if section, last := cutLast(k.path); strings.HasPrefix(section, "onchip") && last != "capacity" {
			name = last // the same of every buffer
		}
		if section, _ := cutLast(name); strings.HasPrefix(section, "onchip.") {
			name = section
		}
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("no `%s` in docs/hardware.md", name)
		}
	}
	_, rest, found := strings.Cut(text, "```yaml my-board.yaml\n")
	example, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatal("no example in docs/hardware.md")
	}
	h, err := Read([]byte(example), "my-board.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if h.Name != "my-board" || !h.Separate || h.Engines != 2 || h.DRAM.Name != "ddr4-2400" {
		t.Errorf("%+v", h)
	}
}
