package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/accelsim-dev/accelsim/crosscheck"
	"github.com/accelsim-dev/accelsim/internal/design"
)

// TestMainJob is the first thing that a user types.
func TestMainJob(t *testing.T) {
	tree := decodeJSON(t, "run", "--net", "alexnet", "--k", "10", "--n", "1")
	for path, want := range map[string]string{
		"counts.forward.reads":   "11451872000",
		"counts.forward.writes":  "6469427200",
		"counts.forward.adds":    "842623877120",
		"counts.backward.reads":  "16365098880",
		"counts.backward.writes": "11451872000",
		"counts.backward.adds":   "75420262400",
		"counts.backward.macs":   "30081024000",

		"baseline.k":                      "100",
		"baseline.n":                      "8",
		"baseline.counts.forward.reads":   "11216992000",
		"baseline.counts.forward.writes":  "6468531200",
		"baseline.counts.forward.adds":    "839628881920",
		"baseline.counts.backward.reads":  "22321635648",
		"baseline.counts.backward.writes": "11216992000",
		"baseline.counts.backward.adds":   "73587990016",
		"baseline.counts.backward.macs":   "8373639577600",
		"baseline.ranks_added":            "0",

		"analytic.memory_words": "4139129984",
		"crosscheck.pass":       "true",
	} {
		if got := fmt.Sprint(valueAt(tree, path)); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	for path, want := range map[string]string{"memory_access": "10.71", "macs": "99.64"} {
		got, err := valueAt(tree, "baseline.reduction_percent."+path).(json.Number).Float64()
		if err != nil || fmt.Sprintf("%.2f", got) != want {
			t.Errorf("%s: %v %% less, want %s", path, got, want)
		}
	}
	if text := succeed(t, "run", "--net", "alexnet", "--k", "10", "--n", "1"); !strings.Contains(text, "10.71 %") || !strings.Contains(text, "99.64 %") ||
		!strings.Contains(text, "cross-check: PASS") || !strings.Contains(text, "as section 4.2 of Guo et al. (2023) assumes") {
		t.Error(text)
	}
}

// contractKeys are the keys of `run --format json` that CONTRACT.md promises.
var contractKeys = strings.Fields(`
schema workload.name workload.dataset workload.classes
workload.layers.0.index workload.layers.0.kind workload.layers.0.weights workload.layers.0.neurons workload.layers.0.dense_additions
schedule.timesteps schedule.k schedule.n schedule.batch schedule.intervals schedule.blocks.0.0 schedule.classifier
counts.forward.reads counts.forward.writes counts.forward.adds
counts.backward.reads counts.backward.writes counts.backward.adds counts.backward.macs
analytic.forward.reads analytic.forward.writes analytic.forward.adds
analytic.backward.reads analytic.backward.writes analytic.backward.adds analytic.backward.macs analytic.memory_words
crosscheck.pass crosscheck.rows.0.quantity crosscheck.rows.0.equation crosscheck.rows.0.simulated crosscheck.rows.0.analytic crosscheck.rows.0.difference
beyond.words.spikes beyond.operations.neuron
dram.device dram.capacity_bytes dram.footprint_bytes dram.footprint.weights
onchip.capacity_bytes onchip.peak_bytes onchip.reads onchip.writes
baseline.k baseline.n baseline.counts.forward.reads baseline.counts.backward.macs baseline.footprint_bytes baseline.ranks_added
baseline.reduction_percent.memory_access baseline.reduction_percent.adds baseline.reduction_percent.macs baseline.reduction_percent.footprint
`)

// timedKeys are those that only timing gives: "absent, never 0".
var timedKeys = strings.Fields(`
cycles.total cycles.pe_busy cycles.dram_busy seconds
energy_pj.total energy_pj.dram energy_pj.onchip energy_pj.pe energy_pj.static
dram.reads dram.writes dram.activates dram.precharges dram.refreshes dram.row_hit_rate dram.bandwidth_utilisation
baseline.cycles.total baseline.seconds baseline.energy_pj.total
baseline.reduction_percent.cycles baseline.reduction_percent.energy
projection.samples projection.iterations projection.epochs projection.seconds_per_epoch projection.joules_per_epoch projection.seconds projection.joules
`)

func TestJSONHasTheKeysOfTheContract(t *testing.T) {
	args := []string{"run", "--net", "lenet1", "--k", "4", "--n", "2"}
	timed, untimed := decodeJSON(t, args...), decodeJSON(t, append(args, "--timing", "off")...)
	for _, key := range contractKeys {
		for what, tree := range map[string]any{"timed": timed, "untimed": untimed} {
			if valueAt(tree, key) == nil {
				t.Errorf("%s: no %s", what, key)
			}
		}
	}
	for _, key := range timedKeys {
		if valueAt(timed, key) == nil {
			t.Errorf("no %s", key)
		}
		if got := valueAt(untimed, key); got != nil {
			t.Errorf("--timing off has %s: %v", key, got)
		}
	}
	for _, part := range []string{"cycles", "seconds", "energy_pj", "projection"} {
		if _, there := untimed[part]; there {
			t.Errorf("--timing off has %s", part)
		}
	}
	if got := fmt.Sprint(timed["schema"], " ", valueAt(timed, "schedule.blocks")); got != "accelsim.run/1 [[1 2] [3 4]]" {
		t.Error(got)
	}
	for _, kind := range []string{"conv", "fc"} {
		if !strings.Contains(fmt.Sprint(valueAt(timed, "workload")), "kind:"+kind) {
			t.Errorf("no layer of kind %s", kind)
		}
	}
	// ceil(112800 / 128) iterations; 100 epochs.
	if got := fmt.Sprintf("%v %v %v", valueAt(timed, "projection.samples"), valueAt(timed, "projection.iterations"), valueAt(timed, "projection.epochs")); got != "112800 882 100" {
		t.Errorf("projection %s", got)
	}
	number := func(path string) float64 {
		v, err := valueAt(timed, path).(json.Number).Float64()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"seconds of an epoch", number("projection.seconds_per_epoch"), 882 * number("seconds")},
		{"joules of an epoch", number("projection.joules_per_epoch"), 882 * number("energy_pj.total") * 1e-12},
		{"seconds of all epochs", number("projection.seconds"), 100 * number("projection.seconds_per_epoch")},
		{"joules of all epochs", number("projection.joules"), 100 * number("projection.joules_per_epoch")},
		{"seconds", number("seconds"), number("cycles.total") / 200e6},
		{"energy", number("energy_pj.total"), number("energy_pj.dram") + number("energy_pj.onchip") + number("energy_pj.pe") + number("energy_pj.static")},
	} {
		if math.Abs(c.got-c.want) > 1e-6*c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	if tree := decodeJSON(t, "run", "--net", tempFile(t, "own.yaml", "input: {channels: 1, height: 4, width: 4, encoding: event}\nlayers: 2RB-3FC\ntimesteps: 2\n")); tree["projection"] != nil {
		t.Error("a projection without a dataset")
	} else if got := fmt.Sprint(valueAt(tree, "workload")); !strings.Contains(got, "kind:shortcut") || !strings.Contains(got, "name:own") {
		t.Error(got)
	}
}

// TestEquationsTrafficHasNothingBeyond: nothing moves, executes or has an
// address that Eqs. 11-17 do not know.
func TestEquationsTrafficHasNothingBeyond(t *testing.T) {
	for _, net := range []string{"lenet1", "resnet18"} {
		tree := decodeJSON(t, "run", "--net", net, "--k", "4", "--n", "2", "--traffic", "equations")
		for _, of := range []string{"words", "operations"} {
			if got := fmt.Sprint(valueAt(tree, "beyond."+of)); got != "map[]" {
				t.Errorf("%s: beyond.%s is %s", net, of, got)
			}
		}
		for class := range valueAt(tree, "dram.footprint").(map[string]any) {
			switch class {
			case "weights", "gradients", "potentials", "errors", "classifier_weights", "classifier_gradients",
				"classifier_potentials", "classifier_errors", "classifier_deltas":
			default:
				t.Errorf("%s: %s have an address", net, class)
			}
		}
	}
}

// TestFootprintIsTheSumOfItsClasses, and (10,1) needs the 4.1 GB and BPTT the
// 32 GB with pooling states of which 3.4 and 27 are potentials.
func TestFootprintIsTheSumOfItsClasses(t *testing.T) {
	tree := decodeJSON(t, "run", "--net", "alexnet", "--k", "10", "--n", "1", "--timing", "off")
	sum := int64(0)
	for _, v := range valueAt(tree, "dram.footprint").(map[string]any) {
		n, err := v.(json.Number).Int64()
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if got := fmt.Sprint(valueAt(tree, "dram.footprint_bytes")); got != fmt.Sprint(sum) {
		t.Errorf("footprint %s, its classes add up to %d", got, sum)
	}
}

// TestLargestBatchFitsAndOneMoreDoesNot: a refusal names the batch that fits,
// and that one does.
func TestLargestBatchFitsAndOneMoreDoesNot(t *testing.T) {
	run := func(batch string) (int, string, string) {
		return commandLine(t, "run", "--net", "vgg11", "--timing", "off", "--batch", batch)
	}
	const refusal = "accelsim: vgg11 at batch %s, k = 60, n = 10 needs %s GB of DRAM, paper has 34.360 GB; the largest batch that fits is %s\n"
	status, stdout, stderr := run("100000")
	var needs, largest string
	if _, err := fmt.Sscanf(stderr, strings.Replace(refusal, "%s", "100000", 1), &needs, &largest); err != nil || status != exitBadInput || stdout != "" {
		t.Fatalf("exit %d, %q, %q", status, stdout, stderr)
	}
	if status, _, stderr := run(largest); status != exitDone || stderr != "" {
		t.Errorf("batch %s: exit %d, %s", largest, status, stderr)
	}
	var n int
	if _, err := fmt.Sscan(largest, &n); err != nil {
		t.Fatal(err)
	}
	one := fmt.Sprint(n + 1)
	if status, _, stderr := run(one); status != exitBadInput || !strings.Contains(stderr, "the largest batch that fits is "+largest) {
		t.Errorf("batch %s: exit %d, %s", one, status, stderr)
	}
}

// TestBaselineThatDoesNotFitIsMarked: it is simulated on as many ranks as it
// needs.
func TestBaselineThatDoesNotFitIsMarked(t *testing.T) {
	for _, c := range []struct{ batch, timing, ranks string }{{"256", "on", "4"}, {"512", "off", "12"}} {
		args := []string{"run", "--net", "alexnet", "--k", "10", "--n", "1", "--batch", c.batch, "--timing", c.timing}
		if got := fmt.Sprint(valueAt(decodeJSON(t, args...), "baseline.ranks_added")); got != c.ranks {
			t.Errorf("batch %s: %s ranks added, want %s", c.batch, got, c.ranks)
		}
		if text := succeed(t, args...); !strings.Contains(text, "BPTT does not fit in the DRAM: simulated with "+c.ranks+" ranks more") {
			t.Error(text)
		}
	}
}

func TestClassifierDensitiesThatDoNotFitAreIgnoredWithAWarning(t *testing.T) {
	const text = "input: {channels: 1, height: 4, width: 4, encoding: event}\nlayers: 2FC-3FC-4FC-3FC\ntimesteps: 2\nactivity: {classifiers: [0.1, 0.2]}\n"
	file := tempFile(t, "w.yaml", text)
	status, _, stderr := commandLine(t, "run", "--net", file, "--k", "1", "--n", "1")
	if status != exitDone || stderr != "accelsim: warning: 2 classifier densities for 3 local blocks: ignored, each classifier takes its block's last density\n" {
		t.Errorf("exit %d, %q", status, stderr)
	}
	// Two blocks take them; the baseline's one block ignores them silently.
	if status, _, stderr := commandLine(t, "run", "--net", file, "--k", "1", "--n", "2"); status != exitDone || stderr != "" {
		t.Errorf("exit %d, %q", status, stderr)
	}
}

// TestSameBytesWhateverTheNumberOfCPUs: determinism is a feature.
func TestSameBytesWhateverTheNumberOfCPUs(t *testing.T) {
	for _, args := range []string{"run --net alexnet --k 10 --n 1 --format json", "run --net resnet18 --k 2 --n 3 --format json", "run --net lenet1 --k 1 --n 2"} {
		var outputs []string
		for _, cpus := range []int{1, 2} {
			before := runtime.GOMAXPROCS(cpus)
			outputs = append(outputs, succeed(t, strings.Fields(args)...))
			runtime.GOMAXPROCS(before)
		}
		if outputs[0] != outputs[1] {
			t.Errorf("accelsim %s: output differs", args)
		}
	}
}

// TestEnginesAgree: the fast DRAM engine and the one that places every command
// give the same bytes.
func TestEnginesAgree(t *testing.T) {
	residual := tempFile(t, "residual.yaml", "input: {channels: 2, height: 8, width: 8, encoding: event}\nlayers: 4RB-BN-4RB-BN-8RB-AdaptiveAP-5FC\ntimesteps: 4\nbatch: 3\n")
	for _, args := range []string{
		"run --net lenet1 --k 1 --n 2 --batch 4 --timesteps 2 --format json",
		"run --net lenet1 --k 2 --n 1 --batch 3 --timesteps 4 --classifier random --format json",
		"run --net " + residual + " --k 2 --n 3 --format json",
	} {
		stream := succeed(t, append(strings.Fields(args), "--dram-engine", "stream")...)
		reference := succeed(t, append(strings.Fields(args), "--dram-engine", "reference")...)
		if stream != reference {
			t.Errorf("accelsim %s: the engines disagree", args)
		}
	}
}

// TestPeakMemory: doubling T or the batch of AlexNet takes no more than 20 %
// more memory, and all of it less than 500 MB.
func TestPeakMemory(t *testing.T) {
	const asCommand = "ACCELSIM_TEST_ARGS"
	if args := os.Getenv(asCommand); args != "" {
		status := execute(t.Context(), strings.Fields(args))
		if text, err := os.ReadFile("/proc/self/status"); err == nil {
			_, peak, _ := strings.Cut(string(text), "VmHWM:")
			fmt.Fprintln(os.Stderr, "peak", strings.Fields(peak)[0])
		}
		os.Exit(status)
	}
	peak := func(more string) int64 {
		c := exec.Command(os.Args[0], "-test.run=^TestPeakMemory$")
		c.Env = append(os.Environ(), asCommand+"=run --net alexnet --k 10 --n 1 "+more)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		// What the system says of a child begins with what its parent had.
		if _, own, ok := strings.Cut(string(out), "\npeak "); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(own), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
		return c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	}
	plain := peak("")
	if plain > 500e6 {
		t.Errorf("%d bytes", plain)
	}
	for _, more := range []string{"--timesteps 200", "--batch 256"} {
		if got := peak(more); float64(got) > 1.2*float64(plain) {
			t.Errorf("%s: %d bytes, without %d", more, got, plain)
		}
	}
}

// TestFailedCrossCheckNamesTheCounter, and is no fault of the command line.
func TestFailedCrossCheckNamesTheCounter(t *testing.T) {
	e := &design.Evaluation{Check: crosscheck.Check{Rows: []crosscheck.Row{
		{Quantity: "forward additions", Equation: "15", Simulated: 9, Analytic: 8, Difference: 1},
		{Quantity: "backward reads", Equation: "12, 14", Simulated: 5, Analytic: 7, Difference: -2, Decides: true},
	}}}
	err := checked(e)
	if err == nil || err.Error() != "the cross-check failed: backward reads are 5, Eq. 12, 14 gives 7" || errors.As(err, new(usageError)) {
		t.Error(err)
	}
	e.Check.Pass = true
	if err := checked(e); err != nil {
		t.Error(err)
	}
}
