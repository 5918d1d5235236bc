package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const validNet = "input: {channels: 2, height: 8, width: 8, encoding: event}\nlayers: 4C3-10FC\ntimesteps: 4\nbatch: 2\n"

// refused runs a command line that must end with exit status 2 and one line.
func refused(t *testing.T, args ...string) (line string) {
	t.Helper()
	began := time.Now()
	status, stdout, stderr := commandLine(t, args...)
	if status != exitBadInput || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "accelsim: ") {
		t.Errorf("%v: exit %d, stdout %.100q, stderr %.300q", args, status, stdout, stderr)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("%v took %v", args, took)
	}
	return stderr
}

// inputFlags are all the ways to name a file, $F.
func inputFlags(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	pixels := append([]byte{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28}, make([]byte, 784)...)
	for name, text := range map[string][]byte{
		"train-images-idx3-ubyte": pixels, "t10k-images-idx3-ubyte": pixels,
		"train-labels-idx1-ubyte": {0, 0, 8, 1, 0, 0, 0, 1, 7}, "t10k-labels-idx1-ubyte": {0, 0, 8, 1, 0, 0, 0, 1, 7},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return []string{
		"run --net $F",
		"run --net lenet1 --hw $F",
		"run --net lenet1 --energy $F",
		"run --net lenet1 --activity $F",
		"run --net lenet1 --tensors $F",
		"train --net lenet1 --tensors $F",
		"verify --net lenet1 --tensors $F",
		"schedule --net $F",
		"hdl --net $F --out " + filepath.Join(dir, "hdl"),
		"sweep --net $F",
		"sweep --grid $F",
		"sweep --net lenet1 --hw $F",
		"sweep --net lenet1 --hw $F --set pe.rows=8",
		"sweep --net lenet1 --energy $F",
		"sweep --net lenet1 --activity $F",
		"sweep --net lenet1 --accuracy $F",
		"figures --accuracy $F --out " + filepath.Join(dir, "figures"),
		"dram --config $F --pattern seqread",
		"dram --device ddr4-2400 --trace $F",
		"import scalesim $F",
		"import activity $F --net lenet1",
		"compare $F $F",
		"train --net lenet1 --dataset mnist --data " + dir + " --k 20 --n 4 --resume --checkpoint $F",
	}
}

// TestInputsWithoutEnd are refused, whatever they are given as.
func TestInputsWithoutEnd(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip("no /dev/zero here")
	}
	for _, args := range inputFlags(t) {
		line := refused(t, strings.Fields(strings.ReplaceAll(args, "$F", "/dev/zero"))...)
		if !strings.Contains(line, "/dev/zero") {
			t.Errorf("%s: %s", args, line)
		}
	}
}

// TestDirectoriesAreNoInputs.
func TestDirectoriesAreNoInputs(t *testing.T) {
	dir := t.TempDir()
	for _, args := range inputFlags(t) {
		if args == "compare $F $F" {
			continue // a folder stands for the result.json in it
		}
		if line := refused(t, strings.Fields(strings.ReplaceAll(args, "$F", dir))...); !strings.Contains(line, "is a directory") && !strings.Contains(line, "is a folder") {
			t.Errorf("%s: %s", args, line)
		}
	}
}

// TestDamagedDataEndsWithStatus2 even if it is found only when training has begun.
func TestDamagedDataEndsWithStatus2(t *testing.T) {
	const record = 1 + 3*32*32
	dir := t.TempDir()
	for _, name := range []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"} {
		data := make([]byte, 4*record)
		if name == "data_batch_5.bin" {
			data[3*record] = 200 // a label
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	net := tempFile(t, "net.yaml", "input: {channels: 3, height: 8, width: 8, encoding: direct}\nlayers: 2C3-2AP2-10FC\ntimesteps: 2\nbatch: 4\n")
	status, stdout, stderr := commandLine(t, "train", "--net", net, "--dataset", "cifar10", "--data", dir, "--timesteps", "2", "--k", "1", "--n", "1", "--epochs", "1")
	if status != exitBadInput || stdout != "" || !strings.Contains(stderr, "data_batch_5.bin: byte 9219: label 200; the classes are 0 to 9") {
		t.Errorf("exit %d, %q, %q", status, stdout, stderr)
	}
}

// TestTextsThatAreTooMuch are refused before they are parsed.
func TestTextsThatAreTooMuch(t *testing.T) {
	var keys bytes.Buffer
	for i := range 200_000 {
		keys.WriteString("k" + strings.Repeat("a", i%50) + string(rune('a'+i%26)) + ": 1\n")
	}
	for text, want := range map[string]string{
		"input: " + strings.Repeat("[", 80_000): "$F:1: is nested more than 1000 deep",
		keys.String():                           "at most 250000 are read",
		"a: 1\n---\nb: 2\n":                     "$F:3: a second document",
		"\xff\xfea\x00":                         "$F: is text in UTF-16; save it as UTF-8",
		"name: \x00":                            "$F:1: has a zero byte",
	} {
		file := tempFile(t, "my.yaml", text)
		for _, args := range []string{
			"run --net $F", "run --net lenet1 --hw $F", "run --net lenet1 --energy $F", "run --net lenet1 --activity $F", "sweep --grid $F",
			"sweep --net lenet1 --hw $F --set pe.rows=8",
		} {
			line := refused(t, strings.Fields(strings.ReplaceAll(args, "$F", file))...)
			if !strings.Contains(strings.ReplaceAll(line, file, "$F"), want) {
				t.Errorf("%s of %.20q...: %s; want %s", args, text, line, want)
			}
		}
	}
}

// TestTheFirstUnknownKeyIsNamed every time.
func TestTheFirstUnknownKeyIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		"zz: 1\naa: 2\nmm: 3\ninput: {channels: 1}\n": "$F:1: zz: is not a key",
		"aa: 1\nzz: 2\n": "$F:1: aa: is not a key",
		validNet + "neuron: {q: 1, leak: 0.5, b: 2}\n":   "$F:5: neuron.q: is not a key",
		validNet + "training:\n  zz: 1\n  aa: 2\nx: 3\n": "$F:6: training.zz: is not a key",
	} {
		file := tempFile(t, "my.yaml", text)
		for range 10 {
			if line := strings.ReplaceAll(refused(t, "run", "--net", file), file, "$F"); !strings.Contains(line, want) {
				t.Fatalf("%s; want %s", line, want)
			}
		}
	}
}

