package hdl

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/pe/fixed"
)

// need skips a test, visibly, where a tool is missing.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, name := range tools {
		if err := FindTool(name); err != nil {
			t.Skip(err)
		}
	}
}

// small is a block of two fully connected layers and a classifier.
const small = `
name: fc-block
input: {channels: 7, height: 1, width: 1, encoding: event}
layers: 5FC-6FC-3FC
timesteps: 4
batch: 3
neuron: {leak: 0.79, reset: 0.31, threshold: 0.437, surrogate_width: 1.213}
training: {loss: mse, optimizer: sgd, learning_rate: 0.1, momentum: 0.9, classifier: trainable}
`

func workload(t *testing.T, text string) *network.Workload {
	t.Helper()
	w, err := network.Read([]byte(text), "test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func formats(t *testing.T, text string) fixed.Formats {
	t.Helper()
	f, err := fixed.ParseFormats(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func datapath(t *testing.T, text, q string, k int) *fixed.Datapath {
	t.Helper()
	d, err := fixed.New(workload(t, text), k, formats(t, q))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// folder writes RTL and testbenches to a new folder.
func folder(t *testing.T, files ...file) string {
	t.Helper()
	dir := t.TempDir()
	files = append(files, embedded("rtl")...)
	if err := write(dir, append(files, embedded("tb")...)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// vectors is how many random vectors every unit is tested with, twice.
const vectors = 10000

func TestUnitsEqualTheModelBitForBit(t *testing.T) {
	for _, c := range []struct {
		formats   string
		k         int
		simulator Simulator
	}{
		{"q4.12", 4, Icarus},
		{"q4.12", 4, Verilator},
		{"w=q2.14,u=q4.10,e=q3.13,g=q6.12", 4, Icarus}, // rounding and lifting everywhere else
		{"w=q3.5,u=q5.9,e=q2.6,g=q5.12", 1, Icarus},
	} {
		t.Run(c.formats+"/"+string(c.simulator), func(t *testing.T) {
			need(t, string(c.simulator))
			d := datapath(t, small, c.formats, c.k)
			dir := folder(t, testUnits(d, Units(d, vectors, 1))...)
			out, err := c.simulator.Simulate(limited(t), dir, "accelsim_tb_units")
			if err != nil {
				t.Fatal(err)
			}
			t.Log(out)
		})
	}
}

func TestBlockEqualsTheModelBitForBit(t *testing.T) {
	for _, c := range []struct {
		name, workload, formats string
		k                       int
		array                   pe.Array
		simulator               Simulator
	}{
		{"trainable", small, "q4.12", 4, pe.Array{Rows: 2, Columns: 3, Lanes: 4, Pipeline: 4}, Icarus},
		{"trainable", small, "q4.12", 4, pe.Array{Rows: 2, Columns: 3, Lanes: 4, Pipeline: 4}, Verilator},
		{"long pipeline", small, "w=q2.14,u=q4.10,e=q3.13,g=q6.12", 2, pe.Array{Rows: 4, Columns: 2, Lanes: 8, Pipeline: 8}, Icarus},
		{"k = 1, random classifier", strings.Replace(small, "classifier: trainable", "classifier: random", 1), "q5.11", 1, pe.Array{Rows: 3, Columns: 3, Lanes: 1, Pipeline: 5}, Icarus},
	} {
		t.Run(c.name+"/"+string(c.simulator), func(t *testing.T) {
			need(t, string(c.simulator))
			w := workload(t, c.workload)
			b, err := fixed.NewBlock(w, c.k, formats(t, c.formats))
			if err != nil {
				t.Fatal(err)
			}
			test := NewBlockTest(w, b, c.array, 3, 5)
			if test.Fired == 0 || test.Moved == 0 {
				t.Fatalf("%d spikes and %d changed weights: the test shows nothing", test.Fired, test.Moved)
			}
			dir := folder(t, test.files()...)
			out, err := c.simulator.Simulate(limited(t), dir, "accelsim_tb_block")
			if err != nil {
				t.Fatal(err)
			}
			t.Log(test.Fired, test.Moved, out)
		})
	}
}

// The fixed-point model is the simulator's float32 datapath, but for rounding:
// with more fraction bits it comes as near as they allow.
func TestTheModelComesNearFloat32WithMoreBits(t *testing.T) {
	for _, c := range []struct {
		formats string
		within  float64
	}{{"q4.12", 0.02}, {"q4.18", 4e-4}, {"q4.20", 1e-4}} {
		w := workload(t, small)
		b, err := fixed.NewBlock(w, 4, formats(t, c.formats))
		if err != nil {
			t.Fatal(err)
		}
		test := NewBlockTest(w, b, pe.Array{Rows: 2, Columns: 3, Lanes: 4, Pipeline: 4}, 1, 5)
		for _, a := range test.Accuracy {
			t.Logf("%s %s: %d values up to %.4g, worst difference %.2g (%.2g of the largest), rms %.2g, %d saturated",
				c.formats, a.Tensor, a.Values, a.Largest, a.Worst, a.Relative, a.RMS, a.Saturated)
			if a.Relative > c.within {
				t.Errorf("%s: %s is off by %.2g of its largest value", c.formats, a.Tensor, a.Relative)
			}
		}
	}
}
