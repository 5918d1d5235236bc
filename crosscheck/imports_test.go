package crosscheck_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is what this module's packages begin with.
const module = "github.com/accelsim-dev/accelsim/"

// dependencies returns the packages of this module that a package is built
// from, itself included.
func dependencies(t *testing.T, pattern string) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{.ImportPath}} {{join .Deps \" \"}}", pattern).CombinedOutput()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", pattern, err, out)
	}
	packages := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		from := strings.TrimPrefix(fields[0], module)
		for _, f := range fields[1:] {
			if name, ok := strings.CutPrefix(f, module); ok {
				packages[from] = append(packages[from], name)
			}
		}
	}
	return packages
}

// TestArrowsPointOneWay is THE rule of this project: the simulator never asks
// the equations nor the trainer that it is checked with, not even through
// another package.
func TestArrowsPointOneWay(t *testing.T) {
	for _, c := range []struct {
		pattern string
		never   []string
	}{
		{"sim/...", []string{"analytic", "golden", "crosscheck", "internal/design", "report", "sweep", "internal/figures"}},
		{"role/...", []string{"analytic", "golden", "crosscheck", "sim", "schedule", "pe", "dram", "onchip", "energy"}},
		{"schedule/...", []string{"analytic", "golden", "crosscheck", "sim", "pe", "dram", "onchip", "energy"}},
		{"op/...", []string{"analytic", "golden", "crosscheck", "sim", "tiling", "dram", "onchip", "energy"}},
		{"tiling/...", []string{"analytic", "golden", "crosscheck", "sim"}},
		{"dram/...", []string{"analytic", "golden", "crosscheck", "sim", "schedule", "pe", "network"}},
		{"onchip/...", []string{"analytic", "golden", "crosscheck", "sim", "schedule", "pe", "network"}},
		{"pe/...", []string{"analytic", "golden", "crosscheck", "sim", "dram", "onchip"}},
		{"hardware/...", []string{"analytic", "golden", "crosscheck", "sim", "schedule", "op", "tiling"}},
		{"energy/...", []string{"analytic", "golden", "crosscheck", "sim", "schedule"}},
		{"hdl/...", []string{"analytic", "golden"}},
		{"golden/...", []string{"role", "op", "pe", "sim", "schedule", "dram", "onchip", "tiling", "analytic", "crosscheck"}},
		{"analytic/...", []string{"role", "op", "pe", "sim", "schedule", "dram", "onchip", "tiling", "golden", "crosscheck"}},
		{"network/...", []string{"analytic", "golden", "crosscheck", "sim", "schedule", "pe", "dram", "onchip"}},
		{"units/...", []string{"network", "analytic", "golden", "sim", "schedule", "pe", "dram", "onchip"}},
	} {
		packages := dependencies(t, module+c.pattern)
		if len(packages) == 0 {
			t.Errorf("%s has no packages", c.pattern)
		}
		for name, uses := range packages {
			for _, used := range uses {
				if top, _, _ := strings.Cut(used, "/"); slices.Contains(c.never, top) {
					t.Errorf("%s is built from %s", name, used)
				}
			}
		}
	}
}

// TestEquationsKnowNetworksOnly: analytic/ is built from network/ and what that
// is built from, and nothing else of this module.
func TestEquationsKnowNetworksOnly(t *testing.T) {
	allowed := append(dependencies(t, module+"network")["network"], "analytic")
	for _, used := range dependencies(t, module+"analytic")["analytic"] {
		if !slices.Contains(allowed, used) {
			t.Errorf("analytic is built from %s", used)
		}
	}
}
