package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// board returns the example of docs/hardware.md, with something replaced.
func board(t *testing.T, old, new string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/hardware.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml my-board.yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	if !strings.Contains(example, old) {
		t.Fatalf("%q is not in the example", old)
	}
	return tempFile(t, "my-board.yaml", strings.ReplaceAll(example, old, new))
}

// TestTheDocumentedBoardRuns: its report says what the file says, and what each
// buffer was used for.
func TestTheDocumentedBoardRuns(t *testing.T) {
	stdout := succeed(t, "run", "--net", "lenet1", "--k", "4", "--n", "2", "--hw", board(t, "", ""))
	for _, want := range []string{
		"my-board: 16x28 PEs at 200 MHz, 64 lanes, fp16, 2 DMA engines; ddr4-2400, 1 channel(s), 2 ranks",
		"weights 524.3 kB in 16 banks of 2 port(s), states 1.049 MB in 32 banks of 2 port(s)",
		"words of 2 bytes", "cross-check: PASS", "PEs wait for on-chip ports", "On chip: a buffer for each kind of tensor",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
}

func TestLayersAreBoundByFewPorts(t *testing.T) {
	few := board(t, "ports: 2", "ports: 1")
	tree := decodeJSON(t, "run", "--net", "lenet1", "--k", "4", "--n", "2", "--hw", few)
	if valueAt(tree, "attribution.parts.0.bottleneck") != "on-chip ports" {
		t.Errorf("layer 1 is bound by %v", valueAt(tree, "attribution.parts.0.bottleneck"))
	}
	for key, want := range map[string]any{"hardware.precision": "fp16", "onchip.buffers.0.holds": "weights"} {
		if valueAt(tree, key) != want {
			t.Errorf("%s is %v, want %v", key, valueAt(tree, key), want)
		}
	}
	for _, key := range []string{"cycles.stall_ports", "onchip.buffers.0.energy_pj", "onchip.buffers.0.ports", "attribution.parts.0.phases.0.wait_ports_ps"} {
		if v := valueAt(tree, key); v == nil {
			t.Errorf("no %s", key)
		}
	}
}

// TestOtherPrecisionsRefuseTensors in one line that says what to do.
func TestOtherPrecisionsRefuseTensors(t *testing.T) {
	half := board(t, "", "")
	const want = "my-board is fp16 hardware: tensors are computed in fp32, or with a datapath in fixed point of up to 32 bits; use hardware with precision: fp32, or leave out the tensors"
	base := "../../testdata/vectors/fc-bptt"
	for _, args := range [][]string{
		{"run", "--net", base + ".yaml", "--tensors", base + ".in.npz", "--hw", half},
		{"run", "--net", base + ".yaml", "--tensors", base + ".in.npz", "--datapath", "q4.12", "--hw", half},
		{"verify", "--net", base + ".yaml", "--hw", half},
	} {
		status, stdout, stderr := commandLine(t, args...)
		if status != exitBadInput || stdout != "" || stderr != "accelsim: "+want+"\n" {
			t.Errorf("%v: exit %d, %q, %q", args[:1], status, stdout, stderr)
		}
	}
}

func TestRTLRefusesNarrowWords(t *testing.T) {
	status, _, stderr := commandLine(t, "hdl", "--net", "lenet1", "--hw", board(t, "", ""), "--out", t.TempDir())
	if status != exitBadInput || stderr != "accelsim: hardware my-board: pe.precision is fp16; words in the RTL's address map have 4 bytes, write fp32 or fixed32\n" {
		t.Errorf("exit %d, %q", status, stderr)
	}
}

// TestEnergyOfTheCommandLineComesFirst: the file's table holds where there is
// no --energy.
func TestEnergyOfTheCommandLineComesFirst(t *testing.T) {
	hw := board(t, "energy: 45nm", "energy: cheap.yaml")
	table := func(name, text string) string {
		name = filepath.Join(filepath.Dir(hw), name)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	table("cheap.yaml", "pe: {add_fp16: 0 pJ, multiply_fp16: 0 pJ, compare_fp16: 0 pJ}")
	dear := table("dear.yaml", "pe: {add_fp16: 9 pJ}")
	args := []string{"run", "--net", "lenet1", "--k", "4", "--n", "2", "--hw", hw}
	if tree := decodeJSON(t, args...); valueAt(tree, "energy_pj.pe") != json.Number("0") {
		t.Errorf("%v pJ of PEs that take none", valueAt(tree, "energy_pj.pe"))
	}
	if tree := decodeJSON(t, append(args, "--energy", dear)...); valueAt(tree, "energy_pj.pe") == json.Number("0") {
		t.Error("--energy has no effect")
	}
}
