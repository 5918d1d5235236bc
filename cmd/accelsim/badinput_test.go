package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	nets     = "alexnet, lenet1, lenet2, resnet18, shd-rnn, vgg11"
	datasets = "cifar10, cifar10-dvs, dvsgesture, emnist, mnist, n-caltech101, tiny-es-imagenet"
)

// TestBadInput: one line on stderr that says what would be accepted, nothing
// on stdout, exit status 2. $F is the file with the given text.
func TestBadInput(t *testing.T) {
	const valid = "input: {channels: 1, height: 8, width: 8, encoding: event}\nlayers: 4C3-4AP2-6FC-5FC\ntimesteps: 4\nbatch: 2\n"
	replace := func(old, new string) string {
		if !strings.Contains(valid, old) {
			t.Fatalf("%q is not in the file", old)
		}
		return strings.Replace(valid, old, new, 1)
	}
	const board = "pe: {rows: 8, columns: 4, lanes: 16, clock: 200MHz}\nonchip: {capacity: 2MiB}\ndram: {device: ddr4-2400, channels: 1, ranks: 1}\n"
	onBoard := func(old, new string) string {
		if !strings.Contains(board, old) {
			t.Fatalf("%q is not in the file", old)
		}
		return strings.Replace(board, old, new, 1)
	}
	for _, c := range []struct {
		args, file string
		want       string // after "accelsim: "
	}{
		// Networks and datasets that do not exist.
		{"run", "", "--net is missing; name one of " + nets + ", or a workload file"},
		{"run --net lenet", "", `no network "lenet" (did you mean "lenet1"?); there are ` + nets + ", or name a workload file"},
		{"run --net alexnett", "", `no network "alexnett" (did you mean "alexnet"?); there are ` + nets + ", or name a workload file"},
		{"run --net xyzzy", "", `no network "xyzzy"; there are ` + nets + ", or name a workload file"},
		{"run --net no/such.yaml", "", "workload file: open no/such.yaml: no such file or directory"},
		{"run --net lenet1 --dataset cifar", "", `--dataset: no dataset "cifar" (did you mean "cifar10"?); there are ` + datasets},
		// k and n.
		{"run --net lenet1 --k 3", "", "k = 3 does not divide T = 20; k may be 1, 2, 4, 5, 10, 20"},
		{"run --net lenet1 --k 0", "", "k = 0 does not divide T = 20; k may be 1, 2, 4, 5, 10, 20"},
		{"run --net lenet1 --k -4", "", "k = -4 does not divide T = 20; k may be 1, 2, 4, 5, 10, 20"},
		{"run --net lenet1 --k 40", "", "k = 40 does not divide T = 20; k may be 1, 2, 4, 5, 10, 20"},
		{"run --net lenet1 --n 5", "", "n = 5 is out of range; a local block of this network has 1 to 4 layers"},
		{"run --net lenet1 --n 0", "", "n = 0 is out of range; a local block of this network has 1 to 4 layers"},
		{"schedule --net lenet1 --k 3", "", "k = 3 does not divide T = 20; k may be 1, 2, 4, 5, 10, 20"},
		{"schedule --net lenet1 --n 5", "", "n = 5 is out of range; a local block of this network has 1 to 4 layers"},
		{"schedule --net lenet1 --k 4 --interval 6", "", "--interval 6; there are intervals 1 to 5"},
		{"schedule --net lenet1 --k 4 --interval 0", "", "--interval 0; there are intervals 1 to 5"},
		{"schedule --net lenet1 --n 2 --block 3", "", "--block 3; there are local blocks 1 to 2, or 0 for all"},
		// Rules that k and n rule out.
		{
			"run --net $F --k 2", valid + "training: {rule: {trace: leak}}\n",
			"a trace needs k = 1, not 2: errors of later steps would meet the trace twice",
		},
		{
			"schedule --net $F --k 2", valid + "training: {rule: {backward_steps: 3}}\n",
			"backward_steps is 3, more than the 2 steps of an interval",
		},
		{
			"verify --net $F --n 1", valid + "training: {rule: {feedback: direct}}\n",
			"direct feedback goes to all layers of a block but its last; here every block has one layer: use larger blocks or feedback: direct-all",
		},
		// Orders of groups.
		{"run --net lenet1 --schedule parallel", "", `--schedule "parallel"; write sequential or pipelined`},
		{"verify --net lenet1 --schedule parallel", "", `--schedule "parallel"; write sequential or pipelined`},
		{
			"run --net lenet1 --k 5 --n 1 --hw zcu102 --schedule pipelined", "",
			"zcu102 has one PE group, and the pipelined schedule needs several; set pe.groups in the hardware file to their number, or to block for one for every local block",
		},
		{
			"verify --net lenet1 --batch 1 --k 5 --n 1 --hw zcu102 --schedule pipelined", "",
			"zcu102 has one PE group, and the pipelined schedule needs several; set pe.groups in the hardware file to their number, or to block for one for every local block",
		},
		{"sweep --net lenet1 --schedule parallel", "", `schedule "parallel"; write sequential or pipelined`},
		// Sizes.
		{"run --net lenet1 --batch 0", "", "--batch 0; write a whole number of at least 1"},
		{"run --net lenet1 --batch -3", "", "--batch -3; write a whole number of at least 1"},
		{"run --net lenet1 --batch 1.5", "", `--batch "1.5"; write a whole number`},
		{"run --net lenet1 --timesteps 0", "", "--timesteps 0; write a whole number of at least 1"},
		{"run --net lenet1 --batch 3000000000", "", "lenet1: batch: batch is 3000000000; it must be between 1 and 2147483647"},
		{
			"run --net alexnet --batch 2000000000 --k 1", "",
			"alexnet: layers: layer 1 at batch 2000000000 and T = 100: size overflows 64 bits; take a smaller batch, fewer time steps or smaller layers",
		},
		{
			"run --net alexnet --batch 99999999999999999999", "",
			`--batch "99999999999999999999"; write a whole number that fits in 64 bits`,
		},
		// Densities.
		{"run --net lenet1 --activity 1.5", "", `--activity: density "1.5" is outside 0..1; write a decimal between 0 and 1, such as 0.1, or the name of an activity file`},
		{"run --net lenet1 --activity -0.1", "", `--activity: density "-0.1" is outside 0..1; write a decimal between 0 and 1, such as 0.1, or the name of an activity file`},
		{"run --net lenet1 --activity NaN", "", `--activity: density "NaN" is not a decimal number; write a decimal between 0 and 1, such as 0.1, or the name of an activity file`},
		{"run --net lenet1 --activity no.yaml", "", "--activity: activity file: open no.yaml: no such file or directory"},
		{"run --net lenet1 --activity $F", "layers: [0.1, 0.2]\n", "--activity: $F: layers has 2 densities; this network has 4 trainable layers before the classifier"},
		{"run --net lenet1 --activity $F", "inputs: 0.1\n", `--activity: $F:1: inputs: is not a key (did you mean "input"?); there are input, layers, classifiers`},
		// Choices.
		{"run --net lenet1 --rule slt", "", `--rule: no rule "slt" (did you mean "sltt"?); there are bptt, decolle, dfa, e-prop, lbp, lbp-short, ottt-a, ottt-o, sltt, sltt-k, tbptt, or name a rule file`},
		{"run --net lenet1 --rule $F", "trace: leek\n", `--rule: $F:1: trace: is "leek"; write a decay between 0 and 1, leak for the receiving layer's, or none`},
		{"run --net lenet1 --rule $F", "k: 3\n", "k = 3 does not divide T = 20; k may be 1, 2, 4, 5, 10, 20"},
		{"run --net lenet1 --rule ottt-a --k 2", "", "a trace needs k = 1, not 2: errors of later steps would meet the trace twice"},
		{"run --net lenet1 --rule dfa --n 1", "", "direct feedback goes to all layers of a block but its last; here every block has one layer: use larger blocks or feedback: direct-all"},
		{"sweep --net lenet1 --rule slt", "", `no rule "slt" (did you mean "sltt"?); there are bptt, decolle, dfa, e-prop, lbp, lbp-short, ottt-a, ottt-o, sltt, sltt-k, tbptt, or name a rule file`},
		{"run --net lenet1 --classifier frozen", "", `--classifier "frozen"; write trainable or random`},
		{"run --net lenet1 --timing maybe", "", `--timing "maybe"; write on or off`},
		{"run --net lenet1 --traffic some", "", `--traffic "some"; write all or equations`},
		{"run --net lenet1 --residency all", "", `--residency "all"; write layer or resident`},
		{
			"run --net lenet1 --traffic equations --skip-unread", "",
			"--traffic equations: Eqs. 11-14 have nothing resident and store every result; leave out --residency and --skip-unread",
		},
		{
			"schedule --net lenet1 --traffic equations --skip-unread", "",
			"--skip-unread: nothing is resident and every result is stored in Eqs. 11-14; choose all traffic",
		},
		{"run --net lenet1 --dram-engine fast", "", `--dram-engine "fast"; write stream or reference`},
		{"run --net lenet1 --format xml", "", `--format "xml"; write table, json or csv`},
		{"run --net lenet1 --energy no.yaml", "", "--energy: open no.yaml: no such file or directory"},
		{"run --net lenet1 --hw no.yaml", "", "hardware file: open no.yaml: no such file or directory"},
		// Hardware files.
		{"run --net lenet1 --hw $F", onBoard("200MHz", "200"), `$F:1: pe.clock: "200" has no unit; write for example 200MHz`},
		{"run --net lenet1 --hw $F", onBoard("2MiB", "2"), `$F:2: onchip.capacity: "2" has no unit; write for example 2MiB or workload`},
		{"run --net lenet1 --hw $F", onBoard("ddr4-2400", "ddr4, rate: 2400"), `$F:3: dram.rate: "2400" has no unit; write for example 2400MT/s`},
		{"run --net lenet1 --hw $F", onBoard("lanes", "lane"), `$F:1: pe.lane: is not a key (did you mean "lanes"?); there are rows, columns, lanes, pipeline, clock, dataflow, precision, groups`},
		{"run --net lenet1 --hw $F", onBoard("rows: 8", "rows: 0"), "$F:1: pe.rows: 0 is out of range; write 1 to 65536"},
		{"run --net lenet1 --hw $F", onBoard("onchip: {capacity: 2MiB}\n", ""), "$F:1: onchip: is missing; write one shared buffer, for example capacity: 2MiB, or one for each kind of tensor: weights, states, gradients, spikes"},
		{"run --net lenet1 --hw $F", board + "cache: 2MiB\n", `$F:4: cache: is not a key; there are name, note, pe, onchip, dma, dram, energy`},
		{"run --net lenet1 --hw $F", "pe: [", ""},
		{"run --net lenet1 --hw $F", "\xff\xfe\x00", ""},
		// Commands and flags.
		{"rum", "", ""},
		{"run lenet1", "", `run takes no argument "lenet1"; everything is a flag, see accelsim run --help`},
		{"run --nett lenet1", "", ""},
		{"run --net lenet1 --k", "", "--k needs a value: truncation interval, a divisor of T (default the rule's, else T)"},
		{"list", "", "list takes one of nets, datasets, rules, hardware, dram"},
		{"list nets datasets", "", "list takes one of nets, datasets, rules, hardware, dram"},
		{"list netz", "", `nothing to list under "netz" (did you mean "nets"?); there are nets, datasets, rules, hardware, dram`},
		// Workload files.
		{"run --net $F", "", "$F: is empty"},
		{"run --net $F", replace("4C3-", "4C-"), `$F:2: layers: token 1 "4C" has no kernel size; write 4C3`},
		{"run --net $F", replace("4C3-", "4X3-"), `$F:2: layers: token 1 "4X3" is not a layer; write <out>C<kernel>[p<pad>][s<stride>][x<repeats>], <ch>AP<window>, <out>RB[x<repeats>], <out>FC[x<repeats>], BN or AdaptiveAP`},
		{"run --net $F", replace("-6FC-5FC", ""), `$F:2: layers: token 2 "4AP2" is last; the last layer must be the classifier, such as 10FC`},
		{"run --net $F", replace("4AP2", "4AP9"), `$F:2: layers: token 2 "4AP9" has a 9x9 window, larger than its input 4x8x8`},
		{"run --net $F", replace("4AP2", "5AP2"), `$F:2: layers: token 2 "5AP2" pools 5 channels but its input has 4; write 4AP2`},
		{"run --net $F", replace("4C3-", "4C9p0-"), `$F:2: layers: token 1 "4C9p0" has a 9x9 kernel, larger than its input 1x8x8 with padding 0`},
		{"run --net $F", replace("4C3-", "0C3-"), `$F:2: layers: token 1 "0C3" has a zero width; it must be at least 1`},
		{"run --net $F", replace("4C3-", "-4C3-"), `$F:2: layers: token 1 "" is empty; write layers such as 96C3, 256AP2, 32RB, BN, AdaptiveAP or 10FC, joined by '-'`},
		{"run --net $F", replace("4C3-4AP2-6FC", "2000000000C3-2000000000C3-2000000000FC"), ""},
		{"run --net $F", replace("channels: 1", "channels: 0"), `$F:1: input: input channels is 0; it must be between 1 and 2147483647`},
		{"run --net $F", replace("height: 8", "height: -8"), `$F:1: input: input height is -8; it must be between 1 and 2147483647`},
		{"run --net $F", replace("timesteps: 4", "timesteps: 0"), "$F:3: timesteps: timesteps is 0; it must be between 1 and 2147483647"},
		{"run --net $F", replace("batch: 2", "batch: -2"), "$F:4: batch: batch is -2; it must be between 1 and 2147483647"},
		{"run --net $F", replace("timesteps", "timestep"), `$F:3: timestep: is not a key (did you mean "timesteps"?); there are name, dataset, timesteps, batch, layers, input, neuron, training, dropout, activity`},
		{"run --net $F", valid + "neurons: {leak: 1}\n", `$F:5: neurons: is not a key (did you mean "neuron"?); there are name, dataset, timesteps, batch, layers, input, neuron, training, dropout, activity`},
		{"run --net $F", valid + "activity: 1.01\n", `$F:5: activity: density "1.01" is outside 0..1; write a decimal between 0 and 1, such as 0.1`},
		{"run --net $F", valid + "training: {classifier: frozen}\n", `$F:5: training.classifier: classifier "frozen"; write trainable or random`},
		{"run --net $F", valid + "\tbroken: [\n", ""},
		{"run --net $F", "\xff\xfe\x00", ""},
	} {
		name := c.args
		if c.file != "" {
			name += " " + c.file
		}
		file := tempFile(t, "my.yaml", c.file)
		status, stdout, stderr := commandLine(t, strings.Fields(strings.ReplaceAll(c.args, "$F", file))...)
		if status != exitBadInput {
			t.Errorf("%s: exit status %d", name, status)
		}
		if stdout != "" {
			t.Errorf("%s: prints %q", name, stdout)
		}
		line, found := strings.CutPrefix(stderr, "accelsim: ")
		if !found || strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
			t.Errorf("%s: stderr is not one line: %q", name, stderr)
		}
		line = strings.ReplaceAll(strings.TrimSuffix(line, "\n"), file, "$F")
		if c.want == "" {
			t.Logf("%s\n\t%s", name, line)
		} else if line != c.want {
			t.Errorf("%s:\n\t got %s\n\twant %s", name, line, c.want)
		}
		for _, trace := range []string{"goroutine", "panic", ".go:", "strconv"} {
			if strings.Contains(line, trace) {
				t.Errorf("%s: speaks of the program, not of the input: %s", name, line)
			}
		}
	}
}

