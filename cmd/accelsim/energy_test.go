package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/pe"
)

// energyFile is a table that gives one key another value.
func energyFile(t *testing.T, key string, amount float64, unit energy.Unit) string {
	t.Helper()
	section, rest, _ := strings.Cut(key, ".")
	if kind, capacity, ok := strings.Cut(rest, "."); ok {
		return tempFile(t, "my.yaml", fmt.Sprintf("%s: {%s: {%s: %g %s}}", section, kind, capacity, amount, unit))
	}
	return tempFile(t, "my.yaml", fmt.Sprintf("%s: {%s: %g %s}", section, rest, amount, unit))
}

// TestEveryEnergyKeyChangesTheResultOrIsRefused: on machines of all precisions,
// each key of the built-in table with a value of its own, and each that such
// tables once had.
func TestEveryEnergyKeyChangesTheResultOrIsRefused(t *testing.T) {
	entries := energy.Default().Entries()
	for _, unpriced := range []string{"register.read", "register.write", "register.spike_bit", "dram.per_bit"} {
		entries = append(entries, energy.Entry{Key: unpriced, Value: energy.Value{Amount: 7, Unit: energy.Picojoule}})
	}
	for _, p := range pe.Precisions() {
		args := []string{"run", "--net", vectorFile("conv-local1.yaml"), "--k", "3", "--n", "1", "--format", "json", "--hw", board(t, "precision: fp16", "precision: "+p)}
		total := func(args []string) (json.Number, string) {
			status, stdout, stderr := commandLine(t, args...)
			if status == exitBadInput && stdout == "" {
				return "", stderr
			}
			if status != exitDone {
				t.Fatalf("%v: exit %d, %s", args, status, stderr)
			}
			return valueAt(decodeText(t, stdout), "energy_pj.total").(json.Number), stderr
		}
		base, _ := total(args)
		changed := 0
		for _, e := range entries {
			got, stderr := total(append(args, "--energy", energyFile(t, e.Key, 2*e.Amount+1, e.Unit)))
			switch operation := strings.HasPrefix(e.Key, "pe.") && e.Key != "pe.static"; {
			case got == "":
				_, name, _ := strings.Cut(e.Key, ".")
				if !strings.Contains(stderr, "my.yaml:1: ") || !strings.Contains(stderr, "changes nothing: ") || strings.Count(stderr, "\n") != 1 {
					t.Errorf("%s: %s is refused without a reason: %s", p, name, stderr)
				}
				if strings.HasPrefix(e.Key, "sram.") || !operation && strings.HasPrefix(e.Key, "pe.") || operation && strings.HasSuffix(e.Key, p) {
					t.Errorf("%s: %s is refused: %s", p, e.Key, stderr)
				}
			case got == base:
				t.Errorf("%s: %s changes nothing, and nobody says so", p, e.Key)
			default:
				changed++
			}
		}
		if changed < int(pe.NumOps)+len([]string{"static", "static_per_kib", "read", "write"}) {
			t.Errorf("%s: only %d keys change the result", p, changed)
		}
	}
}

// TestValuesForOtherMachinesAreSaid: a table of a whole technology serves
// machines of every precision; what this one does not read is said once.
func TestValuesForOtherMachinesAreSaid(t *testing.T) {
	table := tempFile(t, "my.yaml", "pe: {add_fp32: 2 pJ, add_fp16: 1 pJ, mac_fixed32: 3 pJ}")
	args := []string{"run", "--net", vectorFile("conv-local1.yaml"), "--k", "3", "--n", "1", "--energy", table}
	status, _, stderr := commandLine(t, args...)
	if want := "accelsim: warning: " + table + ": changes nothing on paper, whose PEs compute in fp32: pe.add_fp16, pe.mac_fixed32\n"; status != exitDone || stderr != want {
		t.Errorf("exit %d, %s; want %s", status, stderr, want)
	}
	for _, command := range []string{"run --k 3 --n 1 --timing off", "verify --k 3 --n 1", "sweep --k 3 --n 1 --timing off"} {
		status, _, stderr := commandLine(t, append(strings.Fields(command), "--net", vectorFile("conv-local1.yaml"), "--energy", tempFile(t, "my.yaml", "pe: {add_fp32: 2 pJ}"))...)
		if status != exitDone || !strings.Contains(stderr, "warning: --energy changes nothing in ") {
			t.Errorf("%s: exit %d, %s", command, status, stderr)
		}
	}
}

// TestSweepsPriceEveryMachine: a table is refused only if no machine of the grid
// reads any of its values.
func TestSweepsPriceEveryMachine(t *testing.T) {
	table := tempFile(t, "my.yaml", "pe: {add_fp16: 2 pJ}")
	args := []string{"sweep", "--net", vectorFile("conv-local1.yaml"), "--k", "3", "--n", "1", "--energy", table, "--set"}
	if status, _, stderr := commandLine(t, append(args, "pe.precision=fp32,fp16")...); status != exitDone {
		t.Errorf("exit %d, %s", status, stderr)
	}
	status, stdout, stderr := commandLine(t, append(args, "pe.precision=fp32,fixed16")...)
	if want := table + ":1: pe.add_fp16: changes nothing: PEs compute in fp32; give pe.add_fp32"; status != exitBadInput || stdout != "" || !strings.Contains(stderr, want) {
		t.Errorf("exit %d, %s; want %s", status, stderr, want)
	}
}

// TestAHardwareFilesTableIsRead: what it gives is for the precision beside it.
func TestAHardwareFilesTableIsRead(t *testing.T) {
	hw := board(t, "energy: 45nm", "energy: "+tempFile(t, "my.yaml", "pe: {compare: 2 pJ}"))
	status, _, stderr := commandLine(t, "run", "--net", "lenet1", "--hw", hw)
	if status != exitBadInput || !strings.Contains(stderr, "my-board.yaml:") || !strings.Contains(stderr, ": energy: ") || !strings.Contains(stderr, "my.yaml:1: pe.compare: changes nothing: PEs compute in fp16; give pe.compare_fp16") {
		t.Errorf("exit %d, %s", status, stderr)
	}
}