// TestNumbersAreYAML12EverywhereAndMarksAreSkipped: 010 is ten in a workload and in
// hardware, and a byte order mark is nothing.
func TestNumbersAreYAML12EverywhereAndMarksAreSkipped(t *testing.T) {
	net := tempFile(t, "net.yaml", "\ufeff"+strings.Replace(validNet, "timesteps: 4", "timesteps: 010", 1))
	hw := tempFile(t, "hw.yaml", "\ufeffpe: {rows: 010, columns: 0o10, lanes: 0x10, clock: 200MHz}\nonchip: {capacity: 2MiB}\ndram: {device: ddr4-2400, channels: 1, ranks: 1}\n")
	activity := tempFile(t, "activity.yaml", "\ufeffinput: 0.25\n")
	energy := tempFile(t, "energy.yaml", "\ufeffpe: {add_fp32: 010 pJ}\n")
	var r struct {
		Schedule struct{ Timesteps int }
		Hardware struct {
			PE struct{ Rows, Columns, Lanes int }
		}
	}
	out := succeed(t, "run", "--net", net, "--hw", hw, "--activity", activity, "--energy", energy, "--format", "json", "--k", "5", "--n", "1")
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Schedule.Timesteps != 10 {
		t.Errorf("T = %d", r.Schedule.Timesteps)
	}
}

// TestTerminalsAreNotObeyed: not by errors, warnings or tables.
func TestTerminalsAreNotObeyed(t *testing.T) {
	const evil = "\x1b]0;pwned\x07\u009b31m\u202e"
	net := tempFile(t, "net.yaml", validNet)
	named := tempFile(t, "named.yaml", validNet+`name: "\e]0;pwned\a\x9b31m\u202e"`+"\n")
	evilNet := tempFile(t, evil+".yaml", validNet)
	hw := tempFile(t, "hw.yaml", "name: \"\\e[31m\"\nnote: \"\\e[32m\"\npe: {rows: 8, columns: 8, lanes: 8, clock: 200MHz}\nonchip: {capacity: 2MiB}\ndram: {device: ddr4-2400, channels: 1, ranks: 1}\n")
	for _, args := range [][]string{
		{"run", "--net", named},
		{"run", "--net", evilNet},
		{"run", "--net", net, "--hw", hw},
		{"schedule", "--net", named},
		{"verify", "--net", named, "--k", "4", "--n", "1"},
		{"run", "--net", tempFile(t, "a.yaml", validNet+"\""+evil+"\": 1\n")},
		{"run", "--net", tempFile(t, "b.yaml", validNet+"dataset: \""+evil+"\"\n")},
		{"run", "--net", tempFile(t, "c.yaml", "layers: \""+evil+"\"\n")},
		{"run", "--net", net, "--hw", tempFile(t, "d.yaml", "pe: {rows: \""+evil+"\"}\n")},
		{"run", "--net", net, "--energy", tempFile(t, "e.yaml", "pe: {add_fp32: \""+evil+"\"}\n")},
		{"run", "--net", evil},
		{"run", evil},
		{evil},
		{"dram", "--config", tempFile(t, "f.ini", "["+evil+"\n"), "--pattern", "seqread"},
		{"dram", "--device", "ddr4-2400", "--trace", tempFile(t, "g.trc", evil+"\n")},
		{"import", "scalesim", tempFile(t, "h.csv", evil+"\n")},
		{"import", "scalesim", tempFile(t, "i.csv", "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"+evil+", 8, 8, 3, 3, 2, 5, 2,\n"), "--classes", "10"},
		{"sweep", "--grid", tempFile(t, "j.yaml", "net: "+net+"\n\""+evil+"\": 1\n")},
	} {
		_, stdout, stderr := commandLine(t, args...)
		for name, text := range map[string]string{"stdout": stdout, "stderr": stderr} {
			if i := strings.IndexAny(text, "\x1b\x07\u009b\u202e"); i >= 0 {
				t.Errorf("%q: %s obeys: %q", args, name, text[max(0, i-20):min(len(text), i+20)])
			}
		}
	}
}