func TestUnreadableFile(t *testing.T) {
	status, stdout, stderr := commandLine(t, "run", "--net", t.TempDir())
	if status != exitBadInput || stdout != "" || !strings.Contains(stderr, "is a directory") {
		t.Errorf("exit %d, %q, %q", status, stdout, stderr)
	}
}

func TestUnwritableFolderIsRefusedBeforeAnythingRuns(t *testing.T) {
	blocked := filepath.Join(tempFile(t, "file", ""), "folder")
	status, stdout, stderr := commandLine(t, "run", "--net", "lenet1", "--out", blocked)
	if status != exitBadInput || stdout != "" || !strings.Contains(stderr, "--out: ") {
		t.Errorf("exit %d, %q, %q", status, stdout, stderr)
	}
}

func TestOutWritesAllFormats(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "folder")
	args := []string{"run", "--net", "lenet1", "--k", "1", "--n", "2", "--timing", "off"}
	for format, file := range map[string]string{"table": "result.txt", "json": "result.json", "csv": "result.csv"} {
		stdout := succeed(t, append(args, "--format", format, "--out", folder)...)
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		if string(text) != stdout {
			t.Errorf("%s is not what --format %s prints", file, format)
		}
	}
	left, err := filepath.Glob(filepath.Join(folder, ".*"))
	if err != nil || left != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestHelpGoesToStdout(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"run", "--help"}, {"schedule", "--help"}, {"list", "--help"}} {
		if out := succeed(t, args...); !strings.Contains(out, "accelsim run --net alexnet --k 10 --n 1") && !strings.Contains(out, "Usage:") {
			t.Errorf("%v: %s", args, out)
		}
	}
}
